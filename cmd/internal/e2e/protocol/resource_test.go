package protocol

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
)

const (
	orders   = "https://orders.example/v1"
	invoices = "https://invoices.example"
)

// addAPIs registers two APIs that have a scope of the same name.
func addAPIs(t *testing.T, h *harness.Server, change func(*apis.API)) {
	t.Helper()
	for _, api := range []apis.API{
		{Identifier: orders, Name: "Orders", Scopes: []apis.Scope{{Name: "read", Words: "Read your orders"}, {Name: "write"}}},
		{Identifier: invoices, Name: "Invoices", Scopes: []apis.Scope{{Name: "read", Words: "Read your invoices"}}},
	} {
		if change != nil {
			change(&api)
		}
		if err := h.APIs.Create(t.Context(), &api); err != nil {
			t.Fatal(err)
		}
	}
}

// claimsOf reads an access token, as an API does after it has verified the signature.
func claimsOf(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	for i, into := range []*map[string]any{&header, &claims} {
		part, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err == nil {
			err = json.Unmarshal(part, into)
		}
		if err != nil {
			t.Fatalf("%q: %v", token, err)
		}
	}
	return header, claims
}

// codeFor signs alice in and allows what chosen says.
func codeFor(t *testing.T, b *harness.Browser, client harness.Client, change url.Values, chosen ...string) string {
	t.Helper()
	page := b.Get(t, b.Server.AuthorizeURL(client, change))
	if page.Path() == "/sign-in" {
		page = b.SignIn(t, page)
	}
	if page.Path() == "/consent" {
		page = b.Post(t, "/consent", url.Values{
			"decision": {"allow"}, "continue": {page.Continue()}, "scope": chosen,
		})
	}
	to, err := page.Location()
	if err != nil {
		t.Fatalf("no way back to the app, but %s\n%s", page.Path(), page.Text)
	}
	if code := to.Query().Get("code"); code != "" {
		return code
	}
	t.Fatalf("no code, but %s", to)
	return ""
}

