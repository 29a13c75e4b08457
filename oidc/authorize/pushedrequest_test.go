package authorize_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

// pushed is a request as an app pushes it, with parameters changed or, where empty, left out.
func pushed(clientID, secret string, change url.Values) oidc.Request {
	form := url.Values{
		"client_id": {clientID}, "client_secret": {secret}, "redirect_uri": {"https://app.example.com/"},
		"response_type": {"code"}, "scope": {"openid"}, "state": {"the-state"}, "nonce": {"the-nonce"},
	}
	maps.Copy(form, change)
	return oidc.Request{Method: http.MethodPost, Path: oidc.PathPAR, Header: http.Header{}, Form: form}
}

// push pushes a request, and returns what the browser brings then.
func push(t *testing.T, h *oidctest.Stack, clientID, secret string, change url.Values) url.Values {
	t.Helper()
	answer, _, err := h.Authorize.Push(t.Context(), pushed(clientID, secret, change))
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"client_id": {clientID}, "request_uri": {answer.RequestURI}}
}

// told returns what an authorization request was refused with, and whether the app hears of it.
func told(t *testing.T, err error) (code string, app bool) {
	t.Helper()
	var refused *authorize.Refusal
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("a fault: %v", err)
	}
	if refused == nil {
		return "", false
	}
	return refused.Reason.Code, refused.Authorization != nil
}

// The browser comes within a minute, may then stay for an hour, and gets one code.
func TestPushedRequestsLifetime(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, webApp("app", true))
		alice := newcomer(t, h, "alice")
		browser := push(t, h, "app", secret, url.Values{"state": {"kept"}})
		h.Pass(59 * time.Second)
		a, err := h.Authorize.Read(t.Context(), browser)
		if err != nil {
			t.Fatal(err)
		}
		if !a.BeganAt.Equal(h.Clock) || a.State != "kept" {
			t.Errorf("began at %s, want %s; state %q", a.BeganAt, h.Clock, a.State)
		}
		sealed := h.Authorize.Suspend(a, "browser")
		if len(sealed) > 400 {
			t.Errorf("a page carries %d bytes", len(sealed))
		}
		h.Pass(2 * time.Second)
		if code, app := toldOf(t, h, browser); code != "invalid_request_uri" || !app {
			t.Errorf("after a minute: %q, told the app: %v", code, app)
		}
		h.Pass(57 * time.Minute)
		if _, err := h.Authorize.Resume(t.Context(), sealed, "another browser"); err != nil {
			t.Errorf("begun anew in another browser: %v", err)
		}
		if _, err := h.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a, err = h.Authorize.Resume(t.Context(), sealed, "browser"); err != nil {
			t.Fatalf("after an hour on our pages: %v", err)
		}
		response, err := h.Authorize.Issue(t.Context(), a, alice, authorize.Decision{Scopes: a.Scopes})
		if err != nil || response.Parameters.Get("state") != "kept" || response.Parameters.Get("code") == "" {
			t.Fatal(response, err)
		}
		if _, err := h.Authorize.Issue(t.Context(), a, alice, authorize.Decision{}); !errors.Is(err, authorize.ErrOvertaken) {
			t.Errorf("a second code: %v", err)
		}
		_, err = h.Authorize.Resume(t.Context(), sealed, "browser")
		if code, app := told(t, err); code != "invalid_request_uri" || !app {
			t.Errorf("taken up after its use: %q, told the app: %v", code, app)
		}
		h.Pass(2 * time.Hour)
		if deleted, err := h.Expire(t.Context()); err != nil || deleted["pushed_requests"] != 1 {
			t.Errorf("deleted %v, %v", deleted, err)
		}
		if code, app := toldOf(t, h, browser); code != "invalid_request_uri" || app {
			t.Errorf("long after: %q, told the app: %v", code, app)
		}
	})
}

func toldOf(t *testing.T, h *oidctest.Stack, form url.Values) (code string, app bool) {
	t.Helper()
	_, err := h.Authorize.Read(t.Context(), form)
	return told(t, err)
}

