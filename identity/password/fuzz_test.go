package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"github.com/wicket-id/wicket/identity/password/passwordtest"

	"github.com/wicket-id/wicket/storage/storagetest"
)

// cost is what checking a hash takes: memory in bytes, and how often all of it is gone through, in blocks of about the
// same time. It reads the parameters without the code under test.
func cost(t *testing.T, scheme, text string) (memory, work int) {
	t.Helper()
	numbers := map[string]*regexp.Regexp{
		"argon2id": regexp.MustCompile(`\$m=(\d+),t=(\d+),p=(\d+)\$`),
		"scrypt":   regexp.MustCompile(`\$ln=(\d+),r=(\d+),p=(\d+)\$`),
		"bcrypt":   regexp.MustCompile(`^\$2.\$(\d+)()()\$`),
		"pbkdf2":   regexp.MustCompile(`^\$?[^$]+\$(\d+)()()\$`),
	}[scheme].FindStringSubmatch(text)
	var n [3]int
	for i := range n {
		if numbers != nil && numbers[i+1] != "" {
			var err error
			if n[i], err = strconv.Atoi(numbers[i+1]); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
	switch scheme {
	case "argon2id":
		return n[0] << 10, n[0] * n[1] // KiB times passes: 2^20 are about a second
	case "scrypt":
		return 128 * (1 << n[0]) * n[1], (1 << n[0]) * n[1] * n[2] / 4
	case "bcrypt":
		return 4 << 10, 1 << n[0] * 16
	case "pbkdf2":
		return 0, n[0] / 2
	}
	t.Fatalf("a hash of the kind %q", scheme)
	return 0, 0
}

// A text is a hash that costs no more than may be, or is refused without being repeated; and what it costs is known
// before it is checked.
func FuzzReadHash(f *testing.F) {
	for _, c := range passwordtest.ForeignHashes {
		f.Add(c.Hash, c.Password)
	}
	for _, text := range []string{
		"", "$", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		"$scrypt$ln=63,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
		"pbkdf2_sha256$2147483647$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=", "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
	} {
		f.Add(text, "password")
	}
	f.Fuzz(func(t *testing.T, text, typed string) {
		stored, err := ReadHash(text)
		if (stored == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", text, stored, err)
		}
		if err != nil {
			if len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("it is repeated: %v", err)
			}
			return
		}
		memory, work := cost(t, stored.Scheme, text)
		if memory > 256<<20 || work > 1<<20 {
			t.Fatalf("%q takes %d bytes and %d units of work", text, memory, work)
		}
		if work > 1<<12 {
			return // it would take the fuzzer's time
		}
		before := storagetest.Computed()
		if _, _, err := cheap().Verify(t.Context(), text, typed); err != nil && !errors.Is(err, ErrBusy) &&
			strings.Contains(err.Error(), text) {
			t.Fatalf("%q: %v", text, err)
		}
		if took := storagetest.Computed() - before; took > 5*time.Second {
			t.Fatalf("%q took %s", text, took)
		}
	})
}

// A hash of another program is verified by the password that it was made of, and by no other.
func FuzzForeignHash(f *testing.F) {
	for scheme := range uint8(5) {
		f.Add(scheme, []byte("some salt of 16b"), "correct horse", "correct horsf")
		f.Add(scheme, []byte("s"), "password", "password\x00")
		f.Add(scheme, []byte("salt"), "", "\x00")
		f.Add(scheme, []byte("salt"), "lètmein", "le\u0300tmein")
		f.Add(scheme, []byte("salt"), strings.Repeat("x", 72), strings.Repeat("x", 73))
		f.Add(scheme, []byte("salt"), "p", "p\x00p")
		f.Add(scheme, []byte("salt"), "\xff", "\xfe")
	}
	f.Fuzz(func(t *testing.T, scheme uint8, salt []byte, password, other string) {
		// Django's salt is text, which is longer than what it stands for here.
		if len(salt) == 0 || base64.RawStdEncoding.EncodedLen(len(salt)) > maxHashSalt ||
			len(password) > maxPassword || len(other) > maxPassword {
			return
		}
		text, err := foreignHash(scheme%5, salt, password)
		if err != nil {
			return // bcrypt makes none of more than 72 bytes
		}
		matches, _, err := cheap().Verify(t.Context(), text, password)
		if refused := scheme%5 != 0 && strings.Contains(password, "\x00"); err != nil || matches == refused {
			t.Fatalf("%s of %q: %v, %v", text, password, matches, err)
		}
		if other == password || scheme%5 == 4 && len(other) > 72 && other[:72] == password { // all that bcrypt looks at
			return
		}
		if matches, _, err := cheap().Verify(t.Context(), text, other); err != nil || matches {
			t.Fatalf("%s of %q is verified by %q (%v)", text, password, other, err)
		}
	})
}

// foreignHash makes a cheap hash as another program would.
func foreignHash(scheme uint8, salt []byte, password string) (string, error) {
	std, passlib := base64.RawStdEncoding, base64.NewEncoding(
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").WithPadding(base64.NoPadding)
	switch scheme {
	case 0:
		key := argon2.IDKey([]byte(password), salt, 1, 16, 1, 32)
		return fmt.Sprintf("$argon2id$v=19$m=16,t=1,p=1$%s$%s", std.EncodeToString(salt), std.EncodeToString(key)), nil
	case 1:
		key, err := scrypt.Key([]byte(password), salt, 2, 1, 1, 32)
		return fmt.Sprintf("$scrypt$ln=1,r=1,p=1$%s$%s", std.EncodeToString(salt), std.EncodeToString(key)), err
	case 2:
		key, err := pbkdf2.Key(sha512.New, password, salt, 2, 64)
		return fmt.Sprintf("$pbkdf2-sha512$2$%s$%s", passlib.EncodeToString(salt), passlib.EncodeToString(key)), err
	case 3:
		written := []byte(std.EncodeToString(salt)) // Django's salt is text
		key, err := pbkdf2.Key(sha256.New, password, written, 3, 32)
		return fmt.Sprintf("pbkdf2_sha256$3$%s$%s", written, base64.StdEncoding.EncodeToString(key)), err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	return string(hash), err
}