// RFC 8707: a token is good at the API that it was asked for, with what the person has allowed there, and nowhere else.
func TestTokensAreGoodAtOneAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, nil)
		client := h.AddClient(t, func(c *clients.Client) { c.APIs = []string{orders, invoices} })
		other := h.AddClient(t, nil)
		both := url.Values{
			"resource": {"HTTPS://Orders.Example/v1/", invoices}, "scope": {"openid offline_access read write unknown"},
		}
		b := h.NewBrowser(t)
		page := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, both)))
		for _, want := range []string{"Orders", "orders.example", "Read your orders", "write", "Invoices", "Read your invoices"} {
			if !strings.Contains(page.Text, want) {
				t.Errorf("the consent page does not say %q:\n%s", want, page.Text)
			}
		}
		// read is allowed at one API and not at the other.
		code := codeFor(t, b, client, both, "offline_access", authorize.AtAPI(orders, "read"))
		for name, resources := range map[string][]string{
			"which of two": nil, "both": {orders, invoices}, "one that was not granted": {"https://else.example"},
		} {
			form := url.Values{
				"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
				"code_verifier": {harness.CodeVerifier}, "resource": resources,
			}
			if got := h.Call(t, oidc.PathToken, client, form); got.Text("error") != "invalid_target" {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
		tokens := h.Call(t, oidc.PathToken, client, url.Values{ // the code is good still: nothing was redeemed
			"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
			"code_verifier": {harness.CodeVerifier}, "resource": {orders},
		})
		header, claims := claimsOf(t, tokens.Text("access_token"))
		if header["typ"] != "at+jwt" || fmt.Sprint(claims["aud"]) != "["+orders+"]" || claims["scope"] != "read" ||
			tokens.Text("scope") != "read" || tokens.Text("id_token") == "" {
			t.Fatalf("%v, %v, %v", tokens.JSON, header, claims)
		}
		if got := h.Userinfo(t, tokens.Text("access_token")); got.Status != http.StatusUnauthorized {
			t.Errorf("userinfo with the token of an API: %d %v", got.Status, got.JSON)
		}
		refresh := func(token string, form url.Values) harness.Answer {
			form.Set("grant_type", oidc.GrantRefreshToken)
			form.Set("refresh_token", token)
			return h.Call(t, oidc.PathToken, client, form)
		}
		atInvoices := refresh(tokens.Text("refresh_token"), url.Values{"resource": {invoices}})
		if _, claims := claimsOf(t, atInvoices.Text("access_token")); fmt.Sprint(claims["aud"]) != "["+invoices+"]" ||
			claims["scope"] != nil {
			t.Errorf("at the API where nothing was allowed: %v", claims)
		}
		here := refresh(atInvoices.Text("refresh_token"), url.Values{"resource": {h.Issuer}})
		if got := h.Userinfo(t, here.Text("access_token")); got.Status != http.StatusOK {
			t.Errorf("userinfo with a token for this server: %d %v, %v", got.Status, got.JSON, here.JSON)
		}
		if got := refresh(here.Text("refresh_token"), url.Values{
			"resource": {orders}, "scope": {"write"},
		}); got.Text("error") != "invalid_scope" {
			t.Errorf("a scope that was declined: %d %v", got.Status, got.JSON)
		}
		for name, form := range map[string]url.Values{
			"unknown":         {"resource": {"https://else.example"}},
			"no URI":          {"resource": {"orders"}},
			"another's":       {"resource": {orders}, "client_id": {other.ID}},
			"one of several":  {"resource": {orders, "https://else.example"}},
			"too many":        {"resource": manyResources()},
			"with a fragment": {"resource": {orders + "#x"}},
		} {
			to, err := b.Get(t, h.AuthorizeURL(client, form)).Location()
			if err != nil || to.Query().Get("error") != "invalid_target" {
				t.Errorf("%s: %v, %v", name, to, err)
			}
		}
	})
}

func manyResources() (many []string) {
	for i := range 100 {
		many = append(many, fmt.Sprintf("https://orders.example/v1?%d", i))
	}
	return many
}

// What is remembered is remembered for each API, and asked again for more.
func TestConsentIsForOneAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, nil)
		client := h.AddClient(t, func(c *clients.Client) { c.APIs = []string{orders, invoices} })
		b := h.NewBrowser(t)
		read := url.Values{"resource": {orders}, "scope": {"openid read"}}
		codeFor(t, b, client, read, authorize.AtAPI(orders, "read"))
		if page := b.Get(t, h.AuthorizeURL(client, read)); page.Path() == "/consent" {
			t.Error("asked again for what was allowed")
		}
		for name, more := range map[string]url.Values{
			"the other API":       {"resource": {invoices}, "scope": {"openid read"}},
			"the other API alone": {"resource": {invoices}, "scope": {"openid"}},
			"another scope":       {"resource": {orders}, "scope": {"openid write"}},
		} {
			if page := b.Get(t, h.AuthorizeURL(client, more)); page.Path() != "/consent" {
				t.Errorf("%s: not asked, but %s", name, page.Path())
			}
		}
		apps := b.Get(t, "/account/apps").Text
		if !strings.Contains(apps, "In Orders:") || !strings.Contains(apps, "Read your orders") {
			t.Errorf("the page of connected apps does not say what may be done at the API:\n%s", apps)
		}
		// Who withdraws it takes it back at the APIs too.
		b.Post(t, "/account/apps/remove", url.Values{"app": {client.ID}})
		if page := b.Get(t, h.AuthorizeURL(client, read)); page.Path() != "/consent" {
			t.Errorf("withdrawn, and not asked again, but %s", page.Path())
		}
		// An API that was deleted and made again has been allowed nothing.
		codeFor(t, b, client, read, authorize.AtAPI(orders, "read"))
		if err := h.APIs.Delete(t.Context(), orders+"/"); err != nil {
			t.Fatal(err)
		}
		if to, err := b.Get(t, h.AuthorizeURL(client, read)).Location(); err != nil ||
			to.Query().Get("error") != "invalid_target" {
			t.Errorf("a deleted API: %v, %v", to, err)
		}
		if err := h.APIs.Create(t.Context(), &apis.API{
			Identifier: orders, Name: "Orders", Scopes: []apis.Scope{{Name: "read"}},
		}); err != nil {
			t.Fatal(err)
		}
		if page := b.Get(t, h.AuthorizeURL(client, read)); page.Path() != "/consent" {
			t.Errorf("made again, and not asked, but %s", page.Path())
		}
	})
}

