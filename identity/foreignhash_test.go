package identity

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// foreignHashes are of other programs: test suites, RFCs and documentation of those who made them, or of Python's hashlib.
var foreignHashes = map[string]struct{ hash, password string }{
	"bcrypt 2a (jBCrypt)":           {"$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "abc"},
	"bcrypt 2a (crypt_blowfish)":    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	"bcrypt 2b (the same)":          {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	"bcrypt 2y (the same)":          {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
	"scrypt (RFC 7914, 1024)":       {"$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA", "password"},
	"scrypt (RFC 7914, 16384)":      {"$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw", "pleaseletmein"},
	"scrypt (passlib)":              {"$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E", "password"},
	"PBKDF2 (hashlib, as passlib)":  {"$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdYw$f1qhN9YsPiA.FWAKgBg.Zbb3eu4rJdCMOZr6RaDOADY", "password"},
	"PBKDF2 with SHA-512 (hashlib)": {"$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$38DzhdBT7fPaUGBlsh42VTuuKSFAIYGZJ7l6feCDLIl.K3hdPFgxxu7xuUi4gIuH6cEIoODn18xH9Ig2ryNgUw", "password"},
	"PBKDF2 (Django's test suite)":  {"pbkdf2_sha256$12000$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=", "lètmein"},
	"argon2id (reference)":          {"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
}

func TestImportedHashesAreVerifiedAndOutdated(t *testing.T) {
	for name, c := range foreignHashes {
		t.Run(name, func(t *testing.T) {
			for password, want := range map[string]bool{
				c.password: true, c.password + "x": false, "": false, c.password + "\x00" + c.password: false, strings.Repeat("x", maxPassword+1): false,
			} {
				if matches, outdated, err := cheap().Verify(t.Context(), c.hash, password); err != nil || matches != want || outdated != want {
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
	release, err := hasher.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, c := range foreignHashes {
		if matches, _, err := hasher.Verify(t.Context(), c.hash, c.password); !errors.Is(err, ErrBusy) || matches {
			t.Errorf("%s: %v, %v", name, matches, err)
		}
	}
}

func FuzzReadHash(f *testing.F) {
	for _, c := range foreignHashes {
		f.Add(c.hash)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if stored, err := readHash(text); (stored == nil) == (err == nil) {
			t.Errorf("%q: %v, %v", text, stored, err)
		}
	})
}
