package protocol

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// An app pushes its request, and the person goes through every page with nothing but a reference to it.
func TestPushedRequest(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.RequirePAR = true })
		at := h.PushedURL(t, client, url.Values{"prompt": {"login"}, "state": {strings.Repeat("long", 1000)}})
		b := h.NewBrowser(t)
		shown := b.Get(t, at)
		if again := b.Get(t, at); again.Path() != "/sign-in" {
			t.Fatalf("the address loaded again: %s %s", again.Status, again.Path())
		}
		if n := len(shown.Continue()); n == 0 || n > 500 {
			t.Errorf("a page carries %d bytes of the request", n)
		}
		shown = b.SignIn(t, shown)
		if !strings.Contains(shown.Text, `id="allow"`) {
			t.Fatalf("no consent page but %s %s", shown.Status, shown.Path())
		}
		answer, err := b.Allow(t, shown).Location()
		if err != nil || answer.Query().Get("state") != strings.Repeat("long", 1000) {
			t.Fatalf("the answer is %v, %v", answer, err)
		}
		if tokens := h.Redeem(t, client, answer.Query().Get("code")); tokens.Text("id_token") == "" {
			t.Errorf("no tokens but %d %v", tokens.Status, tokens.JSON)
		}
		for name, late := range map[string]harness.Page{"the address": b.Get(t, at), "the page": b.Allow(t, shown)} {
			if location, err := late.Location(); err != nil || location.Query().Get("error") != "invalid_request_uri" {
				t.Errorf("%s after its use: %s %v", name, late.Status, location)
			}
		}
	})
}

// Two tabs with one reference: the first gets the code, and so does one of many at once.
func TestTabsWithOneRequestURI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		b := h.NewBrowser(t)
		b.Code(t, client, nil) // signs in and consents
		at := h.PushedURL(t, client, nil)
		told := map[string]int{}
		for _, shown := range harness.AtOnce(20, func() harness.Page { return b.Get(t, at) }) {
			location, err := shown.Location()
			if err != nil {
				t.Fatalf("%s\n%s", shown.Status, shown.Text)
			}
			if location.Query().Has("code") {
				told["code"]++
			} else {
				told[location.Query().Get("error")]++
			}
		}
		if told["code"] != 1 || told["invalid_request_uri"] != 19 {
			t.Errorf("the tabs got %v", told)
		}
	})
}

// What an app hears of a request that it pushes.
func TestAnswersToPushes(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		form := func(change url.Values) url.Values {
			asked, err := url.Parse(h.AuthorizeURL(client, change))
			if err != nil {
				t.Fatal(err)
			}
			query := asked.Query()
			query.Set("client_secret", client.Secret)
			return query
		}
		made := postForm(t, h, oidc.PathPAR, "", form(nil))
		if made.Status != http.StatusCreated || made.JSON["expires_in"] != 60.0 ||
			!strings.HasPrefix(made.Text("request_uri"), "urn:ietf:params:oauth:request_uri:") {
			t.Errorf("%d %v", made.Status, made.JSON)
		}
		for name, c := range map[string]struct {
			change url.Values
			status int
			want   string
		}{
			"a wrong secret":    {url.Values{"client_secret": {"x"}}, 401, "invalid_client"},
			"a reference":       {url.Values{"request_uri": {made.Text("request_uri")}}, 400, "invalid_request"},
			"no redirect_uri":   {url.Values{"redirect_uri": nil}, 400, "invalid_request"},
			"a doubled state":   {url.Values{"state": {"a", "b"}}, 400, "invalid_request"},
			"no UTF-8":          {url.Values{"state": {"\xff"}}, 400, "invalid_request"},
			"more than is kept": {url.Values{"login_hint": {strings.Repeat("x", 8<<10)}, "state": {strings.Repeat("y", 8<<10)}}, 413, "invalid_request"},
			"an unknown type":   {url.Values{"response_type": {"magic"}}, 400, "unsupported_response_type"},
		} {
			sent := form(nil)
			for parameter, values := range c.change {
				sent[parameter] = values
			}
			if got := postForm(t, h, oidc.PathPAR, "", sent); got.Status != c.status || got.Text("error") != c.want {
				t.Errorf("%s: %d %v, want %d %s", name, got.Status, got.JSON, c.status, c.want)
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			request, err := http.NewRequest(method, h.Issuer+oidc.PathPAR, strings.NewReader(form(nil).Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if shown := h.Send(t, request); shown.StatusCode != http.StatusMethodNotAllowed ||
				!strings.Contains(shown.Header.Get("Allow"), "POST") {
				t.Errorf("%s: %s, Allow %q", method, shown.Status, shown.Header.Get("Allow"))
			}
		}
	})
}
