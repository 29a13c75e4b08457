package signin_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestSignInByEachName(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		h.Register(t, identity.NewUser{Username: "bob", Email: "bob@example.com", Password: identitytest.AlicePassword})
		for login, allowed := range map[string]bool{
			"Alice": true, "alice": true, " alice ": true, "ALICE": true, "alice@example.com": true, "Alice@EXAMPLE.com": true,
			"bob": true, "bob@example.com": false, // not verified: anyone may claim it
			alice.ID.String(): false, "": false, "nobody": false, "nobody@example.com": false, "a b": false, "%": false,
			"alice' --": false,
		} {
			admission, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{
				Login: login, Password: identitytest.AlicePassword, Device: identitytest.Laptop,
			})
			switch {
			case allowed &&
				(err != nil ||
					!strings.EqualFold(
						admission.Session.User.Username, strings.TrimSpace(strings.Split(login, "@")[0]),
					) || len(admission.Secret) < 43):
				t.Errorf("%q: %v", login, err)
			case !allowed && (!errors.Is(err, signin.ErrRefused) || admission != nil):
				t.Errorf("%q: %v, want a refusal", login, err)
			}
		}
	})
}

func TestSignInMakesASessionAndANote(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		h.Pass(time.Hour)
		if err := h.Try(t, "alice", "wrong password"); !errors.Is(err, signin.ErrRefused) {
			t.Fatal(err)
		}
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if live, err := h.Sessions().BySecret(t.Context(), secret); err != nil || live.ID != session.ID ||
			live.User.Username != "Alice" {
			t.Fatalf("by its cookie: %+v, %v", live, err)
		}
		sessions, err := h.Sessions().List(t.Context(), alice.ID) // the whole row
		if err != nil || len(sessions) != 1 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		found := sessions[0]
		if found.ID != session.ID || found.UserID != alice.ID || !found.AuthTime.Equal(h.Clock) ||
			found.ACR != identity.ACRPassword || fmt.Sprint(found.AMR) != "[pwd]" ||
			found.DeviceLabel != "Firefox on Linux" || found.IP != identitytest.Laptop.IP || found.SessionVersion != 1 ||
			!found.ExpiresAt.Equal(h.Clock.Add(h.SignIn.SessionLifetime)) {
			t.Errorf("session %+v", found)
		}
		if user := h.Read(t, alice.ID); user.FailedLoginAttempts != 0 || user.LastLoginAt == nil ||
			!user.LastLoginAt.Equal(h.Clock) || user.LastLoginIP != identitytest.Laptop.IP {
			t.Errorf("after a sign-in: %+v", user)
		}
		if lines := h.Lines(t, "session", "started"); len(lines) != 1 || lines[0].EntityID != session.ID.String() ||
			lines[0].UserID.UUID != alice.ID {
			t.Errorf("started: %+v", lines)
		}
		if refused := h.Refused(t); len(refused) != 1 || refused[0].UserID.UUID != alice.ID ||
			refused[0].FailureReason != signin.FailedPassword {
			t.Errorf("refused: %+v", refused)
		}
	})
}

// Whoever the sign-in turns out to be of did it, the audit trail says.
func TestTheLedgerNamesWhoSignedIn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		ctx := audit.As(t.Context(), audit.Actor{Name: "anonymous", IP: identitytest.Laptop.IP, RequestID: "r1"})
		if _, err := h.SignIn.WithPassword(
			ctx, signin.Attempt{Login: "nobody", Password: identitytest.AlicePassword, Device: identitytest.Laptop},
		); !errors.Is(err, signin.ErrRefused) {
			t.Fatal(err)
		}
		if _, err := h.SignIn.WithPassword(
			ctx, signin.Attempt{Login: "alice", Password: identitytest.AlicePassword, Device: identitytest.Laptop},
		); err != nil {
			t.Fatal(err)
		}
		refused, started := h.Refused(t), h.Lines(t, "session", "started")
		if len(refused) != 1 || refused[0].UserID.Valid || strings.Contains(refused[0].Username, "nobody") ||
			refused[0].IPAddress != identitytest.Laptop.IP || refused[0].FailureReason != signin.FailedUnknown {
			t.Errorf("refused: %+v", refused)
		}
		if len(started) != 1 || started[0].Actor != alice.Actor() || started[0].IP != identitytest.Laptop.IP ||
			started[0].RequestID != "r1" {
			t.Errorf("started: %+v", started)
		}
	})
}