// Nothing counts that the browser brings besides, and the reference is of no use in another client's name.
func TestWhatTheBrowserBringsWithARequestURI(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, webApp("app", true))
		h.Add(t, webApp("other", true))
		browser := push(t, h, "app", secret, nil)
		for name, c := range map[string]struct {
			change url.Values
			want   string
		}{
			"other parameters": {url.Values{"state": {"x", "y"}, "scope": {"nothing"}, "redirect_uri": {"https://evil.example/"},
				"prompt": {"bad"}, "response_mode": {"fragment"}}, ""},
			"another client":  {url.Values{"client_id": {"other"}}, "invalid_request_uri"},
			"no client":       {url.Values{"client_id": nil}, "invalid_request_uri"},
			"two clients":     {url.Values{"client_id": {"app", "app"}}, "invalid_request"},
			"two references":  {url.Values{"request_uri": append(browser["request_uri"], "x")}, "invalid_request"},
			"an unknown one":  {url.Values{"request_uri": {browser.Get("request_uri") + "x"}}, "invalid_request_uri"},
			"an empty one":    {url.Values{"request_uri": {"urn:ietf:params:oauth:request_uri:"}}, "invalid_request_uri"},
			"one that is bad": {url.Values{"request_uri": {"urn:ietf:params:oauth:request_uri:\x00"}}, "invalid_request"},
		} {
			form := maps.Clone(browser)
			maps.Copy(form, c.change)
			a, err := h.Authorize.Read(t.Context(), form)
			if code, app := told(t, err); code != c.want || app {
				t.Errorf("%s: %q, told the app: %v", name, code, app)
			}
			if err == nil && (a.State != "the-state" || a.ResponseMode != "query" || len(a.Prompt) > 0 ||
				a.RedirectURI != "https://app.example.com/" || a.Scopes[0] != "openid") {
				t.Errorf("%s: %+v", name, a)
			}
		}
	})
}

// What is wrong with a request is said when it is pushed.
func TestPushesThatAreRefused(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := webApp("app", true)
		secret := h.Add(t, app)
		other := h.Add(t, webApp("other", true))
		h.Add(t, &clients.Client{
			ID: "spa", Name: "SPA", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://app.example.com/"},
		})
		machine := h.Add(t, &clients.Client{
			ID: "machine", Name: "Machine", AuthMethod: clients.AuthPost, GrantTypes: []string{oidc.GrantClientCredentials},
			RedirectURIs: []string{"https://app.example.com/"},
		})
		for name, c := range map[string]struct {
			id, secret string
			change     url.Values
			want       string
			status     int
		}{
			"a wrong secret":             {"app", other, nil, "invalid_client", 401},
			"an unknown client":          {"nobody", other, nil, "invalid_client", 401},
			"another redirect_uri":       {"app", secret, url.Values{"redirect_uri": {"https://evil.example/"}}, "invalid_request", 400},
			"no redirect_uri":            {"app", secret, url.Values{"redirect_uri": nil}, "invalid_request", 400},
			"a reference":                {"app", secret, url.Values{"request_uri": {"urn:x"}}, "invalid_request", 400},
			"a doubled parameter":        {"app", secret, url.Values{"state": {"a", "b"}}, "invalid_request", 400},
			"no response_type":           {"app", secret, url.Values{"response_type": nil}, "invalid_request", 400},
			"an unknown response_type":   {"app", secret, url.Values{"response_type": {"magic"}}, "unsupported_response_type", 400},
			"an unknown response_mode":   {"app", secret, url.Values{"response_mode": {"pigeon"}}, "invalid_request", 400},
			"no scope that it may have":  {"app", secret, url.Values{"scope": {"admin"}}, "invalid_scope", 400},
			"a bad prompt":               {"app", secret, url.Values{"prompt": {"none login"}}, "invalid_request", 400},
			"a bad max_age":              {"app", secret, url.Values{"max_age": {"soon"}}, "invalid_request", 400},
			"a bad hint":                 {"app", secret, url.Values{"id_token_hint": {"x.y.z"}}, "invalid_request", 400},
			"bad claims":                 {"app", secret, url.Values{"claims": {"["}}, "invalid_request", 400},
			"plain PKCE":                 {"app", secret, url.Values{"code_challenge": {"x"}}, "invalid_request", 400},
			"a public client, no PKCE":   {"spa", "", nil, "invalid_request", 400},
			"not the code flow":          {"machine", machine, nil, "unauthorized_client", 400},
			"more than can be kept":      {"app", secret, url.Values{"state": {strings.Repeat("s", 17<<10)}}, "invalid_request", 413},
			"more, in many small pieces": {"app", secret, manyParameters(2_000), "invalid_request", 413},
		} {
			_, _, err := h.Authorize.Push(t.Context(), pushed(c.id, c.secret, c.change))
			var refused *oidc.Error
			if !errors.As(err, &refused) || refused.Code != c.want || refused.Status != c.status {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		count, err := h.Database.Reader().NewSelect().Model((*authorize.PushedRequest)(nil)).Count(t.Context())
		if err != nil || count != 0 {
			t.Errorf("%d requests are kept, %v", count, err)
		}
	})
}

