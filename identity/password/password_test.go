package password

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const alicePassword = "correct horse battery"

// cheap is a hasher for tests of everything but its cost.
func cheap() *Hasher { return NewHasher(64, 1, 2, 30*time.Second) }

var phc = regexp.MustCompile(`^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)

func TestHashIsAPHCStringWithItsOwnSalt(t *testing.T) {
	hasher := cheap()
	first, err := hasher.Hash(t.Context(), alicePassword)
	if err != nil || !phc.MatchString(first) {
		t.Fatalf("%q, %v", first, err)
	}
	if second, err := hasher.Hash(t.Context(), alicePassword); err != nil || second == first {
		t.Errorf("the same password has the same hash twice: %q, %v", second, err)
	}
}

func TestVerifyTellsTheRightPasswordFromOthers(t *testing.T) {
	hasher := cheap()
	hash, err := hasher.Hash(t.Context(), alicePassword)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		alicePassword: true, strings.ToUpper(alicePassword): false, alicePassword + " ": false, alicePassword + "\x00": false,
		alicePassword[:8]: false, "": false, strings.Repeat("x", maxPassword+1): false,
	} {
		if matches, outdated, err := hasher.Verify(t.Context(), hash, password); err != nil || matches != want || outdated {
			t.Errorf("%q: matches %v, outdated %v, %v", password, matches, outdated, err)
		}
	}
}

// Hashes that other argon2id implementations made are hashes too; this one is of the reference implementation's test
// suite.
func TestVerifyReadsForeignParameters(t *testing.T) {
	const foreign = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
	matches, outdated, err := cheap().Verify(t.Context(), foreign, "password")
	if err != nil || !matches || !outdated {
		t.Errorf("matches %v, outdated %v, %v", matches, outdated, err)
	}
}

func TestRaisedParametersMakeAHashOutdated(t *testing.T) {
	hash, err := NewHasher(64, 1, 1, time.Minute).Hash(t.Context(), alicePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, now := range map[string]struct {
		hasher *Hasher
		want   bool
	}{
		"the same":     {NewHasher(64, 1, 1, time.Minute), false},
		"more memory":  {NewHasher(128, 1, 1, time.Minute), true},
		"more passes":  {NewHasher(64, 2, 1, time.Minute), true},
		"less of both": {NewHasher(32, 1, 1, time.Minute), true},
	} {
		if matches, outdated, err := now.hasher.Verify(t.Context(), hash, alicePassword); err != nil || !matches ||
			outdated != now.want {
			t.Errorf("%s: matches %v, outdated %v, %v", name, matches, outdated, err)
		}
		// Nobody's hash is renewed with a password that is not theirs.
		if matches, outdated, err := now.hasher.Verify(t.Context(), hash, "wrong password"); err != nil || matches ||
			outdated {
			t.Errorf("%s, wrong password: matches %v, outdated %v, %v", name, matches, outdated, err)
		}
	}
}

func TestNoHashMatchesNoPassword(t *testing.T) {
	for _, password := range []string{"", alicePassword, "\x00", strings.Repeat("x", 1000)} {
		if matches, outdated, err := cheap().Verify(t.Context(), "", password); err != nil || matches || outdated {
			t.Errorf("%q: matches %v, outdated %v, %v", password, matches, outdated, err)
		}
	}
}

// The longest password that may be chosen works; a longer one is nobody's, even where a hash of it exists.
func TestOverlongPasswordIsNobodys(t *testing.T) {
	hasher := cheap()
	for length, want := range map[int]bool{maxPassword: true, maxPassword + 1: false, 1 << 20: false} {
		password := strings.Repeat("x", length)
		hash, err := hasher.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if matches, _, err := hasher.Verify(t.Context(), hash, password); err != nil || matches != want {
			t.Errorf("%d bytes: matches %v, %v", length, matches, err)
		}
	}
	empty, err := hasher.Hash(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if matches, _, err := hasher.Verify(t.Context(), empty, strings.Repeat("x", maxPassword+1)); err != nil || matches {
		t.Errorf("an overlong password passes for an empty one: %v, %v", matches, err)
	}
}

// A hash that we cannot read is a fault, not a refusal: it must be seen.
func TestUnknownHashIsAFault(t *testing.T) {
	hash, err := cheap().Hash(t.Context(), alicePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"a short bcrypt":  "$2b$12$KIXQ4v7u3rYB1x9Jk0uYHuM3mJzqGJ3rQzq0mXl8b2Qb8E3u6yN1",
		"argon2i":         strings.Replace(hash, "argon2id", "argon2i", 1),
		"old version":     strings.Replace(hash, "v=19", "v=16", 1),
		"plain text":      alicePassword,
		"a field missing": hash[:strings.LastIndexByte(hash, '$')],
		"a field more":    hash + "$x",
		"no parameters":   strings.Replace(hash, "m=64,t=1,p=1", "", 1),
		"words":           strings.Replace(hash, "m=64", "m=many", 1),
		"negative":        strings.Replace(hash, "m=64", "m=-64", 1),
		"bad salt":        strings.Replace(hash, "p=1$", "p=1$*", 1),
		"bad key":         hash + "*",
	} {
		if matches, _, err := cheap().Verify(t.Context(), damaged, alicePassword); err == nil || matches ||
			strings.Contains(err.Error(), damaged) {
			t.Errorf("%s: matches %v, %v", name, matches, err)
		}
	}
}

// What argon2 itself does not take must not take the process down, and a hash of nothing must not match everything.
func TestDamagedParametersAreAFault(t *testing.T) {
	hash, err := cheap().Hash(t.Context(), alicePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"no passes":             strings.Replace(hash, "t=1", "t=0", 1),
		"no lanes":              strings.Replace(hash, "p=1", "p=0", 1),
		"an empty key":          hash[:strings.LastIndexByte(hash, '$')+1],
		"something at the end":  strings.Replace(hash, "p=1$", "p=1,x=1$", 1),
		"more lanes than bytes": strings.Replace(hash, "p=1", "p=257", 1),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if fault := recover(); fault != nil {
					t.Errorf("panic: %v", fault)
				}
			}()
			if matches, _, err := cheap().Verify(t.Context(), damaged, "anything at all"); err == nil || matches {
				t.Errorf("matches %v, %v", matches, err)
			}
		})
	}
}

func TestTooManyPasswordsAtOnceAreTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := NewHasher(64, 1, 2, 10*time.Second)
		hash, err := hasher.Hash(t.Context(), alicePassword)
		if err != nil {
			t.Fatal(err)
		}
		first, err := hasher.slots.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		second, err := hasher.slots.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := hasher.Hash(t.Context(), alicePassword); !errors.Is(err, ErrBusy) {
			t.Errorf("hash: %v", err)
		}
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("waited %s", waited)
		}
		if matches, _, err := hasher.Verify(t.Context(), hash, alicePassword); !errors.Is(err, ErrBusy) || matches {
			t.Errorf("verify: %v, %v", matches, err)
		}
		if matches, _, err := hasher.Verify(t.Context(), "", alicePassword); !errors.Is(err, ErrBusy) || matches {
			t.Errorf("verify nobody's: %v, %v", matches, err) // it must cost its turn too
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := hasher.Hash(gone, alicePassword); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		// A turn that comes free while somebody waits is theirs.
		time.AfterFunc(5*time.Second, first)
		if matches, _, err := hasher.Verify(t.Context(), hash, alicePassword); err != nil || !matches {
			t.Errorf("after waiting: %v, %v", matches, err)
		}
		second()
		if len(hasher.slots.running) != 0 {
			t.Errorf("%d turns were not given back", len(hasher.slots.running))
		}
	})
}

// Where as many wait as a second's work is, who comes then is turned away at once; slots beside are slots of their own.
func TestTheQueueForSlotsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := NewHasher(64, 1, 1, 10*time.Second)
		release, err := hasher.slots.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		for range waitingPerSlot {
			waiting.Go(func() {
				if _, err := hasher.Hash(t.Context(), alicePassword); err != nil {
					t.Errorf("who waited: %v", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		if _, err := hasher.Hash(t.Context(), alicePassword); !errors.Is(err, ErrBusy) || time.Since(began) != 0 {
			t.Errorf("one more: %v after %s", err, time.Since(began))
		}
		if _, err := hasher.Beside(1).Hash(t.Context(), alicePassword); err != nil || time.Since(began) != 0 {
			t.Errorf("beside: %v after %s", err, time.Since(began))
		}
		release()
		waiting.Wait()
		if running, waiting := hasher.Load(); running != 0 || waiting != 0 {
			t.Errorf("%d running and %d waiting were not given back", running, waiting)
		}
	})
}