// RFC 7662, section 4: whoever may ask about any token could look for tokens that are good.
func TestWhoMayIntrospect(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		server := h.AddClient(t, func(c *clients.Client) { c.GrantTypes = []string{oidc.GrantClientCredentials} })
		anybody := h.AddClient(t, nil)
		all := h.AddClient(t, func(c *clients.Client) { c.IntrospectsAll = true })
		addAPIs(t, h, func(api *apis.API) {
			if api.Identifier == orders {
				api.IntrospectionClients = []string{server.ID}
			}
		})
		client := h.AddClient(t, func(c *clients.Client) { c.APIs, c.Scopes = []string{orders, invoices}, []string{"read"} })
		token := func(resource string) string {
			form := url.Values{"grant_type": {oidc.GrantClientCredentials}, "scope": {"read"}}
			if resource != "" {
				form.Set("resource", resource)
			}
			got := h.Call(t, oidc.PathToken, client, form)
			if got.Status != http.StatusOK {
				t.Fatalf("%s: %d %v", resource, got.Status, got.JSON)
			}
			return got.Text("access_token")
		}
		for _, c := range []struct {
			resource string
			by       harness.Client
			active   bool
		}{
			{orders, client, true}, {orders, server, true}, {orders, anybody, false}, {orders, all, false},
			{invoices, client, true}, {invoices, server, false},
			{"", client, true}, {"", server, false}, {"", anybody, false}, {"", all, true},
		} {
			got := h.Call(t, oidc.PathIntrospect, c.by, url.Values{"token": {token(c.resource)}})
			if got.Status != http.StatusOK || got.JSON["active"] != c.active || !c.active && len(got.JSON) != 1 {
				t.Errorf("%q by %s: %d %v, want active %v", c.resource, c.by.Name, got.Status, got.JSON, c.active)
			}
		}
		// Tokens of an API that is no more are good for nobody.
		left := token(orders)
		if err := h.APIs.Delete(t.Context(), orders); err != nil {
			t.Fatal(err)
		}
		for _, by := range []harness.Client{client, server} {
			if got := h.Call(t, oidc.PathIntrospect, by, url.Values{"token": {left}}); got.JSON["active"] != false {
				t.Errorf("after the API was deleted: %v", got.JSON)
			}
		}
	})
}

