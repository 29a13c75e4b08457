package protocol

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
)

// pairwise makes an app one of a sector: "localhost", or "127.0.0.1".
func pairwise(t *testing.T, sector string) func(*clients.Client) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode([]string{harness.RedirectURI})
	}))
	t.Cleanup(server.Close)
	return func(c *clients.Client) {
		c.SubjectType = clients.SubjectPairwise
		c.SectorIdentifierURI = strings.Replace(server.URL, "127.0.0.1", sector, 1)
	}
}

// The apps of a sector know a person by one sub in all that they are told, those of another by another one, and nobody
// by the public one.
func TestPairwiseApps(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, nil)
		here := pairwise(t, "localhost")
		first := h.AddClient(t, here)
		second := h.AddClient(t, func(c *clients.Client) { here(c); c.APIs = []string{orders, invoices} })
		elsewhere, public := h.AddClient(t, pairwise(t, "127.0.0.1")), h.AddClient(t, nil)
		b := h.NewBrowser(t)
		subjects := map[string]string{}
		for _, client := range []harness.Client{first, second, elsewhere, public} {
			answer := h.Redeem(t, client, b.Code(t, client, nil))
			renewed := h.Refresh(t, client, answer.Text("refresh_token"))
			sub, _ := harness.TokenClaims(t, answer.Text("id_token"))["sub"].(string)
			subjects[client.ID] = sub
			for name, got := range map[string]any{
				"access token":           harness.TokenClaims(t, answer.Text("access_token"))["sub"],
				"userinfo":               h.Userinfo(t, answer.Text("access_token")).JSON["sub"],
				"refreshed ID token":     harness.TokenClaims(t, renewed.Text("id_token"))["sub"],
				"refreshed access token": harness.TokenClaims(t, renewed.Text("access_token"))["sub"],
				"introspection": h.Call(t, oidc.PathIntrospect, client, url.Values{
					"token": {answer.Text("access_token")},
				}).JSON["sub"],
				"introspected refresh token": h.Call(t, oidc.PathIntrospect, client, url.Values{
					"token": {renewed.Text("refresh_token")},
				}).JSON["sub"],
			} {
				if got != sub {
					t.Errorf("%s: %v, and the ID token says %q", name, got, sub)
				}
			}
		}
		alice := h.User.ID.String()
		if subjects[first.ID] != subjects[second.ID] || subjects[first.ID] == subjects[elsewhere.ID] ||
			subjects[first.ID] == alice || subjects[elsewhere.ID] == alice || subjects[public.ID] != alice {
			t.Errorf("known as %v, and publicly as %s", subjects, alice)
		}

		// Tokens for APIs can be read by the app, too: there is no other name in them.
		code := codeFor(t, b, second, url.Values{"resource": {orders, invoices}, "scope": {"openid offline_access read"}},
			"offline_access", orders+" read", invoices+" read")
		for _, api := range []string{orders, invoices} {
			form := url.Values{
				"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
				"code_verifier": {harness.CodeVerifier}, "resource": {api},
			}
			if api == invoices {
				form = url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {code}, "resource": {api}}
			}
			answer := h.Call(t, oidc.PathToken, second, form)
			_, claims := claimsOf(t, answer.Text("access_token"))
			if claims["sub"] != subjects[second.ID] || fmt.Sprint(claims["aud"]) != "["+api+"]" {
				t.Errorf("at %s: %v", api, claims)
			}
			code = answer.Text("refresh_token")
		}
	})
}

// An app may say whom it expects by the sub that it knows, and by no other.
func TestWhomAPairwiseAppExpects(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, pairwise(t, "localhost")), h.AddClient(t, pairwise(t, "127.0.0.1"))
		public := h.AddClient(t, nil)
		b := h.NewBrowser(t)
		hints := map[string]string{}
		for _, c := range []harness.Client{client, other, public} {
			hints[c.ID] = h.Redeem(t, c, b.Code(t, c, nil)).Text("id_token")
		}
		sub := func(c harness.Client) string { return harness.TokenClaims(t, hints[c.ID])["sub"].(string) }
		claims := func(sub string) url.Values {
			return url.Values{"claims": {`{"id_token":{"sub":{"value":"` + sub + `"}}}`}}
		}
		for name, c := range map[string]struct {
			of     harness.Client
			change url.Values
			code   string
		}{
			"by its hint":                      {client, url.Values{"id_token_hint": {hints[client.ID]}}, ""},
			"by the hint of another sector":    {client, url.Values{"id_token_hint": {hints[other.ID]}}, "invalid_request"},
			"by the hint of a public app":      {client, url.Values{"id_token_hint": {hints[public.ID]}}, "invalid_request"},
			"a public app by a pairwise hint":  {public, url.Values{"id_token_hint": {hints[client.ID]}}, "invalid_request"},
			"by its sub":                       {client, claims(sub(client)), ""},
			"by the sub of another sector":     {client, claims(sub(other)), "login_required"},
			"by the public sub":                {client, claims(sub(public)), "login_required"},
			"a public app by the public sub":   {public, claims(sub(public)), ""},
			"a public app by the pairwise sub": {public, claims(sub(client)), "login_required"},
		} {
			c.change.Set("prompt", "none")
			answer, _ := answered(t, b.Get(t, h.AuthorizeURL(c.of, c.change)))
			if answer.Get("error") != c.code || (answer.Get("code") == "") != (c.code != "") {
				t.Errorf("%s: %v, want %q", name, answer, c.code)
			}
		}
	})
}