func TestDisabledAccountIsRefusedWithTheRightPassword(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		if err := h.Users().SetActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := h.Try(t, "alice", identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("disabled: %v", err)
		}
		if refused := h.Refused(t); len(refused) != 1 || refused[0].FailureReason != signin.FailedDisabled {
			t.Errorf("refused: %+v", refused)
		}
		if err := h.Users().SetActive(t.Context(), alice.ID, true); err != nil {
			t.Fatal(err)
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
	})
}

func TestAnAccountWithoutAPasswordCannotSignIn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Register(t, identity.NewUser{Username: "bob"})
		for _, password := range []string{"", identitytest.AlicePassword} {
			if err := h.Try(t, "bob", password); !errors.Is(err, signin.ErrRefused) {
				t.Errorf("%q: %v", password, err)
			}
		}
	})
}

func TestLockBeginsAndExpires(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		fail := func(n int) {
			t.Helper()
			for range n {
				if err := h.Try(t, "alice", "wrong password"); !errors.Is(err, signin.ErrRefused) {
					t.Fatal(err)
				}
			}
		}
		fail(9)
		if h.Read(t, alice.ID).IsLocked(h.Clock) {
			t.Error("locked after nine")
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil) // and the count begins anew
		fail(9)
		if h.Read(t, alice.ID).IsLocked(h.Clock) {
			t.Error("the right password in between does not count")
		}
		fail(1)
		if user := h.Read(t, alice.ID); !user.IsLocked(h.Clock) ||
			!user.LockedUntil.Equal(h.Clock.Add(h.SignIn.LockDuration)) {
			t.Errorf("ten in a row do not lock: %+v", user)
		}
		h.Pass(h.SignIn.LockDuration - time.Microsecond)
		if err := h.Try(t, "alice", identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("the right password while locked: %v", err)
		}
		if err := h.Try(t, "alice@example.com", identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("by e-mail while locked: %v", err)
		}
		if n := h.Read(t, alice.ID).FailedLoginAttempts; n != 10 {
			t.Errorf("right passwords while locked were counted as wrong ones: %d", n)
		}
		h.Pass(time.Microsecond)
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if user := h.Read(t, alice.ID); user.LockedUntil != nil || user.FailedLoginAttempts != 0 {
			t.Errorf("after the lock: %+v", user)
		}
		if n := len(h.Lines(t, "user", "locked")); n != 1 {
			t.Errorf("locked %d times, the audit trail says", n)
		}
	})
}

func TestUnlockingOpensAtOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		for range 10 {
			_ = h.Try(t, "alice", "wrong password")
		}
		if err := h.Try(t, "alice", identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Fatalf("not locked: %v", err)
		}
		if err := h.Users().Unlock(t.Context(), alice.ID); err != nil {
			t.Fatal(err)
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
	})
}

