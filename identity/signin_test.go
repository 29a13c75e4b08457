package identity

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestSignInByEachName(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		h.register(t, NewUser{Username: "bob", Email: "bob@example.com", Password: alicePassword})
		for login, allowed := range map[string]bool{
			"Alice": true, "alice": true, " alice ": true, "ALICE": true, "alice@example.com": true, "Alice@EXAMPLE.com": true,
			"bob": true, "bob@example.com": false, // not verified: anyone may claim it
			alice.ID.String(): false, "": false, "nobody": false, "nobody@example.com": false, "a b": false, "%": false, "alice' --": false,
		} {
			admission, err := h.SignIn(t.Context(), SignIn{Login: login, Password: alicePassword, Device: laptop})
			switch {
			case allowed && (err != nil || !strings.EqualFold(admission.Session.User.Username, strings.TrimSpace(strings.Split(login, "@")[0])) || len(admission.Secret) < 43):
				t.Errorf("%q: %v", login, err)
			case !allowed && (!errors.Is(err, ErrSignInRefused) || admission != nil):
				t.Errorf("%q: %v, want a refusal", login, err)
			}
		}
	})
}

func TestSignInMakesASessionAndANote(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		h.pass(time.Hour)
		if err := h.try(t, "alice", "wrong password"); !errors.Is(err, ErrSignInRefused) {
			t.Fatal(err)
		}
		session, secret := h.enter(t, "alice", alicePassword, nil)
		if live, err := h.SessionBySecret(t.Context(), secret); err != nil || live.ID != session.ID || live.User.Username != "Alice" {
			t.Fatalf("by its cookie: %+v, %v", live, err)
		}
		sessions, err := h.Sessions(t.Context(), alice.ID) // the whole row
		if err != nil || len(sessions) != 1 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		found := sessions[0]
		if found.ID != session.ID || found.UserID != alice.ID || !found.AuthTime.Equal(h.clock) || found.ACR != ACRPassword || fmt.Sprint(found.AMR) != "[pwd]" ||
			found.DeviceLabel != "Firefox on Linux" || found.IP != laptop.IP || found.SessionVersion != 1 || !found.ExpiresAt.Equal(h.clock.Add(h.SessionLifetime)) {
			t.Errorf("session %+v", found)
		}
		if user := h.read(t, alice.ID); user.FailedLoginAttempts != 0 || user.LastLoginAt == nil || !user.LastLoginAt.Equal(h.clock) || user.LastLoginIP != laptop.IP {
			t.Errorf("after a sign-in: %+v", user)
		}
		if lines := h.lines(t, "session", "started"); len(lines) != 1 || lines[0].EntityID != session.ID.String() || lines[0].UserID.UUID != alice.ID {
			t.Errorf("started: %+v", lines)
		}
		if refused := h.refused(t); len(refused) != 1 || refused[0].UserID.UUID != alice.ID || refused[0].FailureReason != failedPassword {
			t.Errorf("refused: %+v", refused)
		}
	})
}

// Whoever the sign-in turns out to be of did it, says the ledger.
func TestTheLedgerNamesWhoSignedIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		ctx := audit.As(t.Context(), audit.Actor{Name: "anonymous", IP: laptop.IP, RequestID: "r1"})
		if _, err := h.SignIn(ctx, SignIn{Login: "nobody", Password: alicePassword, Device: laptop}); !errors.Is(err, ErrSignInRefused) {
			t.Fatal(err)
		}
		if _, err := h.SignIn(ctx, SignIn{Login: "alice", Password: alicePassword, Device: laptop}); err != nil {
			t.Fatal(err)
		}
		refused, started := h.refused(t), h.lines(t, "session", "started")
		if len(refused) != 1 || refused[0].UserID.Valid || refused[0].Username != "nobody" || refused[0].IPAddress != laptop.IP || refused[0].FailureReason != failedUnknown {
			t.Errorf("refused: %+v", refused)
		}
		if len(started) != 1 || started[0].Actor != alice.Actor() || started[0].IP != laptop.IP || started[0].RequestID != "r1" {
			t.Errorf("started: %+v", started)
		}
	})
}

