package identity_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// Text messages cost money: many accounts together get no more of them than a network, a country and a day may have.
func TestTextMessagesOfManyAccountsAreBounded(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Mails, h.TextRule = true, identity.TextRule{Daily: 50}
		people := 0
		// send has somebody new ask for a message to a number.
		send := func(number, ip string, verified bool) error {
			t.Helper()
			people++
			name := fmt.Sprintf("person%d", people)
			user := h.Register(t, identity.NewUser{
				Username: name, Password: identitytest.AlicePassword, Email: name + "@example.com", EmailVerified: verified,
			})
			_, err := h.Phones().Add(audit.As(t.Context(), audit.Actor{IP: ip}), h.Proven(t, user), number)
			return err
		}
		german := func(i int) string { return fmt.Sprintf("+491511234%04d", i) }
		if err := send(german(0), "192.0.2.1", false); !errors.Is(err, identity.ErrEmailFirst) {
			t.Errorf("without a verified address: %v", err)
		}
		for _, number := range []string{"+88213123456", "+499001123456", "+80012345678", "+15550100199"} {
			if err := send(number, "192.0.2.1", true); !errors.Is(err, identity.ErrUntexted) {
				t.Errorf("to %s: %v", number, err)
			}
		}
		for i := range 50 {
			err := send(german(i), fmt.Sprintf("198.51.100.%d", i), true)
			if want := map[bool]error{true: nil, false: identity.ErrTextsExhausted}[i < 25]; !errors.Is(err, want) {
				t.Fatalf("message %d to one country: %v", i+1, err)
			}
		}
		for i := range 26 { // what a wide limit refuses is not spent of the narrow ones
			err := send(fmt.Sprintf("+43664123%04d", i), "203.0.113.1", true)
			if want := map[bool]error{true: nil, false: identity.ErrTextsExhausted}[i < 25]; !errors.Is(err, want) {
				t.Fatalf("message %d to another country, from one network: %v", i+1, err)
			}
		}
		if err := send("+41791234567", "192.0.2.2", true); !errors.Is(err, identity.ErrTextsExhausted) {
			t.Errorf("to a third country: %v", err)
		}
		h.Cache = cache.NewLocal(h.Now) // as after a restart, or with a Redis that was lost
		if err := send("+41791234567", "192.0.2.2", true); !errors.Is(err, identity.ErrTextsExhausted) {
			t.Errorf("with an empty cache: %v", err)
		}
		h.Pass(identity.TextWindow)
		if err := send("+41791234567", "192.0.2.2", true); err != nil {
			t.Errorf("a day later: %v", err)
		}
		h.TextRule.Daily = 1000
		for i := range 31 {
			err := send(fmt.Sprintf("+43664124%04d", i), "203.0.113.2", true)
			if want := map[bool]error{true: nil, false: identity.ErrTooManyTexts}[i < 30]; !errors.Is(err, want) {
				t.Fatalf("message %d from one network: %v", i+1, err)
			}
		}
	})
}

// An operator who names one country gives it all of the day's messages, and no other any.
func TestTextMessagesToOneCountry(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.TextRule = identity.TextRule{Countries: []string{"DE"}, Daily: 2}
		alice := h.Alice(t)
		for _, step := range []struct {
			number string
			want   error
		}{
			{"+436641234567", identity.ErrUntexted}, {"+4915112345671", nil}, {"+4915112345672", nil},
			{"+4915112345673", identity.ErrTextsExhausted},
		} {
			if _, err := h.Phones().Add(t.Context(), h.Proven(t, alice), step.number); !errors.Is(err, step.want) {
				t.Errorf("to %s: %v, want %v", step.number, err, step.want)
			}
		}
	})
}

// Of many messages that are asked for at once as many go out as may.
func TestTextMessagesAtOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.TextRule = identity.TextRule{Countries: []string{"DE"}, Daily: 5}
		var people []*identity.Reauthenticated
		for i := range 15 {
			people = append(people, h.Proven(t, h.Register(t, identity.NewUser{Username: fmt.Sprintf("person%d", i)})))
		}
		var sent atomic.Int64
		var wg sync.WaitGroup
		for i, by := range people {
			wg.Go(func() {
				switch _, err := h.Phones().Add(t.Context(), by, fmt.Sprintf("+491511234%04d", i)); {
				case err == nil:
					sent.Add(1)
				case !errors.Is(err, identity.ErrTextsExhausted):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sent.Load() != 5 {
			t.Errorf("%d messages were sent, want 5", sent.Load())
		}
	})
}