// Fifteen at once around the threshold of ten: every one counts, and the account is locked once.
func TestParallelWrongPasswordsAreCountedExactly(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 15 {
			wg.Go(func() {
				<-start
				if err := h.Try(t, "alice", "wrong password"); !errors.Is(err, signin.ErrRefused) {
					t.Errorf("a wrong password: %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		user := h.Read(t, alice.ID)
		if user.FailedLoginAttempts != 15 || !user.IsLocked(h.Clock) {
			t.Errorf("%d wrong passwords counted, locked %v", user.FailedLoginAttempts, user.IsLocked(h.Clock))
		}
		lines := h.Lines(t, "user", "locked")
		if len(lines) != 1 ||
			!strings.Contains(strings.ReplaceAll(string(lines[0].NewValues), " ", ""), `"failed_login_attempts":10`) {
			t.Errorf("locked: %+v", lines)
		}
		if n := len(h.Refused(t)); n != 15 {
			t.Errorf("%d refusals noted", n)
		}
	})
}

func TestOutdatedHashIsRenewedByASignIn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		old := h.Read(t, alice.ID).PasswordHash
		h.Hasher = password.NewHasher(128, 2, 8, 30*time.Second)
		_ = h.Try(t, "alice", "wrong password")
		if h.Read(t, alice.ID).PasswordHash != old {
			t.Error("a wrong password renewed the hash")
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
		renewed := h.Read(t, alice.ID).PasswordHash
		if !strings.Contains(renewed, "m=128,t=2") {
			t.Errorf("hash %s", renewed)
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if h.Read(t, alice.ID).PasswordHash != renewed {
			t.Error("a hash of today was renewed")
		}
	})
}

func TestSigningInAgainRenewsTheSession(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		first, before := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(time.Hour)
		current, err := h.Sessions().BySecret(t.Context(), before) // what a browser that comes back holds
		if err != nil {
			t.Fatal(err)
		}
		second, after := h.Enter(t, "alice", identitytest.AlicePassword, current)
		if second.ID != first.ID || after == before || !second.AuthTime.Equal(h.Clock) ||
			!second.CreatedAt.Equal(first.CreatedAt) || !second.ExpiresAt.Equal(first.ExpiresAt) {
			t.Errorf("renewed from %+v to %+v", first, second)
		}
		if _, err := h.Sessions().BySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the old cookie works: %v", err)
		}
		if found, err := h.Sessions().BySecret(t.Context(), after); err != nil || found.ID != first.ID {
			t.Errorf("the new cookie: %v", err)
		}
		if sessions, err := h.Sessions().List(t.Context(), first.UserID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
		if lines := h.Lines(t, "session", "renewed"); len(lines) != 1 || lines[0].EntityID != first.ID.String() {
			t.Errorf("renewed: %+v", lines)
		}
		// A wrong password takes nothing away.
		if _, err := h.SignIn.WithPassword(
			t.Context(),
			signin.Attempt{Login: "alice", Password: "wrong password", Device: identitytest.Laptop, Current: second},
		); !errors.Is(err, signin.ErrRefused) {
			t.Fatal(err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), after); err != nil {
			t.Errorf("a wrong password ended the session: %v", err)
		}
	})
}

// Between reading the cookie and the password's check the session may end; then there is nothing to renew.
func TestASessionThatHasEndedIsNotRevived(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		ended, before := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if err := h.Sessions().End(t.Context(), ended.UserID, ended.ID, identity.EndedByOwner); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Minute)
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, ended)
		if session.ID == ended.ID || !session.CreatedAt.Equal(h.Clock) ||
			!session.ExpiresAt.Equal(h.Clock.Add(h.SignIn.SessionLifetime)) {
			t.Errorf("the session %+v was revived as %+v", ended, session)
		}
		if _, err := h.Sessions().BySecret(t.Context(), secret); err != nil {
			t.Error(err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the old cookie: %v", err)
		}
	})
}

func TestAnotherPersonReplacesTheSession(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		hers, before := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		elsewhere, phone := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		his, after := h.Enter(t, "bob", identitytest.AlicePassword, hers)
		if his.ID == hers.ID || his.UserID != bob.ID || after == before {
			t.Errorf("%+v took over %+v", his, hers)
		}
		if _, err := h.Sessions().BySecret(t.Context(), before); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("her session lives on in a browser that is his now: %v", err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), phone); err != nil {
			t.Errorf("her other device was signed out: %v", err)
		}
		lines := h.Lines(t, "session", "ended")
		if len(lines) != 1 || lines[0].EntityID != hers.ID.String() || lines[0].UserID.UUID != hers.UserID ||
			!strings.Contains(string(lines[0].NewValues), identity.EndedByReplacing) {
			t.Errorf("ended: %+v (the phone is %s)", lines, elsewhere.ID)
		}
	})
}

func TestTooManyFailuresFromOneAddress(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		for i := range signin.MaxFailuresPerSource {
			if err := h.Try(t, fmt.Sprintf("nobody%d", i), "wrong password"); !errors.Is(err, signin.ErrRefused) {
				t.Fatalf("attempt %d: %v", i, err)
			}
		}
		for _, password := range []string{"wrong password", identitytest.AlicePassword} {
			if err := h.Try(t, "alice", password); !errors.Is(err, identity.ErrTooManyAttempts) {
				t.Errorf("from the same address with %q: %v", password, err)
			}
		}
		elsewhere := identitytest.Laptop
		elsewhere.IP = "192.0.2.8"
		if _, err := h.SignIn.WithPassword(
			t.Context(), signin.Attempt{Login: "alice", Password: identitytest.AlicePassword, Device: elsewhere},
		); err != nil {
			t.Errorf("from another address: %v", err)
		}
		h.Pass(identity.FailureWindow)
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
	})
}