// Whom a logout means, the session says, and not the sub.
func TestLogoutAtAPairwiseApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for name, cookies := range map[string]bool{"with cookies": true, "by a form of another site": false} {
			receiver := harness.NewLogoutReceiver(t)
			here := pairwise(t, "localhost")
			client := h.AddClient(t, func(c *clients.Client) { here(c); c.BackchannelLogoutURI = receiver.URI })
			receiver.Expect(h.Issuer, client.ID)
			b := h.NewBrowser(t)
			hint := h.Redeem(t, client, b.Code(t, client, nil)).Text("id_token")
			form := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI}}
			from := b
			if !cookies {
				from = h.NewBrowser(t)
			}
			if shown := from.Get(t, oidc.PathLogout+"?"+form.Encode()); shown.Header.Get("Location") != harness.LogoutURI {
				t.Errorf("%s: %s to %q", name, shown.Status, shown.Header.Get("Location"))
			}
			if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
				t.Errorf("%s: still signed in", name)
			}
			claims, heard := harness.TokenClaims(t, hint), receiver.Heard()
			if len(heard) != 1 || heard[0].Subject != claims["sub"] || heard[0].SessionID != claims["sid"] {
				t.Errorf("%s: the app is told %+v", name, heard)
			}
			// The hint of a session that is gone leads back all the same.
			_ = h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewDelete().TableExpr("sessions").Where("id = ?", claims["sid"]).Exec(ctx)
				return err
			})
			again := h.NewBrowser(t).Get(t, oidc.PathLogout+"?"+form.Encode())
			if again.Header.Get("Location") != harness.LogoutURI {
				t.Errorf("%s, again: %s to %q", name, again.Status, again.Header.Get("Location"))
			}
		}
	})
}

// An app that registers itself may have pairwise subjects, where its redirect URIs say which sector it belongs to.
func TestPairwiseAppsRegisterThemselves(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		document := h.NewBrowser(t).Get(t, oidc.PathConfiguration).Text
		if !strings.Contains(document, `"subject_types_supported":["public","pairwise"]`) {
			t.Error(document)
		}
		private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("a stranger's list was fetched from this machine")
		}))
		t.Cleanup(private.Close)
		for name, c := range map[string]struct {
			change map[string]any
			status int
		}{
			"one host": {map[string]any{"subject_type": "pairwise"}, http.StatusCreated},
			"public":   {map[string]any{"subject_type": "public"}, http.StatusCreated},
			"two hosts": {map[string]any{
				"subject_type": "pairwise", "redirect_uris": []string{"https://a.example/", "https://b.example/"},
			}, http.StatusBadRequest},
			"a list on this machine": {map[string]any{
				"subject_type": "pairwise", "sector_identifier_uri": private.URL + "/list",
			}, http.StatusBadRequest},
			"a type that there is not": {map[string]any{"subject_type": "secret"}, http.StatusBadRequest},
		} {
			metadata := map[string]any{"client_name": "App", "redirect_uris": []string{"https://a.example/callback"}}
			for key, value := range c.change {
				metadata[key] = value
			}
			answer := registers(t, h, http.MethodPost, oidc.PathClients, "", metadata)
			made := answer.Status == http.StatusCreated
			if answer.Status != c.status || made && answer.Text("subject_type") != metadata["subject_type"] ||
				c.status == http.StatusBadRequest && answer.Text("error") != "invalid_client_metadata" {
				t.Errorf("%s: %d %v", name, answer.Status, answer.JSON)
			}
		}
	})
}
