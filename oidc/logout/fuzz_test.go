package logout_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A logout request leads back to nothing but an address that its app has registered, speaks of a session only by an ID
// token that we signed, and is the same when it comes back from the page that asks; nothing else is a fault. %I is such
// a token of the app "web", %A one that is for something else.
func FuzzLogoutRequest(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	const back = "https://app.example/signed-out?x=1"
	h.Add(f, &clients.Client{
		ID: "web", Name: "Web", RedirectURIs: []string{"https://app.example/callback"}, PostLogoutRedirectURIs: []string{back},
	})
	h.Add(f, &clients.Client{ID: "other", Name: "Other", RedirectURIs: []string{"https://other.example/callback"}})
	user, session := storage.NewID(), storage.NewID()
	hint, err := h.Keys.Sign(jose.EdDSA, tokens.IDTokenType, tokens.IDClaims{
		Issuer: oidctest.TestIssuer, Subject: user.String(), Audience: "web", SessionID: session.String(),
	})
	if err != nil {
		f.Fatal(err)
	}
	access, err := h.Tokens.SignAccessToken(f.Context(), tokens.AccessToken{
		Client: &clients.Client{ID: "web"}, Scopes: []string{"read"},
	}, h.Clock)
	if err != nil {
		f.Fatal(err)
	}
	recipe := strings.NewReplacer("%I", hint, "%A", access, "%B", url.QueryEscape(back))
	for _, query := range []string{
		"", "id_token_hint=%I", "id_token_hint=%I&post_logout_redirect_uri=%B&state=s", "id_token_hint=%A", "id_token_hint=%Ix", "client_id=web&post_logout_redirect_uri=%B", "client_id=other&post_logout_redirect_uri=%B",
		"client_id=other&id_token_hint=%I", "client_id=nobody", "post_logout_redirect_uri=%B", "client_id=web&post_logout_redirect_uri=%B%26y=2", "client_id=web&post_logout_redirect_uri=%B&state=%0d%0aSet-Cookie:x", "client_id=web&client_id=other",
		"id_token_hint=%I&id_token_hint=%I", "state=%00", "client_id=%ff", "x=1&x=2&id_token_hint=%I", "ui_locales=de&logout_hint=alice&client_id=web", "post_logout_redirect_uri=https://evil.example/&id_token_hint=%I",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(recipe.Replace(query))
		if err != nil {
			return
		}
		request, err := h.Logout.Read(t.Context(), form)
		if err != nil {
			var refused *oidc.Error
			if !errors.As(err, &refused) || refused.Status >= 500 {
				t.Fatalf("%q: a fault: %v", query, err)
			}
			return
		}
		if to := request.ReturnURL(); to != "" && to != back && to != back+"&state="+url.QueryEscape(form.Get("state")) {
			t.Fatalf("%q leads to %q", query, to)
		}
		proved := form.Get("id_token_hint") == hint
		if request.Names(session) != proved || request.Names(uuid.Nil) || !proved && request.SessionID != uuid.Nil {
			t.Fatalf("%q is %+v", query, request)
		}
		if proved && (request.Client == nil || request.Client.ID != "web") ||
			!proved && request.Client != nil && request.Client.ID != form.Get("client_id") {
			t.Fatalf("%q is of %+v", query, request.Client)
		}
		again, err := url.ParseQuery(request.Parameters())
		if err != nil {
			t.Fatal(err)
		}
		read, err := h.Logout.Read(t.Context(), again)
		if err != nil || read.ReturnURL() != request.ReturnURL() || read.SessionID != request.SessionID ||
			(read.Client == nil) != (request.Client == nil) {
			t.Fatalf("%q comes back as %+v, %v", query, read, err)
		}
	})
}