func TestRightPasswordsDoNotUseUpTheAddress(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		for range signin.MaxFailuresPerSource + 1 {
			h.Enter(t, "alice", identitytest.AlicePassword, nil)
		}
	})
}

// Promise 4: no secret is in the audit trail, and of what is kept elsewhere only digests.
func TestNoSecretIsKeptInTheClear(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		const typo = "wrong but nearly right"
		alice := h.Alice(t)
		_ = h.Try(t, "alice", typo)
		session, first := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		session, second := h.Enter(t, "alice", identitytest.AlicePassword, session)
		h.Hasher = password.NewHasher(128, 2, 8, time.Minute)
		session, third := h.Enter(t, "alice", identitytest.AlicePassword, session)
		hash := h.Read(t, alice.ID).PasswordHash
		for range 10 {
			_ = h.Try(t, "alice", typo)
		}
		for _, err := range []error{
			h.Users().Unlock(t.Context(), alice.ID), h.Users().SetActive(t.Context(), alice.ID, false),
			h.Users().SetActive(t.Context(), alice.ID, true),
			h.Sessions().End(t.Context(), alice.ID, session.ID, identity.EndedByOwner),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		trail, sessions, users := h.Dump(t, "audit_trail"), h.Dump(t, "sessions"), h.Dump(t, "users")
		if !strings.Contains(trail, alice.ID.String()) || !strings.Contains(sessions, session.ID.String()) ||
			!strings.Contains(users, "Alice") {
			t.Fatal("the tables were not read") // or the search below finds nothing in nothing
		}
		clear := map[string]string{
			"password": identitytest.AlicePassword, "mistyped password": typo, "first cookie": first, "second cookie": second,
			"third cookie": third,
		}
		for name, secret := range clear {
			for table, text := range map[string]string{"audit_trail": trail, "sessions": sessions, "users": users} {
				if strings.Contains(text, secret) {
					t.Errorf("the %s is in %s", name, table)
				}
			}
			digest := storage.Digest(secret)
			for _, form := range []string{
				string(digest), hex.EncodeToString(digest), base64.StdEncoding.EncodeToString(digest), base64.RawURLEncoding.EncodeToString(digest),
			} {
				if strings.Contains(trail, form) {
					t.Errorf("the digest of the %s is in the audit trail", name)
				}
			}
		}
		if !strings.Contains(users, hash) {
			t.Error("the password's hash is not where it belongs")
		}
		salt, key := strings.Split(hash, "$")[4], strings.Split(hash, "$")[5]
		for table, text := range map[string]string{"audit_trail": trail, "sessions": sessions} {
			if strings.Contains(text, salt) || strings.Contains(text, key) || strings.Contains(text, "argon2") {
				t.Errorf("the password's hash is in %s", table)
			}
		}
	})
}

// A stranger must not learn from the time whether there is such an account. Medians, and a wide margin: this compares
// one argon2 with none, not microseconds. What is computed counts, for a busy machine lets some wait and others not.
func TestUnknownNamesTakeAsLongAsWrongPasswords(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Hasher = password.NewHasher(19*1024, 2, 1, time.Minute)
		h.Alice(t)
		h.Register(t, identity.NewUser{Username: "bob"}) // has no password
		took := map[string][]time.Duration{}
		logins := []string{"alice", "nobody", "bob", "nobody@example.com", "not a name"}
		for range 15 {
			for _, login := range logins { // by turns, so that a busy machine is busy for all
				before := storagetest.Computed()
				if err := h.Try(t, login, "wrong password"); !errors.Is(err, signin.ErrRefused) {
					t.Fatal(err)
				}
				took[login] = append(took[login], storagetest.Computed()-before)
			}
		}
		median := func(login string) time.Duration {
			slices.Sort(took[login])
			return took[login][len(took[login])/2]
		}
		known := median("alice")
		for _, login := range logins[1:] {
			if other := median(login); other > 2*known || known > 2*other {
				t.Errorf("a wrong password takes %s, %q takes %s", known, login, other)
			}
		}
	})
}
