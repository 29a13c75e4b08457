package protocol

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

func TestClientAuthenticationThatIsWrong(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds := clientKinds(t, h)
		post, basic, public, signing := kinds["post"], kinds["basic"], kinds["public"], kinds["signing"]
		header := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
		good := header(basic.ID + ":" + basic.Secret)
		token := url.Values{"grant_type": {oidc.GrantClientCredentials}, "token": {"x"}}
		type attempt struct {
			authorization string
			form          url.Values
			challenge     bool
		}
		wrong := map[string]attempt{
			"nobody":                         {"", url.Values{}, false},
			"another scheme":                 {"Digest x", url.Values{}, false},
			"Basic of nothing":               {"Basic ", url.Values{}, true},
			"Basic that is no base64":        {"Basic ***", url.Values{}, true},
			"Basic without a colon":          {header("x"), url.Values{}, true},
			"Basic with a bad escape":        {header("%zz:x"), url.Values{}, true},
			"Basic with a NUL":               {header("%00:x"), url.Values{}, true},
			"Basic that is not UTF-8":        {header("\xff:x"), url.Values{}, true},
			"Basic of nobody":                {header(":x"), url.Values{}, true},
			"Basic with a wrong secret":      {header(basic.ID + ":wrong"), url.Values{}, true},
			"Basic without a secret":         {header(basic.ID + ":"), url.Values{}, true},
			"Basic of an unknown client":     {header("unknown:wrong"), url.Values{}, true},
			"Basic for a client that posts":  {header(post.ID + ":" + post.Secret), url.Values{}, true},
			"Basic for a public client":      {header(public.ID + ":"), url.Values{}, true},
			"Basic for a client that signs":  {header(signing.ID + ":x"), url.Values{}, true},
			"Basic and client_id of another": {good, url.Values{"client_id": {post.ID}}, true},
			"Basic and a secret":             {good, url.Values{"client_secret": {basic.Secret}}, true},
			"Basic and an assertion": {good, url.Values{
				"client_assertion": {"x"}, "client_assertion_type": {"y"},
			}, true},
			"a wrong secret":                     {"", url.Values{"client_id": {post.ID}, "client_secret": {"wrong"}}, false},
			"no secret":                          {"", url.Values{"client_id": {post.ID}}, false},
			"an unknown client":                  {"", url.Values{"client_id": {"unknown"}, "client_secret": {"wrong"}}, false},
			"an unknown client without a secret": {"", url.Values{"client_id": {"unknown"}}, false},
			"a secret of nobody":                 {"", url.Values{"client_secret": {post.Secret}}, false},
			"another's secret": {"", url.Values{
				"client_id": {post.ID}, "client_secret": {basic.Secret},
			}, false},
			"posted by a client for Basic": {"", url.Values{
				"client_id": {basic.ID}, "client_secret": {basic.Secret},
			}, false},
			"posted by a public client": {"", url.Values{"client_id": {public.ID}, "client_secret": {"x"}}, false},
			"an assertion that is none": {"", url.Values{
				"client_assertion": {"x"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			}, false},
			"an assertion and a secret": {"", url.Values{
				"client_id": {post.ID}, "client_secret": {post.Secret}, "client_assertion": {"x"},
			}, false},
			"a client that signs, with no proof": {"", url.Values{"client_id": {signing.ID}}, false},
			"a client that signs, with a secret": {"", url.Values{"client_id": {signing.ID}, "client_secret": {"x"}}, false},
			"the digest of a secret, as a secret": {"", url.Values{
				"client_id":     {post.ID},
				"client_secret": {string(base64.RawURLEncoding.EncodeToString(storage.Digest(post.Secret)))},
			}, false},
		}
		for _, path := range []string{oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke} {
			answers := map[string]string{}
			for name, c := range wrong {
				form := maps.Clone(token)
				maps.Copy(form, c.form)
				got := postForm(t, h, path, c.authorization, form)
				if got.Status != http.StatusUnauthorized || got.Text("error") != "invalid_client" {
					t.Errorf("%s, %s: %d %v", path, name, got.Status, got.JSON)
				}
				if challenge := got.Header.Get("WWW-Authenticate"); strings.HasPrefix(challenge, "Basic ") != c.challenge {
					t.Errorf("%s, %s: WWW-Authenticate %q: RFC 6749, section 5.2", path, name, challenge)
				}
				answers[name] = fmt.Sprint(got.JSON)
			}
			for _, pair := range [][2]string{{"a wrong secret", "an unknown client"}, {"Basic with a wrong secret", "Basic of an unknown client"}} {
				if answers[pair[0]] != answers[pair[1]] {
					t.Errorf("%s: %s and %s are told apart: %s, %s", path, pair[0], pair[1], answers[pair[0]], answers[pair[1]])
				}
			}
			form := maps.Clone(token)
			form.Set("client_id", basic.ID) // repeating it does no harm
			if got := postForm(t, h, path, good, form); got.Status != http.StatusOK {
				t.Errorf("%s, in order: %d %v", path, got.Status, got.JSON)
			}
			// Secrets are form-encoded in the header, schemes mind no case.
			if got := postForm(
				t, h, path,
				"bAsIc "+strings.TrimPrefix(header(strings.ReplaceAll(basic.ID, "-", "%2D")+":"+basic.Secret), "Basic "),
				maps.Clone(token),
			); got.Status != http.StatusOK {
				t.Errorf("%s, encoded: %d %v", path, got.Status, got.JSON)
			}
		}
		// A grant that a client is not registered for is refused once it is known who asks.
		machine := kinds["machine"]
		if got := h.Call(
			t, oidc.PathToken, machine.Client, url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {"x"}},
		); got.Text("error") != "unauthorized_client" || got.Status != 400 {
			t.Errorf("another grant: %d %v", got.Status, got.JSON)
		}
		if got := h.Call(
			t, oidc.PathToken, public.Client, url.Values{"grant_type": {oidc.GrantClientCredentials}},
		); got.Text("error") != "unauthorized_client" || got.Status != 400 {
			t.Errorf("a public client's own credentials: %d %v", got.Status, got.JSON)
		}
	})
}

