package identifier_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/identifier"
)

// What a name is compared by is compared by itself, and a name that somebody may choose is nobody's number, address or
// id.
func FuzzUsername(f *testing.F) {
	for _, name := range []string{
		"alice", "Alice", "ａｄｍｉｎ", "Straße", "ΟΔΥΣΣΕΥΣ", "İstanbul", "o'neil", "田中さくら", "김金", "+49", "+49-151-1234.5678",
		"(+49)15112345678", "０１２", "+４９15112345678", "0190f7a2-7c1e-7b1e-8a52-000000000001", "{0190f7a27c1e7b1e8a52000000000001}",
		"a@b", "a\u0301", "\u212a", "a\u200db", "--help", "..", "a/b", "а", "ﬀ", "ß", "\xff", "a\x00b", "שלום", "١٢", "a\u05d0",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		known, err := identifier.UsernameKey(name)
		if err == nil {
			if again, err := identifier.UsernameKey(known); err != nil || again != known {
				t.Fatalf("%q has the key %q, and that the key %q, %v", name, known, again, err)
			}
			if !utf8.ValidString(known) || strings.ContainsFunc(known, unicode.IsControl) || strings.ContainsAny(known, " @") {
				t.Fatalf("%q has the key %q", name, known)
			}
		}
		key, err := identifier.NewUsernameKey(name)
		if err != nil {
			return
		}
		if key != known {
			t.Fatalf("%q is chosen as %q and found as %q", name, key, known)
		}
		if again, err := identifier.NewUsernameKey(key); err != nil || again != key {
			t.Fatalf("%q may be chosen, and its key %q not: %q, %v", name, key, again, err)
		}
		for _, text := range []string{name, key} {
			if number, err := identifier.PhoneNumber(text); err == nil {
				t.Fatalf("%q is the phone number %s", text, number)
			}
			if address, err := identifier.EmailKey(text); err == nil {
				t.Fatalf("%q is the address %s", text, address)
			}
			if id, err := uuid.Parse(text); err == nil {
				t.Fatalf("%q is the id %s", text, id)
			}
			if strings.ContainsAny(text, "/:") || strings.HasPrefix(text, "-") || strings.Trim(text, ".") == "" {
				t.Fatalf("%q may be chosen", text)
			}
		}
	})
}

// What an address is compared by is an address, compared by itself, and goes to one host.
func FuzzEmail(f *testing.F) {
	for _, address := range []string{
		"alice@example.com", "Alice.O'Neil+tag@EXAMPLE.com", `"a b"@example.com`, `"a@b"@example.com`, "a@bücher.example",
		"a@xn--bcher-kva.example", "a@[127.0.0.1]", "a@example.com.", "a@例え。jp", "a@exa\u00admple.com", "ﬀ@example.com", "K@example.com",
		"İ@example.com", "a\u0301@example.com", "Bob <a@example.com>", "a@example.com (x)", "a@b@c", "@", "a@\x00", "a@b\r\nBcc: c@d",
		"a@ａ.com", "ΑΣ@example.com", `"\""@example.com`, "a@-b.com", "+4930123456@example.com",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		key, err := identifier.EmailKey(address)
		if err != nil {
			return
		}
		if again, err := identifier.EmailKey(key); err != nil || again != key {
			t.Fatalf("%q has the key %q, and that the key %q, %v", address, key, again, err)
		}
		at := strings.LastIndexByte(key, '@')
		if at < 1 || strings.Trim(key[at+1:], "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Fatalf("%q goes to the host %q", address, key[at+1:])
		}
		if !utf8.ValidString(address) || strings.ContainsFunc(address, unicode.IsControl) {
			t.Fatalf("%q is an address", address)
		}
		if number, err := identifier.PhoneNumber(address); err == nil {
			t.Fatalf("%q is the phone number %s", address, number)
		}
	})
}

// What is read as a number is E.164, read as itself, and made of nothing but the digits that were typed.
func FuzzPhone(f *testing.F) {
	for _, number := range []string{
		"+49 30 1234567", "+49-(0)30.1234567", "0049301234567", "+1 (202) 555-0100", "+８８213", "+882 13 12345", "++49", "+0123456",
		"\u00a0+49\u201330 1234567", "+4930123456789012345", "+49301234567;ext=1", "+49301234567x1", "tel:+49301234567", "+49٣٠1234567",
	} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		number, err := identifier.PhoneNumber(typed)
		if err != nil {
			return
		}
		if again, err := identifier.PhoneNumber(number); err != nil || again != number {
			t.Fatalf("%q is %q, and that %q, %v", typed, number, again, err)
		}
		digits := strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, typed)
		if number != "+"+digits || len(digits) < 7 || len(digits) > 15 {
			t.Fatalf("%q is read as %q", typed, number)
		}
		possible := identifier.IsPossiblePhone(number)
		country, ordinary := identifier.PhoneCountry(number)
		if ordinary && (len(country) != 2 || !identifier.IsCountry(country)) {
			t.Fatalf("%q (possible: %v) is an ordinary number of %q", number, possible, country)
		}
	})
}