// RFC 6749, section 4.4: which API and which scopes a client gets in its own name.
func TestClientCredentialsAtAPIs(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, func(api *apis.API) { api.TokenLifetime, api.IsOpen = 7200, api.Identifier == invoices })
		app := func(scopes []string, at ...string) harness.Client {
			return h.AddClient(t, func(c *clients.Client) { c.APIs, c.Scopes = at, scopes })
		}
		one, limited, none := app(nil, orders), app([]string{"read"}, orders), app([]string{"own"})
		for _, c := range []struct {
			name            string
			by              harness.Client
			resource, scope string
			audience, want  string // an error where the audience is empty
		}{
			{"the only one", one, "", "read write", orders, "read write"},
			{"by name", one, orders + "/", "", orders, ""},
			{"an open one", one, invoices, "read", invoices, "read"},
			{"a scope of neither", one, "", "admin", "", "invalid_scope"},
			{"a scope of the server", one, "", "openid", "", "invalid_scope"},
			{"a scope that it is not registered for", limited, "", "write", "", "invalid_scope"},
			{"the scope that it is registered for", limited, "", "read", orders, "read"},
			{"not its own", none, orders, "read", "", "invalid_target"},
			{"none", none, "", "own", h.Issuer, "own"},
			{"this server", one, h.Issuer, "", h.Issuer, ""},
			{"unknown", one, "urn:else", "", "", "invalid_target"},
		} {
			form := url.Values{"grant_type": {oidc.GrantClientCredentials}}
			for name, value := range map[string]string{"resource": c.resource, "scope": c.scope} {
				if value != "" {
					form.Set(name, value)
				}
			}
			got := h.Call(t, oidc.PathToken, c.by, form)
			if c.audience == "" {
				if got.Status != http.StatusBadRequest || got.Text("error") != c.want {
					t.Errorf("%s: %d %v, want %s", c.name, got.Status, got.JSON, c.want)
				}
				continue
			}
			if got.Status != http.StatusOK {
				t.Errorf("%s: %d %v", c.name, got.Status, got.JSON)
				continue
			}
			_, claims := claimsOf(t, got.Text("access_token"))
			lasts := 7200.0
			if c.audience == h.Issuer {
				lasts = h.Provider.Lifetimes.AccessToken.Seconds()
			}
			if fmt.Sprint(claims["aud"]) != "["+c.audience+"]" || got.Text("scope") != c.want ||
				got.JSON["expires_in"] != lasts || claims["exp"].(float64)-claims["iat"].(float64) != lasts {
				t.Errorf("%s: %v, %v", c.name, got.JSON, claims)
			}
		}
	})
}

// A server without APIs does not know the parameter, which clients of the Model Context Protocol send to every server.
func TestResourceMeansNothingWithoutAPIs(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		resource := url.Values{"resource": {"https://mcp.example/"}}
		code := codeFor(t, h.NewBrowser(t), client, resource, "profile", "email", "offline_access")
		tokens := h.Call(t, oidc.PathToken, client, url.Values{
			"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
			"code_verifier": {harness.CodeVerifier}, "resource": {"https://mcp.example/"},
		})
		if got := h.Userinfo(t, tokens.Text("access_token")); got.Status != http.StatusOK {
			t.Errorf("%v, %d %v", tokens.JSON, got.Status, got.JSON)
		}
	})
}

// An access token whose typ is JWT, as some libraries want it, is not taken for an ID token, nor the other way round.
func TestPlainJWTsAreToldApart(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		addAPIs(t, h, func(api *apis.API) { api.TokenType = apis.TypeJWT })
		client := h.AddClient(t, func(c *clients.Client) { c.APIs = []string{orders} }) // its ID tokens are ES256 as well
		code := codeFor(t, h.NewBrowser(t), client, url.Values{"resource": {orders}, "scope": {"openid read"}},
			authorize.AtAPI(orders, "read"))
		tokens := h.Redeem(t, client, code)
		access, id := tokens.Text("access_token"), tokens.Text("id_token")
		if header, _ := claimsOf(t, access); header["typ"] != "JWT" {
			t.Errorf("the header is %v", header)
		}
		if got := h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {access}}); got.JSON["active"] != true {
			t.Errorf("introspection of the access token: %v", got.JSON)
		}
		if got := h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {id}}); got.JSON["active"] != false {
			t.Errorf("introspection of the ID token: %v", got.JSON)
		}
		if got := h.Userinfo(t, id); got.Status != http.StatusUnauthorized {
			t.Errorf("userinfo by the ID token: %d %v", got.Status, got.JSON)
		}
		page := h.NewBrowser(t).Get(t, "/logout?id_token_hint="+access)
		if page.StatusCode != http.StatusBadRequest {
			t.Errorf("an access token as a hint: %d\n%s", page.StatusCode, page.Text)
		}
	})
}
