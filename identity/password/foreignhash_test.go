package password

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity/password/passwordtest"
)

func TestImportedHashesAreVerifiedAndOutdated(t *testing.T) {
	for name, c := range passwordtest.ForeignHashes {
		t.Run(name, func(t *testing.T) {
			for password, want := range map[string]bool{
				c.Password: true, c.Password + "x": false, "": false, c.Password + "\x00" + c.Password: false,
				c.Password + "\x00":                false,
				strings.Repeat("x", maxPassword+1): false,
			} {
				if matches, outdated, err := cheap().Verify(t.Context(), c.Hash, password); err != nil || matches != want ||
					outdated != want {
					t.Errorf("%q: matches %v, outdated %v, %v", password, matches, outdated, err)
				}
			}
		})
	}
}

func TestImportedHashesAreBounded(t *testing.T) {
	const key32, bcrypt53 = "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E", "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	for hash, want := range map[string]string{
		"$2b$16$" + bcrypt53:                                                "cost of the bcrypt hash must be from 4 to 15",
		"$2b$03$" + bcrypt53:                                                "cost of the bcrypt hash",
		"$2x$10$" + bcrypt53:                                                "no password hash of a known kind",
		"$2b$10$" + bcrypt53 + "x":                                          "no password hash",
		"$scrypt$ln=19,r=8,p=1$TmFDbA$" + key32:                             "ln of the scrypt hash must be from 1 to 18",
		"$scrypt$ln=99999999999999999999,r=8,p=1$TmFDbA$" + key32:           "ln of the scrypt hash",
		"$scrypt$ln=10,r=33,p=1$TmFDbA$" + key32:                            "r of the scrypt hash",
		"$scrypt$ln=10,r=8,p=17$TmFDbA$" + key32:                            "p of the scrypt hash",
		"$scrypt$ln=18,r=8,p=4$TmFDbA$" + key32:                             "asks for too much",
		"$scrypt$ln=18,r=16,p=1$TmFDbA$" + key32:                            "asks for too much",
		"$scrypt$ln=10,r=8,p=1$TmFDbA$TmFDbA":                               "key of the scrypt hash",
		"$scrypt$ln=10,r=8,p=1$T$" + key32:                                  "damaged",
		"$scrypt$ln=10,r=8,p=1$" + strings.Repeat("A", 180) + "$" + key32:   "salt of the scrypt hash",
		"$pbkdf2-sha256$2000001$TmFDbA$f1qhN9YsPiA.FWAKgBg.Zg":              "rounds of the PBKDF2 hash must be from 1 to 2000000",
		"$pbkdf2-sha256$0$TmFDbA$f1qhN9YsPiA.FWAKgBg.Zg":                    "no password hash",
		"$pbkdf2-sha256$1000$T$f1qhN9YsPiA.FWAKgBg.Zg":                      "damaged",
		"$pbkdf2-sha256$1000$TmFDbA$" + strings.Repeat("A", 44):             "longer than sha256 gives",
		"pbkdf2_sha256$2000001$salt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGE=": "rounds of the PBKDF2 hash",
		"pbkdf2_sha1$1000$salt$Ybw8zsFxqja97tY/o6G+Fy1ksY4=":                "no password hash",
		"$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ$" + key32:              "memory in KiB (m) of the argon2id hash",
		"$argon2id$v=19$m=256,t=17,p=1$c29tZXNhbHQ$" + key32:                "passes (t) of the argon2id hash",
		"$argon2id$v=19$m=256,t=1,p=17$c29tZXNhbHQ$" + key32:                "lanes (p) of the argon2id hash",
		"$argon2id$v=19$m=15,t=1,p=2$c29tZXNhbHQ$" + key32:                  "lanes (p) of the argon2id hash",
		"$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$" + key32:              "m times t",
		"$1$salt$qJH7.N4xYta3aEG/dfqo/0":                                    "no password hash",
		"correct horse battery":                                             "no password hash",
		strings.Repeat("$", 1000):                                           "no password hash",
		"5f4dcc3b5aa765d61d8327deb882cf99":                                  "no password hash",
		"{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3":                            "no password hash",
	} {
		matches, outdated, err := cheap().Verify(t.Context(), hash, "password")
		if err == nil || matches || outdated || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), hash) {
			t.Errorf("%s: matches %v, outdated %v, %v; want an error with %q", hash, matches, outdated, err, want)
		}
	}
}

// A foreign hash waits for its turn like any other.
func TestImportedHashesTakeTurns(t *testing.T) {
	hasher := NewHasher(64, 1, 1, 5*time.Millisecond)
	release, err := hasher.slots.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, c := range passwordtest.ForeignHashes {
		if matches, _, err := hasher.Verify(t.Context(), c.Hash, c.Password); !errors.Is(err, ErrBusy) || matches {
			t.Errorf("%s: %v, %v", name, matches, err)
		}
	}
}
