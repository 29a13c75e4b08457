package seal_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/storage/seal"
)

func TestMasterKeysAreReplacedInSteps(t *testing.T) {
	first, second := seal.NewMasterKey(), seal.NewMasterKey()
	ring := func(keys string) *seal.Seal {
		s, err := seal.Parse(keys)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	current := ring(first)
	sealed := current.Close("p", []byte("text"))
	for _, step := range []struct {
		keys string
		want error
	}{
		{second, seal.ErrKeyLost},
		{first + "," + second, nil},
		{second + "," + first, nil},
		{first, seal.ErrKeyLost},
		{second, nil},
	} {
		before := current.Close("p", nil)
		if err := current.Adopt(ring(step.keys)); !errors.Is(err, step.want) {
			t.Errorf("%v, want %v", err, step.want)
		}
		if _, err := current.Open("p", before); err != nil {
			t.Errorf("what was sealed last is lost: %v", err)
		}
	}
	if _, err := current.Open("p", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("the first key opens still: %v", err)
	}
}

func TestSeal(t *testing.T) {
	first, second := seal.NewMasterKey(), seal.NewMasterKey()
	parse := func(keys string) *seal.Seal {
		seal, err := seal.Parse(keys)
		if err != nil {
			t.Fatal(err)
		}
		return seal
	}
	sealed := parse(first).Close("totp", []byte("secret"))
	if strings.Contains(string(sealed), "secret") {
		t.Error("the plaintext shows")
	}
	if got, err := parse(second+","+first).Open("totp", sealed); err != nil || string(got) != "secret" {
		t.Errorf("a rotated ring does not open: %q, %v", got, err)
	}
	if _, err := parse(second).Open("totp", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("another master key: %v", err)
	}
	if _, err := parse(first).Open("keys", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("another purpose: %v", err)
	}
	for i := range sealed {
		damaged := append([]byte(nil), sealed...)
		damaged[i] ^= 1
		if _, err := parse(first).Open("totp", damaged); !errors.Is(err, seal.ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, bad := range []string{"", "short", first + ",", first + "x"} {
		if _, err := seal.Parse(bad); err == nil || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("ParseSeal(%q): %v", bad, err)
		}
	}
}

// What was sealed before each message had a key of its own still opens, and is sealed anew by `wicket key reseal`.
func TestSealsOfBeforeOpen(t *testing.T) {
	s, err := seal.Parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	before, err := hex.DecodeString("95404b3e06e849cb6f4ab14c8c2344a3c613636fda5b85a5ff09c7da56159a7261a4")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open("totp", before); err != nil || string(got) != "secret" {
		t.Errorf("it opens to %q, %v", got, err)
	}
	if _, err := s.Open("keys", before); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("another purpose: %v", err)
	}
	for _, short := range [][]byte{nil, before[:5], before[:20]} {
		if _, err := s.Open("totp", short); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%d bytes: %v", len(short), err)
		}
	}
}