// An app whose operator named no method may send its secret either way, but not both ways at once.
func TestASecretMayComeEitherWay(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = "" })
		if client.AuthMethod != clients.AuthBasic || !client.AnySecretMethod {
			t.Errorf("it is registered as %s, any %t", client.AuthMethod, client.AnySecretMethod)
		}
		header := func(secret string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(client.ID+":"+secret))
		}
		for _, path := range []string{oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke} {
			for name, c := range map[string]struct {
				authorization string
				form          url.Values
				status        int
			}{
				"basic": {header(client.Secret), url.Values{}, 200},
				"post":  {"", url.Values{"client_id": {client.ID}, "client_secret": {client.Secret}}, 200},
				"both": {header(client.Secret), url.Values{
					"client_id": {client.ID}, "client_secret": {client.Secret},
				}, 401},
				"a wrong secret, basic":  {header("wrong"), url.Values{}, 401},
				"a wrong secret, posted": {"", url.Values{"client_id": {client.ID}, "client_secret": {"wrong"}}, 401},
				"no secret":              {"", url.Values{"client_id": {client.ID}}, 401},
				"no secret, basic":       {header(""), url.Values{}, 401},
				"an assertion": {"", url.Values{
					"client_id": {client.ID}, "client_assertion": {"x"}, "client_assertion_type": {clients.AssertionType},
				}, 401},
			} {
				c.form.Set("grant_type", oidc.GrantClientCredentials)
				c.form.Set("token", "x")
				if got := postForm(t, h, path, c.authorization, c.form); got.Status != c.status {
					t.Errorf("%s, %s: %d %v, want %d", path, name, got.Status, got.JSON, c.status)
				}
			}
		}
	})
}

// No answer tells whether a client exists, or which method it uses.
func TestUnknownClientsLookLikeWrongCredentials(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthBasic })
		want := ""
		for name, form := range map[string]url.Values{
			"an unknown client": {"client_id": {"nobody"}, "client_secret": {client.Secret}},
			"another method":    {"client_id": {client.ID}, "client_secret": {client.Secret}},
			"a wrong secret":    {"client_id": {client.ID}, "client_secret": {"wrong"}},
			"no method":         {"client_id": {client.ID}},
		} {
			form.Set("grant_type", oidc.GrantRefreshToken)
			form.Set("refresh_token", "x")
			response, err := http.PostForm(h.Issuer+oidc.PathToken, form)
			shown := harness.ReadPage(t, response, err)
			got := shown.Status + " " + shown.Text
			if want == "" {
				want = got
			}
			if got != want || shown.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %s, another: %s", name, got, want)
			}
		}
	})
}

// What stands in a link that is not the app's is not repeated on our page.
func TestForeignRedirectURIIsNotRepeated(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		shown := h.NewBrowser(t).Get(t, h.AuthorizeURL(h.AddClient(t, nil), url.Values{
			"redirect_uri": {"https://evil.example/call-this-number"},
		}))
		if shown.StatusCode != http.StatusBadRequest || strings.Contains(shown.Text, "call-this-number") {
			t.Errorf("%s:\n%s", shown.Status, shown.Text)
		}
	})
}
