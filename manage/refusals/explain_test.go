package refusals

import (
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// app is an app as it is registered in these tests.
func app(change func(*clients.Client)) *clients.Client {
	client := &clients.Client{
		ID: "shop", Name: "Shop", RedirectURIs: []string{"https://shop.example/cb", "http://localhost:3000/cb"},
		PostLogoutRedirectURIs: []string{"https://shop.example/bye"}, Scopes: []string{"openid", "email"},
	}
	if change != nil {
		change(client)
	}
	if err := client.Complete(); err != nil {
		panic(err)
	}
	return client
}

func public(c *clients.Client) { c.AuthMethod = clients.AuthNone }

// What a redirect URI differs in, and whether the app may be given it by a click.
func TestRedirectURIsAreExplained(t *testing.T) {
	for _, c := range []struct {
		got, cause string
		mends      bool
		newHost    string
	}{
		{"https://shop.example/cb/", "slash", true, ""},
		{"http://shop.example/cb", "scheme", false, ""}, // http is for this machine
		{"https://shop.example/CB", "case", true, ""},
		{"https://SHOP.example/cb", "case", true, ""},
		{"http://127.0.0.1:3000/cb", "loopback", true, ""},
		{"http://[::1]:3000/cb", "loopback", true, ""},
		{"http://localhost:8080/cb", "port", true, ""},
		{"https://shop.example:8443/cb", "port", true, "shop.example:8443"},
		{"https://www.shop.example/cb", "www", true, "www.shop.example"},
		{"https://staging.shop.example/cb", "host", true, "staging.shop.example"},
		{"https://evil.example/cb", "host", true, "evil.example"},
		{"https://shop.example/callback", "path", true, ""},
		{"https://evil.example/steal", "unregistered", true, "evil.example"},
		{"https://shop.example/cb?…", "query", false, ""},
		{"https://other.example/cb?…", "unregistered", false, ""},
		{"javascript:…", "unregistered", false, ""},
		{"", "relative", false, ""},
		{"com.example.shop:/cb", "unregistered", false, ""},
	} {
		f := facts{Record: Record{Reason: oidc.WrongRedirectURI, ClientID: "shop"}, client: app(nil)}
		if c.got != "" {
			f.Got = []string{c.got}
		}
		cause, mend := f.explain()
		if cause == nil || cause.Code != "refused.redirect."+c.cause {
			t.Errorf("%s: %v, not %s", c.got, cause, c.cause)
		}
		switch {
		case (mend != nil) != c.mends:
			t.Errorf("%s: mended by %+v", c.got, mend)
		case mend != nil && (mend.Member != "redirect_uris" || !slices.Equal(mend.Add, f.Got) || mend.NewHost != c.newHost):
			t.Errorf("%s: mended by %+v", c.got, mend)
		}
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	posts := func(c *clients.Client) { c.AuthMethod = clients.AuthPost }
	dotless := func(c *clients.Client) {
		c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{"cursor://cb"}
	}
	for _, c := range []struct {
		what        string
		reason      string
		client      *clients.Client // nil: there is none
		named       bool
		got, others string // with spaces
		cause       string
		member, add string // of what mends it
	}{
		{what: "no such client", reason: oidc.UnknownClient, got: "shopp", cause: "client"},
		{what: "no such client, with a secret", reason: oidc.WrongCredentials, got: "client_secret_basic shopp", cause: "client"},
		{what: "deleted", reason: oidc.WrongCredentials, named: true, got: "client_secret_basic", cause: "gone"},
		{what: "deleted, by its address", reason: oidc.WrongRedirectURI, named: true, got: "https://shop.example/cb", cause: "gone"},
		{what: "deleted, by its scope", reason: oidc.NoScope, named: true, got: "openid", cause: "gone"},
		{what: "wrong secret", reason: oidc.WrongCredentials, client: app(nil), got: "client_secret_post", cause: "secret.wrong"},
		{what: "no secret", reason: oidc.WrongCredentials, client: app(nil), got: "none", cause: "secret.missing"},
		{what: "a secret of a public app", reason: oidc.WrongCredentials, client: app(public), got: "client_secret_post", cause: "secret.public"},
		{
			what: "another method", reason: oidc.WrongCredentials, client: app(posts), got: "client_secret_basic",
			cause: "secret.method", member: "any_secret_method",
		},
		{what: "a late assertion", reason: oidc.LateAssertion, client: app(nil), cause: "clock"},
		{
			what: "a page of another origin", reason: oidc.UnregisteredOrigin, client: app(nil), got: "https://pages.example",
			cause: "origin", member: "allowed_origins", add: "https://pages.example",
		},
		{
			what: "another app's address", reason: oidc.WrongRedirectURI, client: app(nil), got: "https://wiki.example/cb",
			others: "Wiki", cause: "redirect.other_app",
		},
		{
			what: "registered meanwhile", reason: oidc.WrongRedirectURI, client: app(nil), got: "https://shop.example/cb",
			cause: "mended",
		},
		{
			what: "a scheme of before", reason: oidc.WrongRedirectURI, client: app(dotless), got: "cursor://cb",
			cause: "redirect.dotless",
		},
		{what: "no address", reason: oidc.MissingRedirectURI, client: app(nil), cause: "redirect.missing"},
		{
			what: "after the logout", reason: oidc.WrongLogoutURI, client: app(nil), got: "https://shop.example/bye/",
			cause: "redirect.slash", member: "post_logout_redirect_uris", add: "https://shop.example/bye/",
		},
		{
			what: "a scope of ours", reason: oidc.NoScope, client: app(nil), got: "profile orders:read",
			cause: "scope.unregistered", member: "scope", add: "profile",
		},
		{what: "a scope of nobody", reason: oidc.NoScope, client: app(nil), got: "orders:read", cause: "scope.unknown"},
		{what: "a scope that it has by now", reason: oidc.NoScope, client: app(nil), got: "email", cause: "mended"},
		{
			what: "a grant type", reason: oidc.NoGrantType, client: app(nil), got: "client_credentials",
			cause: "grant_type.unregistered", member: "grant_types", add: "client_credentials",
		},
		{
			what: "a grant type that needs a secret", reason: oidc.NoGrantType, client: app(public), got: "client_credentials",
			cause: "grant_type.unregistered",
		},
		{what: "tokens in the browser", reason: oidc.NoResponseType, client: app(nil), got: "id_token", cause: "flow"},
		{what: "PKCE of a public app", reason: oidc.MissingPKCE, client: app(public), cause: "pkce.public"},
		{what: "PKCE as demanded", reason: oidc.MissingPKCE, client: app(nil), cause: "pkce.required"},
		{what: "nothing to say", reason: "", client: app(nil)},
		{what: "nobody listed", reason: oidc.ExcludedPerson, client: app(nil), cause: "access.nobody"},
	} {
		f := facts{
			Record: Record{Reason: c.reason, Got: strings.Fields(c.got)}, client: c.client, others: strings.Fields(c.others),
		}
		if c.named || c.client != nil {
			f.ClientID = "shop"
		}
		cause, mend := f.explain()
		code := ""
		if cause != nil {
			code = strings.TrimPrefix(cause.Code, "refused.")
		}
		if code != c.cause {
			t.Errorf("%s: explained as %q, not %q", c.what, code, c.cause)
		}
		switch {
		case (mend != nil) != (c.member != ""):
			t.Errorf("%s: mended by %+v", c.what, mend)
		case mend != nil && (mend.Member != c.member || strings.Join(mend.Add, " ") != c.add || mend.Set != (c.add == "")):
			t.Errorf("%s: mended by %+v", c.what, mend)
		}
	}
}

// What is known by a document cannot be changed here, and what is no change is offered to nobody.
func TestWhatCannotBeMended(t *testing.T) {
	document := app(nil)
	document.Origin = clients.OriginDocument
	f := facts{
		Record: Record{Reason: oidc.WrongRedirectURI, ClientID: "shop", Got: []string{"https://shop.example/cb/"}},
		client: document,
	}
	if cause, mend := f.explain(); cause != causeSlash || mend != nil {
		t.Errorf("%v, mended by %+v", cause, mend)
	}
}

func TestReferences(t *testing.T) {
	if got := ReferenceOf("K7QF2M9DABCDEFGHIJKLMNOPQR"); got != "K7QF2M9D" {
		t.Error(got)
	}
	if got := ReferenceOf(""); got != "" {
		t.Error(got)
	}
	for typed, want := range map[string]string{
		"K7QF2M5D": "K7QF2M5D", "k7qf-2m5d": "K7QF2M5D", " k7qf 2m5d ": "K7QF2M5D", "0O1I8B": "OOIIBB", "": "",
		"k\x00\xff9é": "K????",
	} {
		if got := ReadReference(typed); got != want {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
}

func TestWhatMayBeAReference(t *testing.T) {
	for typed, may := range map[string]bool{
		"K7QF2M5D": true, "k7qf-2m5d": true, "K7QF2M5DABCDEFGHIJKLMNOPQR": true, "K7QF2M5": false, "": false,
		"alice@example.com": false, "k7qf_2m5d": false,
	} {
		if MayBeReference(typed) != may {
			t.Errorf("%q may be one: %t", typed, !may)
		}
	}
}

func TestWhatIsKeptIsShort(t *testing.T) {
	long := strings.Repeat("é", 300)
	for sent, want := range map[string]string{
		"as it is": "as it is", "two\nlines\x00": "two lines ", "\xff": " ", long: strings.Repeat("é", 98) + "…",
	} {
		if got := kept(sent); got != want || len(got) > maxText {
			t.Errorf("%q is kept as %q", sent, got)
		}
	}
	many := slices.Repeat([]string{"x", ""}, 50)
	if got := keptAll(many); len(got) != maxTexts/2 {
		t.Errorf("%d texts are kept", len(got))
	}
	if got := keptAll(nil); got == nil || len(got) != 0 {
		t.Errorf("none is kept as %v", got)
	}
}