func TestDisabledAccountIsRefusedWithTheRightPassword(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		if err := h.SetUserActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := h.try(t, "alice", alicePassword); !errors.Is(err, ErrSignInRefused) {
			t.Errorf("disabled: %v", err)
		}
		if refused := h.refused(t); len(refused) != 1 || refused[0].FailureReason != failedDisabled {
			t.Errorf("refused: %+v", refused)
		}
		if err := h.SetUserActive(t.Context(), alice.ID, true); err != nil {
			t.Fatal(err)
		}
		h.enter(t, "alice", alicePassword, nil)
	})
}

func TestAnAccountWithoutAPasswordCannotSignIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.register(t, NewUser{Username: "bob"})
		for _, password := range []string{"", alicePassword} {
			if err := h.try(t, "bob", password); !errors.Is(err, ErrSignInRefused) {
				t.Errorf("%q: %v", password, err)
			}
		}
	})
}

func TestLockBeginsAndExpires(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		fail := func(n int) {
			t.Helper()
			for range n {
				if err := h.try(t, "alice", "wrong password"); !errors.Is(err, ErrSignInRefused) {
					t.Fatal(err)
				}
			}
		}
		fail(9)
		if h.read(t, alice.ID).IsLocked(h.clock) {
			t.Error("locked after nine")
		}
		h.enter(t, "alice", alicePassword, nil) // and the count begins anew
		fail(9)
		if h.read(t, alice.ID).IsLocked(h.clock) {
			t.Error("the right password in between does not count")
		}
		fail(1)
		if user := h.read(t, alice.ID); !user.IsLocked(h.clock) || !user.LockedUntil.Equal(h.clock.Add(h.LockDuration)) {
			t.Errorf("ten in a row do not lock: %+v", user)
		}
		h.pass(h.LockDuration - time.Microsecond)
		if err := h.try(t, "alice", alicePassword); !errors.Is(err, ErrSignInRefused) {
			t.Errorf("the right password while locked: %v", err)
		}
		if err := h.try(t, "alice@example.com", alicePassword); !errors.Is(err, ErrSignInRefused) {
			t.Errorf("by e-mail while locked: %v", err)
		}
		if n := h.read(t, alice.ID).FailedLoginAttempts; n != 10 {
			t.Errorf("right passwords while locked were counted as wrong ones: %d", n)
		}
		h.pass(time.Microsecond)
		h.enter(t, "alice", alicePassword, nil)
		if user := h.read(t, alice.ID); user.LockedUntil != nil || user.FailedLoginAttempts != 0 {
			t.Errorf("after the lock: %+v", user)
		}
		if n := len(h.lines(t, "user", "locked")); n != 1 {
			t.Errorf("locked %d times, says the ledger", n)
		}
	})
}

func TestUnlockingOpensAtOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		for range 10 {
			_ = h.try(t, "alice", "wrong password")
		}
		if err := h.try(t, "alice", alicePassword); !errors.Is(err, ErrSignInRefused) {
			t.Fatalf("not locked: %v", err)
		}
		if err := h.UnlockUser(t.Context(), alice.ID); err != nil {
			t.Fatal(err)
		}
		h.enter(t, "alice", alicePassword, nil)
	})
}

