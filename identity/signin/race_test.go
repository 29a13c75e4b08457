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
