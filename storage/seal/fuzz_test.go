package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/storage/seal"
)

// Nothing opens but what was sealed with one of the keys, for that purpose, to the last bit.
func FuzzOpen(f *testing.F) {
	const ours, theirs = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="
	mine, err := seal.Parse(ours)
	if err != nil {
		f.Fatal(err)
	}
	other, err := seal.Parse(theirs)
	if err != nil {
		f.Fatal(err)
	}
	before, err := hex.DecodeString("95404b3e06e849cb6f4ab14c8c2344a3c613636fda5b85a5ff09c7da56159a7261a4") // "secret", for totp
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil), "totp", []byte("secret"), uint16(0), byte(1))
	f.Add(before, "totp", []byte(nil), uint16(5), byte(0))
	f.Add(before[:20], "", bytes.Repeat([]byte{0}, 100), uint16(30), byte(0x80))
	f.Add(mine.Close("totp", []byte("secret")), "totp", []byte("x"), uint16(12), byte(3))
	f.Add(bytes.Repeat([]byte{0}, 40), "continue", []byte("client_id=a"), uint16(24), byte(255))
	f.Fuzz(func(t *testing.T, foreign []byte, purpose string, plaintext []byte, at uint16, change byte) {
		if opened, err := other.Open(purpose, foreign); err == nil {
			t.Fatalf("%x, which that key never sealed, opens to %q", foreign, opened)
		} else if !errors.Is(err, seal.ErrSealed) {
			t.Fatal(err)
		}
		sealed := mine.Close(purpose, plaintext)
		if got, err := mine.Open(purpose, sealed); err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("%q was sealed, and opens to %q, %v", plaintext, got, err)
		}
		for name, open := range map[string]func() ([]byte, error){
			"with another key":     func() ([]byte, error) { return other.Open(purpose, sealed) },
			"for another purpose":  func() ([]byte, error) { return mine.Open(purpose+"x", sealed) },
			"with more at its end": func() ([]byte, error) { return mine.Open(purpose, append(bytes.Clone(sealed), foreign...)) },
			"cut":                  func() ([]byte, error) { return mine.Open(purpose, sealed[:int(at)%len(sealed)]) },
			"changed": func() ([]byte, error) {
				changed := bytes.Clone(sealed)
				changed[int(at)%len(sealed)] ^= change
				return mine.Open(purpose, changed)
			},
		} {
			same := name == "changed" && change == 0 || name == "with more at its end" && len(foreign) == 0
			if got, err := open(); !same && !errors.Is(err, seal.ErrSealed) {
				t.Fatalf("%s: it opens to %q, %v", name, got, err)
			}
		}
	})
}

// Master keys are read as the 32 bytes that they are or refused, and never repeated.
func FuzzParse(f *testing.F) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32))
	for _, text := range []string{
		"", ",", key, key + "," + key, " " + key + "\n", strings.TrimRight(key, "="), base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)),
		key + "=", key[:43] + "\n", key[:20] + "\n" + key[20:], "hush-hush", key[:42] + "B", "\xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := seal.Parse(text)
		if err != nil {
			if len(text) > 8 && strings.Contains(err.Error(), text) {
				t.Fatalf("it is repeated: %v", err)
			}
			return
		}
		keys := strings.Split(text, ",")
		if derived := s.Derive("p", nil); len(derived) != len(keys) {
			t.Fatalf("%d keys are read as %d", len(keys), len(derived))
		}
		sealed := s.Close("p", []byte("secret"))
		first, err := seal.Parse(keys[0])
		if err != nil {
			t.Fatalf("the first key alone: %v", err)
		}
		if got, err := first.Open("p", sealed); err != nil || string(got) != "secret" {
			t.Fatalf("the first key does not open what the ring sealed: %v", err)
		}
	})
}
