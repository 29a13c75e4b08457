package clients_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/redirection"
)

// Schemes that no operator can allow, for no app is behind them.
func TestWhichRedirectSchemesMayBeAllowed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"cursor", "cursor,vscode", "vscode-insiders, windsurf", "com-example+1"} {
		if schemes, err := redirection.ParseSchemes(text); err != nil || len(schemes) != strings.Count(text, ",")+1 {
			t.Errorf("%q: %q, %v", text, schemes, err)
		}
	}
	for _, text := range []string{
		"", ",", "cursor,", "Cursor", "cursor:", "cursor://", "com.example.app", "*", "c", "1cursor", "cürsor", "a b", "-a",
		strings.Repeat("a", 41), "javascript", "cursor,javascript", "data", "file", "blob", "http", "https", "httpx", "https-x",
		"hxxps", "about", "vbscript", "intent", "view-source", "filesystem", "chrome-extension", "ms-settings", "search-ms",
		"web+app", "mailto", "tel", "ws", "wss", "localhost", "jar", "ssh", "smb",
	} {
		if schemes, err := redirection.ParseSchemes(text); err == nil {
			t.Errorf("%q: %q", text, schemes)
		}
	}
}

// A scheme without a dot is for public apps by the operator's leave, whichever way they are registered.
func TestRedirectSchemesByTheOperatorsLeave(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := func(method string, change func(*clients.Client)) *clients.Client {
			c := &clients.Client{
				ID: "editor", Name: "Editor", AuthMethod: method, RedirectURIs: []string{"https://editor.example/cb", "cursor://callback"},
			}
			if change != nil {
				change(c)
			}
			return c
		}
		after := func(c *clients.Client) {
			c.RedirectURIs, c.PostLogoutRedirectURIs = []string{"https://editor.example/cb"}, []string{"cursor:/bye"}
		}
		for name, c := range map[string]struct {
			client  *clients.Client
			schemes []string
		}{
			"without a word":                  {app(clients.AuthNone, nil), nil},
			"another":                         {app(clients.AuthNone, nil), []string{"vscode"}},
			"the beginning of one":            {app(clients.AuthNone, nil), []string{"cur", "cursors"}},
			"with a secret":                   {app(clients.AuthBasic, nil), []string{"cursor"}},
			"with keys":                       {app(clients.AuthPrivateKeyJWT, func(c *clients.Client) { c.JWKSURI = "https://editor.example/jwks" }), []string{"cursor"}},
			"after a logout":                  {app(clients.AuthNone, after), nil},
			"after a logout, a secret":        {app(clients.AuthBasic, after), []string{"cursor"}},
			"what cannot be allowed":          {app(clients.AuthNone, func(c *clients.Client) { c.RedirectURIs[1] = "javascript:alert(1)" }), []string{"javascript"}},
			"what looks like http":            {app(clients.AuthNone, func(c *clients.Client) { c.RedirectURIs[1] = "httpx://editor.example/cb" }), []string{"httpx"}},
			"trusted, which would ask nobody": {app(clients.AuthNone, func(c *clients.Client) { c.IsTrusted = true }), []string{"cursor"}},
		} {
			h.RedirectSchemes = c.schemes
			if _, err := h.Clients.Create(t.Context(), c.client); !errors.Is(err, clients.ErrClient) {
				t.Errorf("%s: created, %v", name, err)
			}
			if _, _, err := h.Clients.Declare(t.Context(), declared(c.client)); !errors.Is(err, clients.ErrClient) {
				t.Errorf("%s: declared, %v", name, err)
			}
		}
		h.RedirectSchemes = []string{"vscode", "cursor"}
		h.Add(t, app(clients.AuthNone, nil))
		h.Pass(time.Second)
		_, _, err := h.Clients.Update(t.Context(), "editor", func(c *clients.Client) error { after(c); return nil })
		if err != nil {
			t.Errorf("updated: %v", err)
		}
		h.Pass(time.Second)
		if _, _, err := h.Clients.Declare(t.Context(), declared(app(clients.AuthNone, nil))); err != nil {
			t.Errorf("declared: %v", err)
		}
		// Once it is taken back, the app stays as it is, and nothing is sent to where it was allowed.
		registered, err := h.Clients.Fresh(t.Context(), "editor")
		if err != nil || !slices.Contains(registered.RedirectURIs, "cursor://callback") {
			t.Fatalf("%+v, %v", registered, err)
		}
		for schemes, may := range map[string]bool{"cursor": true, "vscode": false} {
			sent := clients.CheckRedirectScheme(registered, "cursor://callback", []string{schemes}) == nil
			if sent != may || clients.CheckRedirectScheme(registered, "https://editor.example/cb", nil) != nil {
				t.Errorf("with %s, answers go to cursor://callback: %v", schemes, !may)
			}
		}
		h.RedirectSchemes = nil
		_, _, err = h.Clients.Update(t.Context(), "editor", func(c *clients.Client) error { c.Name = "X"; return nil })
		if !errors.Is(err, clients.ErrRedirectURI) {
			t.Errorf("changed without the leave: %v", err)
		}
	})
}

func declared(c *clients.Client) []clients.Declaration {
	one := clients.Declaration{Client: c}
	if c.HasSecret() {
		one.Secret = strings.Repeat("s", 32)
	}
	return []clients.Declaration{one}
}
