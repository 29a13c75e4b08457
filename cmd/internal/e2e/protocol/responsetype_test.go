package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// withAllResponseTypes runs test against servers whose operator lets apps use every response type.
func withAllResponseTypes(t *testing.T, test func(t *testing.T, h *harness.Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) {
		test(t, harness.Start(t, url, func(c *harness.Config) { c.AllResponseTypes = true }))
	})
}

var formField = regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`)

// answered reads the parameters of an answer to the app, and says how they travelled.
func answered(t testing.TB, shown harness.Page) (parameters url.Values, mode string) {
	t.Helper()
	if shown.Header.Get("Location") == "" {
		parameters = url.Values{}
		for _, field := range formField.FindAllStringSubmatch(shown.Text, -1) {
			parameters.Add(field[1], html.UnescapeString(field[2]))
		}
		return parameters, "form_post"
	}
	location, err := shown.Location()
	if err != nil {
		t.Fatal(err)
	}
	if location.Fragment == "" {
		return location.Query(), "query"
	}
	if parameters, err = url.ParseQuery(location.EscapedFragment()); err != nil {
		t.Fatal(err)
	}
	return parameters, "fragment"
}

// Every response type gives what it names, bound to the request, in the mode that it has by default or is asked for.
func TestResponseTypes(t *testing.T) {
	t.Parallel()
	withAllResponseTypes(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.ResponseTypes = slices.Clone(oidc.ResponseTypes) })
		b := h.NewBrowser(t)
		b.Code(t, client, nil) // signs in and consents
		for _, asked := range []string{
			"code", "token code", "code id_token", "code id_token token", "id_token", "token id_token", "none",
		} {
			for _, mode := range []string{"", "fragment", "form_post", "query"} {
				shown := b.Get(t, h.AuthorizeURL(client, url.Values{"response_type": {asked}, "response_mode": {mode}}))
				answer, travelled := answered(t, shown)
				front := strings.Contains(asked, "token")
				want := mode
				if mode == "" || mode == "query" && front {
					want = map[bool]string{true: "fragment", false: "query"}[front]
				}
				if travelled != want {
					t.Errorf("%s by %q: travelled by %s", asked, mode, travelled)
				}
				if answer.Get("state") != "the-state" || answer.Get("iss") != h.Issuer {
					t.Errorf("%s by %q: state %q, iss %q", asked, mode, answer.Get("state"), answer.Get("iss"))
				}
				if mode == "query" && front {
					if answer.Get("error") != "invalid_request" || answer.Has("id_token") || answer.Has("access_token") {
						t.Errorf("%s in a query: %v", asked, answer)
					}
					continue
				}
				checkAnswer(t, h, client, asked, answer)
			}
		}
	})
}

// checkAnswer checks that an answer holds what its response type names, and nothing else.
func checkAnswer(t testing.TB, h *harness.Server, client harness.Client, asked string, answer url.Values) {
	t.Helper()
	want := []string{"iss", "state"}
	for _, part := range strings.Fields(asked) {
		switch part {
		case "code", "id_token":
			want = append(want, part)
		case "token":
			want = append(want, "access_token", "token_type", "expires_in", "scope")
		}
	}
	if got := slices.Sorted(maps.Keys(answer)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s: the answer has %v, want %v", asked, got, want)
	}
	if token := answer.Get("access_token"); token != "" {
		if got := h.Userinfo(t, token); got.Status != http.StatusOK || got.Text("email") != harness.Email {
			t.Errorf("%s: userinfo says %d %v", asked, got.Status, got.JSON)
		}
		offline := strings.Contains(answer.Get("scope"), "offline_access")
		if answer.Get("expires_in") != "600" || answer.Get("token_type") != "Bearer" || offline != answer.Has("code") {
			t.Errorf("%s: %v", asked, answer)
		}
	}
	subject := h.User.ID.String()
	if token := answer.Get("id_token"); token != "" {
		claims := harness.TokenClaims(t, token)
		if claims["nonce"] != "the-nonce" || claims["sub"] != subject || claims["aud"] != client.ID {
			t.Errorf("%s: the ID token says %v", asked, claims)
		}
		for claim, of := range map[string]string{"at_hash": answer.Get("access_token"), "c_hash": answer.Get("code")} {
			got, has := claims[claim]
			if has != (of != "") || has && got != halfHash(of) {
				t.Errorf("%s: %s is %v", asked, claim, got)
			}
		}
	}
	if code := answer.Get("code"); code != "" {
		tokens := h.Redeem(t, client, code)
		claims := harness.TokenClaims(t, tokens.Text("id_token"))
		if tokens.Text("refresh_token") == "" || claims["sub"] != subject || claims["nonce"] != "the-nonce" ||
			claims["c_hash"] != nil {
			t.Errorf("%s: the code gives %v", asked, claims)
		}
		if token := answer.Get("access_token"); token != "" { // the code comes again: all that was granted by it ends
			h.Redeem(t, client, code)
			if got := h.Userinfo(t, token); got.Status != http.StatusUnauthorized {
				t.Errorf("%s: after the code came again userinfo says %d", asked, got.Status)
			}
		}
	}
}

// halfHash is at_hash and c_hash for ES256: OpenID Connect Core, section 3.1.3.6.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// What is wrong with a response type, and how the app hears of it.
func TestResponseTypesThatAreRefused(t *testing.T) {
	t.Parallel()
	withAllResponseTypes(t, func(t *testing.T, h *harness.Server) {
		plain := h.AddClient(t, nil)
		implicit := h.AddClient(t, func(c *clients.Client) { c.ResponseTypes = []string{"token id_token", "id_token"} })
		public := h.AddClient(t, func(c *clients.Client) {
			c.AuthMethod, c.ResponseTypes = clients.AuthNone, []string{"id_token", "id_token code"}
		})
		withoutPKCE := url.Values{"code_challenge": nil, "code_challenge_method": nil}
		strict := h.Replica(t, func(c *harness.Config) { c.AllResponseTypes = false })
		for name, c := range map[string]struct {
			server *harness.Server
			client harness.Client
			change url.Values
			want   string
			mode   string
		}{
			"missing":               {h, plain, url.Values{"response_type": nil}, "invalid_request", "query"},
			"unknown":               {h, plain, url.Values{"response_type": {"magic"}}, "unsupported_response_type", "query"},
			"token alone":           {h, implicit, url.Values{"response_type": {"token"}}, "unsupported_response_type", "query"},
			"not registered":        {h, plain, url.Values{"response_type": {"id_token"}}, "unauthorized_client", "fragment"},
			"not registered, none":  {h, plain, url.Values{"response_type": {"none"}}, "unauthorized_client", "query"},
			"code not registered":   {h, implicit, nil, "unauthorized_client", "query"},
			"not offered any more":  {strict, implicit, url.Values{"response_type": {"id_token"}}, "unsupported_response_type", "fragment"},
			"no nonce":              {h, implicit, url.Values{"response_type": {"id_token"}, "nonce": nil}, "invalid_request", "fragment"},
			"no openid":             {h, implicit, url.Values{"response_type": {"id_token"}, "scope": {"email"}}, "invalid_request", "fragment"},
			"nobody there":          {h, implicit, url.Values{"response_type": {"id_token"}, "prompt": {"none"}}, "login_required", "fragment"},
			"hybrid, without PKCE":  {h, public, merged(withoutPKCE, url.Values{"response_type": {"code id_token"}}), "invalid_request", "fragment"},
			"PKCE without any code": {h, public, merged(withoutPKCE, url.Values{"response_type": {"id_token"}, "prompt": {"none"}}), "login_required", "fragment"},
		} {
			shown := c.server.NewBrowser(t).Get(t, c.server.AuthorizeURL(c.client, c.change))
			answer, mode := answered(t, shown)
			if answer.Get("error") != c.want || mode != c.mode || answer.Get("state") != "the-state" || answer.Has("code") {
				t.Errorf("%s: %v by %s, want %s by %s", name, answer, mode, c.want, c.mode)
			}
		}
	})
}

func merged(a, b url.Values) url.Values {
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}

// Nobody is registered for another response type than code, or told of one, unless the operator says so.
func TestOtherResponseTypesAreOffByDefault(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, asked := range oidc.ResponseTypes[1:] {
			_, err := h.Clients.Create(t.Context(), &clients.Client{
				Name: "x", RedirectURIs: []string{harness.RedirectURI}, ResponseTypes: []string{asked},
			})
			if err == nil {
				t.Errorf("registered for %s", asked)
			}
		}
		all := h.Replica(t, func(c *harness.Config) { c.AllResponseTypes = true })
		for server, want := range map[*harness.Server][2]int{h: {1, 4}, all: {7, 5}} {
			var published struct {
				Types  []string `json:"response_types_supported"`
				Grants []string `json:"grant_types_supported"`
			}
			text := server.NewBrowser(t).Get(t, oidc.PathConfiguration).Text
			if err := json.Unmarshal([]byte(text), &published); err != nil {
				t.Fatal(err)
			}
			if len(published.Types) != want[0] || len(published.Grants) != want[1] {
				t.Errorf("published %+v", published)
			}
		}
	})
}