func manyParameters(n int) url.Values {
	form := url.Values{}
	for i := range n {
		form.Set(strings.Repeat("p", 1+i%150)+string(rune('a'+i%26)), "v")
	}
	form.Set("last", strings.Repeat("v", 8<<10))
	return form
}

// The credentials of a client are not kept with its request.
func TestPushedRequestsHoldNoCredentials(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, webApp("app", true))
		push(t, h, "app", secret, nil)
		var kept authorize.PushedRequest
		if err := h.Database.Reader().NewSelect().Model(&kept).Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept.Form.Has("client_secret") || kept.Form.Get("client_id") != "app" || kept.Form.Get("state") != "the-state" {
			t.Errorf("kept %v", kept.Form)
		}
	})
}

// Of many tabs with the same reference one gets a code.
func TestARequestURIGivesOneCode(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, webApp("app", false))
		alice := newcomer(t, h, "alice")
		consentTo(t, h, alice.UserID, "app", "openid")
		consent, err := h.Authorize.Consent(t.Context(), alice.UserID, "app")
		if err != nil {
			t.Fatal(err)
		}
		browser := push(t, h, "app", secret, nil)
		var issued, overtaken int
		var mu sync.Mutex
		var tabs sync.WaitGroup
		read := make([]*authorize.Request, 20)
		for i := range read {
			if read[i], err = h.Authorize.Read(t.Context(), browser); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range read {
			tabs.Go(func() {
				decision := authorize.Next(a, authorize.Visitor{Session: alice, Consent: consent}, h.Clock)
				_, err := h.Authorize.Issue(t.Context(), a, alice, decision)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					issued++
				case errors.Is(err, authorize.ErrOvertaken):
					overtaken++
				default:
					t.Error(err)
				}
			})
		}
		tabs.Wait()
		if issued != 1 || overtaken != 19 {
			t.Errorf("%d codes, and %d tabs were overtaken", issued, overtaken)
		}
		if grants, err := h.GrantsInUse(t.Context(), alice.UserID, "app", 0); err != nil || len(grants) != 1 {
			t.Errorf("%d grants, %v", len(grants), err)
		}
	})
}

// Where the consent is withdrawn meanwhile, the reference is not used up: the person can be asked again.
func TestAnOvertakenConsentUsesNoRequestUp(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, webApp("app", false))
		alice := newcomer(t, h, "alice")
		consentTo(t, h, alice.UserID, "app", "openid")
		a, err := h.Authorize.Read(t.Context(), push(t, h, "app", secret, nil))
		if err != nil {
			t.Fatal(err)
		}
		consent, err := h.Authorize.Consent(t.Context(), alice.UserID, "app")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Authorize.RevokeAccess(t.Context(), alice.UserID, "app"); err != nil {
			t.Fatal(err)
		}
		late := authorize.Decision{Step: authorize.Issue, Scopes: a.Scopes, By: consent}
		if _, err := h.Authorize.Issue(t.Context(), a, alice, late); !errors.Is(err, authorize.ErrOvertaken) {
			t.Fatal(err)
		}
		if _, err := h.Authorize.Resume(t.Context(), h.Authorize.Suspend(a, "b"), "b"); err != nil {
			t.Errorf("the request is used up: %v", err)
		}
	})
}

// Where requests must be pushed, one that the browser brings is refused, to the app.
func TestPushingIsDemanded(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		lax := h.Add(t, webApp("lax", true))
		bound := webApp("bound", true)
		bound.RequirePAR = true
		strict := h.Add(t, bound)
		brought := func(id string) string {
			t.Helper()
			code, app := toldOf(t, h, pushed(id, "", nil).Form)
			if code != "" && !app {
				t.Errorf("%s: the app does not hear of %s", id, code)
			}
			return code
		}
		if got := brought("lax") + brought("bound"); got != "invalid_request" {
			t.Errorf("demanded of one: %q", got)
		}
		h.RequirePAR = true
		if got := brought("lax"); got != "invalid_request" {
			t.Errorf("demanded of all: %q", got)
		}
		for id, secret := range map[string]string{"lax": lax, "bound": strict} {
			if code, _ := toldOf(t, h, push(t, h, id, secret, nil)); code != "" {
				t.Errorf("%s, pushed: %q", id, code)
			}
		}
	})
}
