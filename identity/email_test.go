package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity/identifier"
)

func TestEmailAddressesAsTheyAreCompared(t *testing.T) {
	for address, want := range map[string]string{
		"alice@example.com":        "alice@example.com",
		"Alice@Example.COM":        "alice@example.com",
		"ALICE+Tag@example.com":    "alice+tag@example.com", // a tag is part of the address
		"o'brien@example.com":      "o'brien@example.com",
		"a.b-c_d@mail.example.com": "a.b-c_d@mail.example.com",
		"jose\u0301@example.com":   "jos\u00e9@example.com",
		"JOS\u00c9@example.com":    "jos\u00e9@example.com",
		"me@b\u00fccher.example":   "me@xn--bcher-kva.example",
		"me@B\u00dcCHER.example":   "me@xn--bcher-kva.example",
		"me@bu\u0308cher.example":  "me@xn--bcher-kva.example",
		"me@xn--bcher-kva.example": "me@xn--bcher-kva.example",
		"me@XN--BCHER-KVA.example": "me@xn--bcher-kva.example",
		"me@例え.テスト":                "me@xn--r8jz45g.xn--zckzah",
		"me@ｅｘａｍｐｌｅ.com":           "me@example.com",
		"me@example\u3002com":      "me@example.com", // an ideographic full stop is a dot
		"me@localhost":             "me@localhost",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 60) + ".example": strings.Repeat("a", 64) + "@" +
			strings.Repeat("b", 60) + ".example",
	} {
		if got, err := identifier.EmailKey(address); err != nil || got != want {
			t.Errorf("%q: %q (%v), want %q", address, got, err, want)
		}
	}
}

func TestWhatIsNoEmailAddress(t *testing.T) {
	for _, address := range []string{
		"", " ", "alice", "@", "alice@", "@example.com", "a@b@c", "alice@example..com", "alice@.example.com",
		"alice@example.com.", ".alice@example.com", "al..ice@example.com",
		"Alice <alice@example.com>", "<alice@example.com>", "alice@example.com, bob@example.com", "alice@example.com (work)",
		`"al ice"@example.com`, `"alice"@example.com`,
		"alice@[192.0.2.1]", "alice@exa mple.com", "al ice@example.com", " alice@example.com", "alice@example.com\n",
		"alice@example.com\r\nBcc: bob@example.com",
		"alice\x00@example.com", "alice@exam\x00ple.com", "\xff@example.com", "alice@exam_ple.com", "alice@-example.com",
		strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 4) + "example",
		"alice@xn--zz--.example", "alice@exa\u202emple.com",
	} {
		if key, err := identifier.EmailKey(address); !errors.Is(err, identifier.ErrEmailInvalid) {
			t.Errorf("%q is taken as %q (%v)", address, key, err)
		}
	}
}