// Fifteen at once around the threshold of ten: every one counts, and the account is locked once.
func TestParallelWrongPasswordsAreCountedExactly(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 15 {
			wg.Go(func() {
				<-start
				if err := h.try(t, "alice", "wrong password"); !errors.Is(err, ErrSignInRefused) {
					t.Errorf("a wrong password: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		user := h.read(t, alice.ID)
		if user.FailedLoginAttempts != 15 || !user.IsLocked(h.clock) {
			t.Errorf("%d wrong passwords counted, locked %v", user.FailedLoginAttempts, user.IsLocked(h.clock))
		}
		lines := h.lines(t, "user", "locked")
		if len(lines) != 1 || !strings.Contains(strings.ReplaceAll(string(lines[0].NewValues), " ", ""), `"failed_login_attempts":10`) {
			t.Errorf("locked: %+v", lines)
		}
		if n := len(h.refused(t)); n != 15 {
			t.Errorf("%d refusals noted", n)
		}
	})
}

func TestOutdatedHashIsRenewedByASignIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		old := h.read(t, alice.ID).PasswordHash
		h.Hasher = NewHasher(128, 2, 8, 30*time.Second)
		_ = h.try(t, "alice", "wrong password")
		if h.read(t, alice.ID).PasswordHash != old {
			t.Error("a wrong password renewed the hash")
		}
		h.enter(t, "alice", alicePassword, nil)
		renewed := h.read(t, alice.ID).PasswordHash
		if !strings.Contains(renewed, "m=128,t=2") {
			t.Errorf("hash %s", renewed)
		}
		h.enter(t, "alice", alicePassword, nil)
		if h.read(t, alice.ID).PasswordHash != renewed {
			t.Error("a hash of today was renewed")
		}
	})
}

func TestSigningInAgainRenewsTheSession(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		first, before := h.enter(t, "alice", alicePassword, nil)
		h.pass(time.Hour)
		current, err := h.SessionBySecret(t.Context(), before) // what a browser that comes back holds
		if err != nil {
			t.Fatal(err)
		}
		second, after := h.enter(t, "alice", alicePassword, current)
		if second.ID != first.ID || after == before || !second.AuthTime.Equal(h.clock) || !second.CreatedAt.Equal(first.CreatedAt) || !second.ExpiresAt.Equal(first.ExpiresAt) {
			t.Errorf("renewed from %+v to %+v", first, second)
		}
		if _, err := h.SessionBySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the old cookie works: %v", err)
		}
		if found, err := h.SessionBySecret(t.Context(), after); err != nil || found.ID != first.ID {
			t.Errorf("the new cookie: %v", err)
		}
		if sessions, err := h.Sessions(t.Context(), first.UserID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
		if lines := h.lines(t, "session", "renewed"); len(lines) != 1 || lines[0].EntityID != first.ID.String() {
			t.Errorf("renewed: %+v", lines)
		}
		// A wrong password takes nothing away.
		if _, err := h.SignIn(t.Context(), SignIn{Login: "alice", Password: "wrong password", Device: laptop, Current: second}); !errors.Is(err, ErrSignInRefused) {
			t.Fatal(err)
		}
		if _, err := h.SessionBySecret(t.Context(), after); err != nil {
			t.Errorf("a wrong password ended the session: %v", err)
		}
	})
}

// Between reading the cookie and the password's check the session may end; then there is nothing to renew.
func TestASessionThatHasEndedIsNotRevived(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		ended, before := h.enter(t, "alice", alicePassword, nil)
		if err := h.EndSession(t.Context(), ended.UserID, ended.ID, EndedByOwner); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		session, secret := h.enter(t, "alice", alicePassword, ended)
		if session.ID == ended.ID || !session.CreatedAt.Equal(h.clock) || !session.ExpiresAt.Equal(h.clock.Add(h.SessionLifetime)) {
			t.Errorf("the session %+v was revived as %+v", ended, session)
		}
		if _, err := h.SessionBySecret(t.Context(), secret); err != nil {
			t.Error(err)
		}
		if _, err := h.SessionBySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the old cookie: %v", err)
		}
	})
}

func TestAnotherPersonReplacesTheSession(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		bob := h.register(t, NewUser{Username: "bob", Password: alicePassword})
		hers, before := h.enter(t, "alice", alicePassword, nil)
		elsewhere, phone := h.enter(t, "alice", alicePassword, nil)
		his, after := h.enter(t, "bob", alicePassword, hers)
		if his.ID == hers.ID || his.UserID != bob.ID || after == before {
			t.Errorf("%+v took over %+v", his, hers)
		}
		if _, err := h.SessionBySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("her session lives on in a browser that is his now: %v", err)
		}
		if _, err := h.SessionBySecret(t.Context(), phone); err != nil {
			t.Errorf("her other device was signed out: %v", err)
		}
		lines := h.lines(t, "session", "ended")
		if len(lines) != 1 || lines[0].EntityID != hers.ID.String() || lines[0].UserID.UUID != hers.UserID || !strings.Contains(string(lines[0].NewValues), EndedByReplacing) {
			t.Errorf("ended: %+v (the phone is %s)", lines, elsewhere.ID)
		}
	})
}

