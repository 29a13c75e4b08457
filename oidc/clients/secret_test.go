package clients_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
)

// newApp is an app that uses its secret alone.
func newApp(id string) *clients.Client {
	return &clients.Client{ID: id, Name: "App", GrantTypes: []string{oidc.GrantClientCredentials}}
}

// isAdmitted tells whether a client may come with that secret.
func isAdmitted(t *testing.T, h *oidctest.Stack, id, secret string) bool {
	t.Helper()
	request := oidc.Request{Header: http.Header{}, Form: url.Values{"client_id": {id}, "client_secret": {secret}}}
	_, err := h.Clients.Admit(t.Context(), "token", request)
	if refused := (*oidc.Error)(nil); err != nil && (!errors.As(err, &refused) || refused.Code != "invalid_client") {
		t.Fatal(err)
	}
	return err == nil
}

func TestRotatedSecret(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		first, err := h.Clients.Create(t.Context(), newApp("app"))
		if err != nil {
			t.Fatal(err)
		}
		rotate := func(keepOld time.Duration) string {
			t.Helper()
			h.Pass(time.Second)
			_, secret, err := h.Clients.RotateSecret(t.Context(), "app", keepOld)
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		good := func(what string, want map[string]bool) {
			t.Helper()
			for secret, want := range want {
				if got := isAdmitted(t, h, "app", secret); got != want {
					t.Errorf("%s: %q is good: %t, want %t", what, secret, got, want)
				}
			}
		}
		second := rotate(24 * time.Hour)
		good("rotated", map[string]bool{first: true, second: true, "": false, "else": false})
		third := rotate(24 * time.Hour)
		good("rotated again", map[string]bool{first: false, second: true, third: true})
		if n, err := h.Clients.ForgetOldSecrets(t.Context()); n != 0 || err != nil {
			t.Errorf("forgot %d secrets that are good, %v", n, err)
		}
		h.Pass(24 * time.Hour)
		good("a day later", map[string]bool{second: false, third: true})
		if n, err := h.Clients.ForgetOldSecrets(t.Context()); n != 1 || err != nil {
			t.Errorf("forgot %d old secrets, %v; want 1", n, err)
		}
		client, err := h.Clients.Fresh(t.Context(), "app")
		if err != nil || client.PreviousSecretHash != nil || client.PreviousSecretUntil != nil ||
			!client.ModifiedAt.Equal(h.Clock) {
			t.Errorf("after upkeep: %+v, %v", client, err)
		}
		fourth := rotate(0)
		good("at once", map[string]bool{third: false, fourth: true})

		fifth := rotate(time.Hour)
		if _, _, err := h.Clients.Update(t.Context(), "app", func(c *clients.Client) error {
			c.Name = "Renamed"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		good("changed while rotating", map[string]bool{fourth: true, fifth: true})

		for _, keepOld := range []time.Duration{-1, clients.MaxKeptSecret + 1} {
			if _, _, err := h.Clients.RotateSecret(t.Context(), "app", keepOld); !errors.Is(err, clients.ErrClient) {
				t.Errorf("kept for %s: %v", keepOld, err)
			}
		}
		h.NewSigningApp(t, "signer")
		if _, _, err := h.Clients.RotateSecret(t.Context(), "signer", 0); !errors.Is(err, clients.ErrNoSecret) {
			t.Errorf("of an app that signs: %v", err)
		}
		if _, _, err := h.Clients.RotateSecret(t.Context(), "nobody", 0); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

// Of many that rotate a secret at once, those that succeed do so one after the other, and the last secret is good.
func TestRotatedByManyAtOnce(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if _, err := h.Clients.Create(t.Context(), newApp("app")); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Second) // then the clock stands still: what was read before one has won cannot win any more
		var won atomic.Int64
		var wg sync.WaitGroup
		var mu sync.Mutex
		secrets := map[string]bool{}
		for range 20 {
			wg.Go(func() {
				_, secret, err := h.Clients.RotateSecret(t.Context(), "app", time.Hour)
				if err == nil {
					won.Add(1)
					mu.Lock()
					secrets[secret] = true
					mu.Unlock()
				} else if !errors.Is(err, clients.ErrClientChanged) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		good := 0
		for secret := range secrets {
			if isAdmitted(t, h, "app", secret) {
				good++
			}
		}
		if won.Load() == 0 || good == 0 || good > 2 {
			t.Errorf("%d rotated it, and %d of their secrets are good", won.Load(), good)
		}
	})
}

// What is declared is the secret from then on, also while another was being rotated in.
func TestDeclaredSecretEndsRotation(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		declare := func(declared []clients.Declaration) {
			t.Helper()
			if _, _, err := h.Clients.Declare(t.Context(), declared); err != nil {
				t.Fatal(err)
			}
		}
		declare(wanted())
		h.Pass(time.Second)
		_, rotated, err := h.Clients.RotateSecret(t.Context(), "web", time.Hour)
		if err != nil || !isAdmitted(t, h, "web", rotated) || !isAdmitted(t, h, "web", declaredSecret) {
			t.Fatalf("rotated: %v", err)
		}
		declare(wanted())
		if isAdmitted(t, h, "web", rotated) || !isAdmitted(t, h, "web", declaredSecret) {
			t.Error("declared again, and the secret is not what is declared")
		}
		if web, err := h.Clients.Fresh(t.Context(), "web"); err != nil || web.PreviousSecretHash != nil {
			t.Errorf("%+v, %v", web, err)
		}
	})
}

// A client that changes in another process works at once, and wrong credentials do not make the database be read more
// often than once a second.
func TestClientChangedElsewhere(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		elsewhere := clients.New(h.Provider, h.Keys, false, slog.New(slog.DiscardHandler))
		renew := func() (secret string) {
			t.Helper()
			h.Pass(10 * time.Millisecond)
			err := elsewhere.Delete(t.Context(), "app")
			if err == nil || errors.Is(err, storage.ErrNotFound) {
				secret, err = elsewhere.Create(t.Context(), newApp("app"))
			}
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		first := renew()
		if !isAdmitted(t, h, "app", first) { // and it is remembered
			t.Fatal("the first secret is wrong")
		}
		second := renew()
		if !isAdmitted(t, h, "app", second) || isAdmitted(t, h, "app", first) {
			t.Error("made again: the old secret is good, and not the new one")
		}
		third := renew()
		if isAdmitted(t, h, "app", third) {
			t.Error("it was read twice within a second")
		}
		if h.Pass(time.Second); !isAdmitted(t, h, "app", third) {
			t.Error("a second later it is not read again")
		}
		h.Pass(time.Second)
		if err := elsewhere.Delete(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		if isAdmitted(t, h, "app", "wrong") || isAdmitted(t, h, "app", third) {
			t.Error("it is deleted, was looked for, and works")
		}

		// one that signs has other keys, or a secret now
		app := h.NewSigningApp(t, "signer")
		if code := h.Present(t, oidctest.Assertion(t, jose.ES256, app.Private, app.KID, h.Claims(app)), nil); code != "" {
			t.Fatal(code)
		}
		h.Pass(10 * time.Millisecond)
		var secret string
		_, secret, err := elsewhere.Update(t.Context(), "signer", func(c *clients.Client) error {
			c.AuthMethod = clients.AuthPost
			return nil
		})
		if err != nil || !isAdmitted(t, h, "signer", secret) {
			t.Errorf("it has a secret now, which is wrong: %v", err)
		}
	})
}

// Somebody who changes a client that somebody else changes meanwhile is told so, and changes nothing.
func TestClientChangedMeanwhile(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, newApp("app"))
		h.Pass(time.Second)
		named := func(name string) func(*clients.Client) error {
			return func(c *clients.Client) error { c.Name = name; return nil }
		}
		_, _, err := h.Clients.Update(t.Context(), "app", func(c *clients.Client) error {
			c.Name = "Mine"
			_, _, err := h.Clients.Update(t.Context(), "app", named("Theirs"))
			return err
		})
		client, readErr := h.Clients.Fresh(t.Context(), "app")
		if !errors.Is(err, clients.ErrClientChanged) || readErr != nil || client.Name != "Theirs" {
			t.Errorf("%v, %+v, %v", err, client, readErr)
		}
	})
}

// What a client cannot be registered for it cannot be changed to either.
func TestUpdateHoldsToWhatTheServerOffers(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, &clients.Client{ID: "app", Name: "App", RedirectURIs: []string{"https://app.example/cb"}})
		front := func(c *clients.Client) error { c.ResponseTypes = []string{"id_token"}; return nil }
		h.Pass(time.Second)
		if _, _, err := h.Clients.Update(t.Context(), "app", front); !errors.Is(err, clients.ErrClient) {
			t.Errorf("a response type that is not offered: %v", err)
		}
		h.AllResponseTypes = true
		if _, _, err := h.Clients.Update(t.Context(), "app", front); err != nil {
			t.Errorf("one that is: %v", err)
		}
	})
}
