package protocol

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// An answer that is to be signed is one JWT for the app, whatever it says, and nothing beside it.
func TestSignedAnswers(t *testing.T) {
	t.Parallel()
	withAllResponseTypes(t, func(t *testing.T, h *harness.Server) {
		for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA} {
			client := h.AddClient(t, func(c *clients.Client) {
				c.ResponseAlg, c.ResponseTypes = string(alg), slices.Clone(oidc.ResponseTypes)
			})
			b := h.NewBrowser(t)
			b.Code(t, client, nil) // signs in and consents
			for name, c := range map[string]struct {
				change   url.Values
				mode     string
				has      string
				hasError string
			}{
				"jwt":                    {url.Values{"response_mode": {"jwt"}}, "query", "code", ""},
				"query.jwt":              {url.Values{"response_mode": {"query.jwt"}}, "query", "code", ""},
				"fragment.jwt":           {url.Values{"response_mode": {"fragment.jwt"}}, "fragment", "code", ""},
				"form_post.jwt":          {url.Values{"response_mode": {"form_post.jwt"}}, "form_post", "code", ""},
				"none, jwt":              {url.Values{"response_mode": {"jwt"}, "response_type": {"none"}}, "query", "state", ""},
				"hybrid, jwt":            {url.Values{"response_mode": {"jwt"}, "response_type": {"code id_token"}}, "fragment", "id_token", ""},
				"implicit, form_post":    {url.Values{"response_mode": {"form_post.jwt"}, "response_type": {"id_token token"}}, "form_post", "access_token", ""},
				"a token in a query":     {url.Values{"response_mode": {"query.jwt"}, "response_type": {"id_token"}}, "fragment", "", "invalid_request"},
				"an unknown signed mode": {url.Values{"response_mode": {"pigeon.jwt"}}, "query", "", "invalid_request"},
				"a bad request":          {url.Values{"response_mode": {"jwt"}, "max_age": {"soon"}}, "query", "", "invalid_request"},
				"a bad response type":    {url.Values{"response_mode": {"form_post.jwt"}, "response_type": {"magic"}}, "form_post", "", "unsupported_response_type"},
				"refused silently": {url.Values{
					"response_mode": {"fragment.jwt"}, "prompt": {"none"}, "max_age": {"0"},
				}, "fragment", "", "login_required"},
			} {
				answer, mode := answered(t, b.Get(t, h.AuthorizeURL(client, c.change)))
				if len(answer) != 1 || mode != c.mode {
					t.Errorf("%s, %s: %v by %s, want a response by %s", alg, name, answer, mode, c.mode)
				}
				claims := signedAnswer(t, h, client, alg, answer.Get("response"))
				if claims["error"] != nil && claims["error"] != c.hasError || c.hasError != "" && claims["code"] != nil ||
					c.has != "" && claims[c.has] == nil {
					t.Errorf("%s, %s: %v", alg, name, claims)
				}
			}
		}
	})
}

// signedAnswer verifies a signed answer, and returns its claims.
func signedAnswer(
	t testing.TB, h *harness.Server, client harness.Client, alg jose.SignatureAlgorithm, text string,
) map[string]any {
	t.Helper()
	payload, _, err := h.Keys.Verify(text, "", alg)
	if err != nil {
		t.Fatalf("%s: %v", alg, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	expiry, _ := claims["exp"].(float64)
	left := time.Until(time.Unix(int64(expiry), 0))
	if claims["iss"] != h.Issuer || claims["aud"] != client.ID || claims["state"] != "the-state" || left <= 0 ||
		left > 10*time.Minute || claims["sub"] != nil {
		t.Errorf("the answer says %v", claims)
	}
	return claims
}

// Nothing of what an app is signed may stand for something else that we sign.
func TestASignedAnswerIsNoToken(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, func(c *clients.Client) { c.ResponseAlg = "ES256" }), h.NewBrowser(t)
		b.Code(t, client, nil)
		answer, _ := answered(t, b.Get(t, h.AuthorizeURL(client, url.Values{"response_mode": {"jwt"}})))
		text := answer.Get("response")
		if strings.Count(text, ".") != 2 {
			t.Fatalf("no JWT but %q", text)
		}
		if got := h.Userinfo(t, text); got.Status != 401 {
			t.Errorf("as an access token: %d", got.Status)
		}
		hinted, _ := answered(t, b.Get(t, h.AuthorizeURL(client, url.Values{"id_token_hint": {text}})))
		if hinted.Get("error") != "invalid_request" {
			t.Errorf("as an id_token_hint: %v", hinted)
		}
	})
}

// No answer goes to this server itself: a form that our own page posts there would pass for one of our pages'.
func TestNoAnswerGoesToThisServer(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		own, err := url.Parse(h.Issuer + "/account/sign-out-everywhere")
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Clients.Create(t.Context(), &clients.Client{Name: "App", RedirectURIs: []string{own.String()}})
		if !errors.Is(err, clients.ErrClient) || !strings.Contains(err.Error(), "an address of this server") {
			t.Errorf("registered: %v", err)
		}
		anyPort := *own
		anyPort.Host = own.Hostname()
		client := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{anyPort.String()}
		})
		b := h.NewBrowser(t)
		b.SignInAs(t, "alice")
		elsewhere := *own
		elsewhere.Host = own.Hostname() + ":1"
		for to, status := range map[string]int{own.String(): http.StatusBadRequest, elsewhere.String(): http.StatusOK} {
			shown := b.Get(t, h.AuthorizeURL(client, url.Values{
				"redirect_uri": {to}, "response_mode": {"form_post"}, "prompt": {"none"},
			}))
			if shown.StatusCode != status || strings.Contains(shown.Text, `action="`+to+`"`) != (status == http.StatusOK) {
				t.Errorf("to %s: %s\n%s", to, shown.Status, shown.Text)
			}
		}
	})
}
