package signin_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
)

// Twenty tabs add one address: it is there once, and the others are told that it is.
func TestManyTabsAddOneEmail(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		outcomes := make(chan error, 20)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				<-start
				_, err := h.Emails().Add(t.Context(), h.Proven(t, alice), "alice@work.example")
				outcomes <- err
			})
		}
		close(start)
		wg.Wait()
		close(outcomes)
		added := 0
		for err := range outcomes {
			switch {
			case err == nil:
				added++
			case !errors.Is(err, identity.ErrEmailListed) && !errors.Is(err, identity.ErrTooManySendings):
				t.Errorf("a tab heard: %v", err)
			}
		}
		emails, err := h.Emails().List(t.Context(), alice.ID)
		if err != nil || added != 1 || len(emails) != 2 {
			t.Errorf("added %d times, %d addresses, %v", added, len(emails), err)
		}
	})
}

// A reset and sign-ins with the old password at once: whatever comes first, afterwards nobody is signed in by the old
// one.
func TestResetRacesSignIns(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		h.Exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
			token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
		start := make(chan struct{})
		secrets, resets := make(chan string, 10), make(chan error, 2)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				<-start
				admission, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{
					Login: "alice", Password: identitytest.AlicePassword, Device: identitytest.Laptop,
				})
				if err == nil {
					secrets <- admission.Secret
				} else if !errors.Is(err, signin.ErrRefused) {
					t.Error(err)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				<-start
				_, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
					Secret: secret, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
				})
				resets <- err
			})
		}
		close(start)
		wg.Wait()
		close(secrets)
		close(resets)
		won := 0
		for err := range resets {
			if err == nil {
				won++
			} else if !errors.Is(err, identity.ErrProof) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("the link worked %d times", won)
		}
		for cookie := range secrets {
			if _, err := h.Sessions().BySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("a session of the old password lives on: %v", err)
			}
		}
	})
}

// A second factor that is added while a link resets the password is demanded, though there was none when the link was
// looked at.
func TestResetHeedsAFactorAddedMeanwhile(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session := identitytest.NewSession(t, h.Store, alice)
		token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		h.Exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
			token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
		added := h.Meanwhile("SELECT user_id FROM password_reset_tokens", func() { h.App(t, session) })
		before := h.Read(t, alice.ID).PasswordHash
		_, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
			Secret: secret, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
		})
		if !errors.Is(err, identity.ErrProof) || !added() {
			t.Errorf("added meanwhile %t, reset: %v", added(), err)
		}
		if user := h.Read(t, alice.ID); user.PasswordHash != before || !user.TwoFactor {
			t.Error("the password was reset by the mail alone")
		}
	})
}

// Raising the session version voids a session before its row is ended: no password is chosen in it any more.
func TestPasswordIsNotChangedInASessionOfAnOldVersion(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Exec(t, "UPDATE users SET session_version = session_version + 1 WHERE id = ?", alice.ID)
		before := h.Read(t, alice.ID).PasswordHash
		_, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, identitytest.AlicePassword, "purple elephants dance at noon",
		)
		if !errors.Is(err, signin.ErrRefused) || h.Read(t, alice.ID).PasswordHash != before {
			t.Errorf("changed in a session of an old version: %v", err)
		}
	})
}
