package clients_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

const (
	declaredSecret = "0123456789abcdef0123456789abcdef"
	declaredJWKS   = `{"keys": [{"kty": "EC", "use": "sig", "kid": "k", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
)

// wanted is what an operator declares; anew each time, as from a file.
func wanted() []clients.Declaration {
	return []clients.Declaration{
		{Client: &clients.Client{
			ID: "web", Name: "Web app", RedirectURIs: []string{"https://app.example/callback"},
			Scopes: []string{"openid", "email"},
		}, Secret: declaredSecret},
		{Client: &clients.Client{
			ID: "spa", Name: "SPA", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://spa.example/"},
		}},
		{Client: &clients.Client{
			ID: "signer", Name: "Signer", AuthMethod: clients.AuthPrivateKeyJWT, JWKS: json.RawMessage(declaredJWKS),
			GrantTypes: []string{oidc.GrantClientCredentials},
		}},
	}
}

func TestDeclaredClients(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		declare := func(declarations []clients.Declaration, wantCreated, wantChanged []string) {
			t.Helper()
			created, changed, err := h.Clients.Declare(t.Context(), declarations)
			if err != nil || !slices.Equal(created, wantCreated) || !slices.Equal(changed, wantChanged) {
				t.Fatalf("created %v and changed %v, %v; want %v and %v", created, changed, err, wantCreated, wantChanged)
			}
		}
		h.Add(t, &clients.Client{ID: "by-hand", Name: "Made by hand", RedirectURIs: []string{"https://hand.example/"}})
		declare(wanted(), []string{"web", "spa", "signer"}, nil)
		web, err := h.Clients.ByID(t.Context(), "web") // now it is remembered, too
		if err != nil || string(web.SecretHash) != string(storage.Digest(declaredSecret)) ||
			!slices.Equal(web.GrantTypes, []string{oidc.GrantCode, oidc.GrantRefreshToken}) {
			t.Fatalf("%+v, %v", web, err)
		}

		h.Pass(time.Second)
		before := auditEntries(t, h)
		declare(wanted(), nil, nil)
		if after := auditEntries(t, h); len(after) != len(before) {
			t.Errorf("declared once more, and the audit trail grew by %d lines", len(after)-len(before))
		}

		altered := wanted()
		altered[0].Client.RedirectURIs = append(altered[0].Client.RedirectURIs, "https://app.example/second")
		altered[0].Secret = strings.Repeat("new secret ", 3)
		altered[1].Client.IsTrusted = true
		declare(altered, nil, []string{"web", "spa"})
		if web, err = h.Clients.ByID(t.Context(), "web"); err != nil || len(web.RedirectURIs) != 2 ||
			string(web.SecretHash) != string(storage.Digest(altered[0].Secret)) {
			t.Errorf("after the change: %+v, %v", web, err)
		}
		if !web.CreatedAt.Before(web.ModifiedAt) {
			t.Errorf("created at %s, modified at %s", web.CreatedAt, web.ModifiedAt)
		}
		changes := auditEntries(t, h)[len(before):]
		if len(changes) != 2 || changes[0].EntityID != "web" || changes[1].EntityID != "spa" {
			t.Fatalf("the audit trail says %+v", changes)
		}
		var old, shall map[string]any
		if err := errors.Join(
			json.Unmarshal(changes[0].OldValues, &old), json.Unmarshal(changes[0].NewValues, &shall),
		); err != nil {
			t.Fatal(err)
		}
		if len(old) != 1 || len(shall) != 2 || len(shall["redirect_uris"].([]any)) != 2 || shall["secret"] != "replaced" {
			t.Errorf("the audit trail says of web: from %v to %v", old, shall)
		}

		if err := h.Clients.Delete(t.Context(), "web"); err != nil {
			t.Fatal(err)
		}
		declare(altered, []string{"web"}, nil)
		declare(altered[1:], nil, nil) // what is declared no more stays
		clients, err := h.Clients.List(t.Context())
		if err != nil || len(clients) != 4 {
			t.Errorf("%d clients, %v; want 4", len(clients), err)
		}
	})
}

// Replicas that start together declare the same clients, and each is made once.
func TestDeclaredByManyAtOnce(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var made []string
		for range 20 {
			wg.Go(func() {
				created, changed, err := h.Clients.Declare(t.Context(), wanted())
				if err != nil || len(changed) > 0 {
					t.Errorf("changed %v, %v", changed, err)
				}
				mu.Lock()
				defer mu.Unlock()
				made = append(made, created...)
			})
		}
		wg.Wait()
		if slices.Sort(made); !slices.Equal(made, []string{"signer", "spa", "web"}) {
			t.Errorf("made %v", made)
		}
	})
}

// One that is wrong keeps all from being made, and every one that is wrong is named.
func TestWrongDeclarations(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		for name, c := range map[string]struct {
			wrong clients.Declaration
			want  string
		}{
			"no id": {clients.Declaration{
				Client: &clients.Client{Name: "X", RedirectURIs: []string{"https://x.example/"}}, Secret: declaredSecret,
			}, "needs a client_id"},
			"no redirect URI": {clients.Declaration{
				Client: &clients.Client{ID: "x", Name: "X"}, Secret: declaredSecret,
			}, `client "x"`},
			"no secret": {clients.Declaration{
				Client: &clients.Client{ID: "x", Name: "X", RedirectURIs: []string{"https://x.example/"}},
			}, "openssl rand -base64 32"},
			"a short secret": {clients.Declaration{
				Client: &clients.Client{ID: "x", Name: "X", RedirectURIs: []string{"https://x.example/"}}, Secret: "hunter2",
			}, "at least 32"},
			"trusted, and anybody could pass for it": {clients.Declaration{Client: &clients.Client{
				ID: "x", Name: "X", AuthMethod: clients.AuthNone, IsTrusted: true,
				RedirectURIs: []string{"https://x.example/", "com.example.x:/cb"},
			}}, `cannot be trusted with the redirect URI "com.example.x:/cb"`},
			"a needless secret": {clients.Declaration{
				Client: &clients.Client{
					ID: "x", Name: "X", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://x.example/"},
				},
				Secret: declaredSecret,
			},
				"the authentication method none takes none"},
			"twice": {clients.Declaration{
				Client: &clients.Client{
					ID: "spa", Name: "SPA", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://spa.example/"},
				},
			}, "declared twice"},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := h.Clients.Declare(t.Context(), append(wanted(), c.wrong))
				if !errors.Is(err, clients.ErrClient) || !strings.Contains(err.Error(), c.want) ||
					strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%v, want ErrClient with %q", err, c.want)
				}
				if clients, err := h.Clients.List(t.Context()); err != nil || len(clients) != 0 {
					t.Errorf("%d clients were made, %v", len(clients), err)
				}
			})
		}
	})
}

// auditEntries returns what was recorded of clients, oldest first.
func auditEntries(t testing.TB, h *oidctest.Stack) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	if err := h.Database.Reader().NewSelect().Model(&entries).
		Where("entity = 'client'").
		Order("id").Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if text := string(entry.NewValues); strings.Contains(text, declaredSecret) || strings.Contains(text, "secret_hash") {
			t.Errorf("the audit trail tells a secret: %s", text)
		}
	}
	return entries
}
