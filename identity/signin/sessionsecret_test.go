package signin_test

import (
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity/identitytest"
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
		lost := change(old, identitytest.AlicePassword, second)
		if !h.IsLive(t, old) {
			t.Error("the old secret is void, and the answer with the new one was lost")
		}
		arrived := change(old, second, third)
		if h.IsLive(t, lost) {
			t.Error("a secret that was replaced before it was shown works")
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
		unseen := change(arrived, third, second)
		h.Pass(5*time.Minute + time.Second)
		if h.IsLive(t, arrived) {
			t.Error("the old secret works for ever where the new one is never shown")
		}
		if !h.IsLive(t, unseen) {
			t.Error("the new secret does not work after some minutes")
		}
	})
}
