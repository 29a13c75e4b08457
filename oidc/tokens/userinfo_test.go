package tokens_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
)

// Userinfo is encrypted from the moment on at which an app is registered for it, though a process remembers the app as
// it was.
func TestUserinfoIsEncryptedAtOnce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &private.PublicKey, Use: "enc"}}})
		if err != nil {
			t.Fatal(err)
		}
		h.Add(t, &clients.Client{
			ID: "app", Name: "App", RedirectURIs: []string{"https://app.example/cb"}, UserinfoAlg: "ES256",
		})
		user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		session := identitytest.NewSession(t, h.Identity, user)
		grant := &oidc.Grant{
			ID: storage.NewID(), UserID: user.ID, ClientID: "app", SessionID: session.ID,
			SessionVersion: session.SessionVersion, Scopes: []string{"openid"}, AuthTime: h.Clock, AMR: []string{"pwd"},
			CreatedAt: h.Clock, ExpiresAt: h.Clock.Add(time.Hour),
		}
		if err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(grant).Exec(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		client, err := h.Clients.ByID(t.Context(), "app") // and it is remembered
		if err != nil {
			t.Fatal(err)
		}
		token, err := h.Tokens.SignAccessToken(t.Context(), tokens.AccessToken{
			Client: client, Grant: grant, Scopes: []string{"openid"},
		}, h.Clock)
		if err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Second)
		elsewhere := clients.New(h.Provider, h.Keys, false, slog.New(slog.DiscardHandler))
		if _, _, err := elsewhere.Update(t.Context(), "app", func(c *clients.Client) error {
			c.JWKS, c.UserinfoEncryption = set, clients.Encryption{Alg: string(jose.ECDH_ES)}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		answer, err := h.Tokens.Userinfo(t.Context(), tokens.Presented{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jose.ParseEncryptedCompact(answer.JWT, clients.KeyAlgs, clients.ContentAlgs)
		if err != nil {
			t.Fatalf("%v: %.40s", err, answer.JWT)
		}
		if _, err := parsed.Decrypt(private); err != nil {
			t.Error(err)
		}
	})
}
