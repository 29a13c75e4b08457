package federation

import (
	"net/url"
	"slices"
	"testing"

	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/identity"
)

func TestWhatEachKindIsAskedFor(t *testing.T) {
	acr := []string{"urn:x", identity.ACRMultiFactor}
	for _, c := range []struct {
		kind     string
		settings Settings
		o        RequestOptions
		want     string // the parameters that depend on kind and request
	}{
		{KindOpenID, Settings{}, RequestOptions{}, ""},
		{KindOpenID, Settings{}, RequestOptions{LoginHint: "g"}, "login_hint=g"},
		{KindOpenID, Settings{}, RequestOptions{Select: true}, ""},
		{KindOpenID, Settings{}, RequestOptions{Again: true, Select: true}, "max_age=0&prompt=login"},
		{KindOpenID, Settings{MultiFactor: "m"}, RequestOptions{ACRValues: acr}, "acr_values=urn%3Ax+m"},
		{KindOpenID, Settings{Domains: []string{"a.example"}}, RequestOptions{}, ""},
		{KindGoogle, Settings{}, RequestOptions{}, ""},
		{KindGoogle, Settings{}, RequestOptions{LoginHint: "g", Again: true}, "login_hint=g&prompt=select_account"},
		{KindGoogle, Settings{}, RequestOptions{Select: true, ACRValues: acr}, "prompt=select_account"},
		{KindGoogle, Settings{Domains: []string{"a.example"}}, RequestOptions{}, "hd=a.example"},
		{KindGoogle, Settings{Domains: []string{"a.example", "b.example"}}, RequestOptions{}, ""},
		{KindMicrosoft, Settings{}, RequestOptions{LoginHint: "g"}, "login_hint=g"},
		{KindMicrosoft, Settings{}, RequestOptions{Again: true, Select: true}, "prompt=login"},
		{KindMicrosoft, Settings{MultiFactor: "m"}, RequestOptions{Select: true, ACRValues: acr}, "prompt=select_account"},
		{KindGitHub, Settings{}, RequestOptions{}, ""},
		{KindGitHub, Settings{}, RequestOptions{LoginHint: "g", Again: true}, "login=g&prompt=select_account"},
		{KindGitHub, Settings{}, RequestOptions{Select: true, ACRValues: acr}, "prompt=select_account"},
	} {
		p := Provider{Kind: c.kind, Settings: c.settings}
		got := make(url.Values)
		for name, value := range p.kind().parameters(&p, c.o, "n") {
			got.Set(name, value)
		}
		if got.Has("nonce") != p.SendsLogoutTokens() {
			t.Errorf("%s: nonce %q", c.kind, got.Get("nonce"))
		}
		got.Del("nonce")
		if got.Encode() != c.want {
			t.Errorf("%s %+v %+v: %s, want %s", c.kind, c.settings, c.o, got.Encode(), c.want)
		}
	}
}

func TestWhichScopesEachKindNeeds(t *testing.T) {
	for _, c := range []struct {
		kind             string
		configured, want []string
	}{
		{KindOpenID, nil, []string{"openid", "profile", "email"}},
		{KindOpenID, []string{"email"}, []string{"openid", "email"}},
		{KindOpenID, []string{"email", "openid"}, []string{"email", "openid"}},
		{KindGoogle, nil, []string{"openid", "profile", "email"}},
		{KindMicrosoft, []string{"User.Read"}, []string{"openid", "User.Read"}},
		{KindGitHub, nil, []string{"read:user", "user:email"}},
		{KindGitHub, []string{"read:org"}, []string{"read:org"}},
	} {
		p := Provider{Kind: c.kind}
		if got := p.kind().scopes(c.configured); !slices.Equal(got, c.want) {
			t.Errorf("%s %v: %v, want %v", c.kind, c.configured, got, c.want)
		}
	}
}

func TestHowTheClientAuthenticates(t *testing.T) {
	gitHubs, err := gitHub{}.discover(t.Context(), &Provider{Issuer: authorityGitHub}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind string
		m    *metadata
		want oauth2.AuthStyle
	}{
		{KindOpenID, &metadata{}, oauth2.AuthStyleInHeader},
		{KindOpenID, &metadata{TokenAuthMethods: []string{"client_secret_post", "client_secret_basic"}}, oauth2.AuthStyleInHeader},
		{KindOpenID, &metadata{TokenAuthMethods: []string{"client_secret_post"}}, oauth2.AuthStyleInParams},
		{KindGitHub, gitHubs, oauth2.AuthStyleInParams},
	} {
		config, err := new(Upstreams).oauth(&Provider{Kind: c.kind, Named: true, Secret: "secret"}, c.m)
		if err != nil || config.Endpoint.AuthStyle != c.want {
			t.Errorf("%s %v: %v, want %v, %v", c.kind, c.m.TokenAuthMethods, config.Endpoint.AuthStyle, c.want, err)
		}
	}
}

func TestWhichIssuerMayAnswer(t *testing.T) {
	const tenant = "11111111-2222-3333-4444-555555555555"
	shared, own := authorityMicrosoft+"/{tenantid}/v2.0", authorityMicrosoft+"/"+tenant+"/v2.0"
	for _, c := range []struct {
		kind, authority, document, issuer string
		good                              bool
	}{
		{KindOpenID, "https://acme.example", "https://acme.example", "https://acme.example", true},
		{KindOpenID, "https://acme.example", "https://acme.example", "https://acme.example/", false},
		{KindOpenID, "https://acme.example", "https://acme.example", "", false},
		{KindGitHub, authorityGitHub, authorityGitHub, authorityGitHub, true},
		{KindGitHub, authorityGitHub, authorityGitHub, "https://evil.example", false},
		{KindGoogle, authorityGoogle, authorityGoogle, "accounts.google.com", true},
		{KindGoogle, authorityGoogle, authorityGoogle, "https://accounts.google.com.evil.example", false},
		{KindGoogle, "https://acme.example", "https://acme.example", "acme.example", false},
		{KindMicrosoft, authorityMicrosoft, shared, shared, true},
		{KindMicrosoft, authorityMicrosoft, shared, own, true},
		{KindMicrosoft, authorityMicrosoft, own, own, true},
		{KindMicrosoft, authorityMicrosoft, shared, "https://evil.example/" + tenant + "/v2.0", false},
		{KindMicrosoft, authorityMicrosoft, shared, authorityMicrosoft + "/x/v2.0", false},
		{KindMicrosoft, authorityMicrosoft, shared, "", false},
	} {
		p := Provider{Kind: c.kind, Issuer: c.authority, Settings: Settings{Tenant: "common"}}
		if err := p.kind().checkResponseIssuer(&p, &metadata{Issuer: c.document}, c.issuer); (err == nil) != c.good {
			t.Errorf("%s: %s of %s: %v", c.kind, c.issuer, c.document, err)
		}
	}
}
