package signin_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
)

// A browser whose answer was lost, with the new secret in it, is not signed out: the old one works until the new one is
// shown, and for some minutes at the most.
func TestOldSecretWorksUntilTheNewOneIsShown(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		change := func(cookie, from, to string) (renewed string) {
			t.Helper()
			session, err := h.Sessions().BySecret(t.Context(), cookie)
			if err != nil {
				t.Fatal(err)
			}
			renewed, err = h.SignIn.Passwords().Change(t.Context(), session, identitytest.Laptop, from, to)
			if err != nil {
				t.Fatal(err)
			}
			return renewed
		}
		const second, third = "purple elephants dance at noon", "green tortoises sing at dawn"
		_, old := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		arrived := change(old, identitytest.AlicePassword, second)
		// Until the new one is shown the old one shows pages, and changes nothing: whoever holds a copy of it gains nothing.
		session, err := h.Sessions().BySecret(t.Context(), old)
		if err != nil {
			t.Fatalf("the old secret is void, and the answer with the new one may be lost: %v", err)
		}
		if _, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, second, third,
		); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("another password by the old secret: %v", err)
		}
		if _, err := h.Emails().Add(
			t.Context(), h.Prove(t, session), "thief@example.com",
		); !errors.Is(err, identity.ErrSessionEnded) {
			t.Errorf("an address by the old secret: %v", err)
		}
		var wg sync.WaitGroup
		for range 8 { // a page and what is on it, all at once
			wg.Go(func() {
				if !h.IsLive(t, arrived) {
					t.Error("the new secret does not work")
				}
			})
		}
		wg.Wait()
		if h.IsLive(t, old) {
			t.Error("the old secret works after the new one was shown")
		}
		unseen := change(arrived, second, third)
		h.Pass(5*time.Minute + time.Second)
		if h.IsLive(t, arrived) {
			t.Error("the old secret works for ever where the new one is never shown")
		}
		if !h.IsLive(t, unseen) {
			t.Error("the new secret does not work after some minutes")
		}
		// Who signs in again has one secret, whatever was pending.
		current, err := h.Sessions().BySecret(t.Context(), unseen)
		if err != nil {
			t.Fatal(err)
		}
		lost := change(unseen, third, second)
		_, again := h.Enter(t, "alice", second, current)
		h.Pass(6 * time.Minute)
		if h.IsLive(t, lost) || !h.IsLive(t, again) {
			t.Errorf("after another sign-in: the lost secret is live %t, the new one %t", h.IsLive(t, lost), h.IsLive(t, again))
		}
	})
}