func TestTooManyFailuresFromOneAddress(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		for i := range maxFailuresPerSource {
			if err := h.try(t, fmt.Sprintf("nobody%d", i), "wrong password"); !errors.Is(err, ErrSignInRefused) {
				t.Fatalf("attempt %d: %v", i, err)
			}
		}
		for _, password := range []string{"wrong password", alicePassword} {
			if err := h.try(t, "alice", password); !errors.Is(err, ErrTooManySignIns) {
				t.Errorf("from the same address with %q: %v", password, err)
			}
		}
		elsewhere := laptop
		elsewhere.IP = "192.0.2.8"
		if _, err := h.SignIn(t.Context(), SignIn{Login: "alice", Password: alicePassword, Device: elsewhere}); err != nil {
			t.Errorf("from another address: %v", err)
		}
		h.pass(failureWindow)
		h.enter(t, "alice", alicePassword, nil)
	})
}

func TestRightPasswordsDoNotUseUpTheAddress(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		for range maxFailuresPerSource + 1 {
			h.enter(t, "alice", alicePassword, nil)
		}
	})
}

// Promise 4: nothing that opens a door is in the ledger, and of what is kept elsewhere only digests.
func TestNoSecretIsKeptInTheClear(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		const typo = "wrong but nearly right"
		alice := h.alice(t)
		_ = h.try(t, "alice", typo)
		session, first := h.enter(t, "alice", alicePassword, nil)
		session, second := h.enter(t, "alice", alicePassword, session)
		h.Hasher = NewHasher(128, 2, 8, time.Minute)
		session, third := h.enter(t, "alice", alicePassword, session)
		hash := h.read(t, alice.ID).PasswordHash
		for range 10 {
			_ = h.try(t, "alice", typo)
		}
		for _, err := range []error{
			h.UnlockUser(t.Context(), alice.ID), h.SetUserActive(t.Context(), alice.ID, false), h.SetUserActive(t.Context(), alice.ID, true),
			h.EndSession(t.Context(), alice.ID, session.ID, EndedByOwner),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.SignOutEverywhere(t.Context(), alice.ID, EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		ledger, sessions, users := h.dump(t, "audit_trail"), h.dump(t, "sessions"), h.dump(t, "users")
		if !strings.Contains(ledger, alice.ID.String()) || !strings.Contains(sessions, session.ID.String()) || !strings.Contains(users, "Alice") {
			t.Fatal("the tables were not read") // or the search below finds nothing in nothing
		}
		clear := map[string]string{"password": alicePassword, "mistyped password": typo, "first cookie": first, "second cookie": second, "third cookie": third}
		for name, secret := range clear {
			for table, text := range map[string]string{"audit_trail": ledger, "sessions": sessions, "users": users} {
				if strings.Contains(text, secret) {
					t.Errorf("the %s is in %s", name, table)
				}
			}
			digest := storage.Digest(secret)
			for _, form := range []string{string(digest), hex.EncodeToString(digest), base64.StdEncoding.EncodeToString(digest), base64.RawURLEncoding.EncodeToString(digest)} {
				if strings.Contains(ledger, form) {
					t.Errorf("the digest of the %s is in the ledger", name)
				}
			}
		}
		if !strings.Contains(users, hash) {
			t.Error("the password's hash is not where it belongs")
		}
		salt, key := strings.Split(hash, "$")[4], strings.Split(hash, "$")[5]
		for table, text := range map[string]string{"audit_trail": ledger, "sessions": sessions} {
			if strings.Contains(text, salt) || strings.Contains(text, key) || strings.Contains(text, "argon2") {
				t.Errorf("the password's hash is in %s", table)
			}
		}
	})
}
