package federation

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity"
)

func TestCheckSaysWhatIsWrongWithAProvider(t *testing.T) {
	good := func() Provider {
		return Provider{
			Kind: KindOpenID, Name: "Acme", Issuer: "https://login.acme.example", ClientID: "wicket", Secret: "secret",
		}
	}
	microsoft := func(s Settings) func(*Provider) {
		return func(p *Provider) { p.Kind, p.Issuer, p.Settings = KindMicrosoft, "", s }
	}
	for want, change := range map[string]func(*Provider){
		"kind must be":            func(p *Provider) { p.Kind = "saml" },
		"lower-case letters":      func(p *Provider) { p.ID = "../x" },
		"name for its button":     func(p *Provider) { p.Name = "" },
		"needs the client_id":     func(p *Provider) { p.ClientID = "" },
		"needs the client secret": func(p *Provider) { p.Secret = "" },
		"http:// is for this":     func(p *Provider) { p.Issuer = "http://login.acme.example" },
		"issuer must be a URL":    func(p *Provider) { p.Issuer = "login.acme.example" },
		"must be a URL such":      func(p *Provider) { p.Issuer = "https://x.example/?tenant=1" },
		"not the domain": func(p *Provider) {
			p.Settings.Domains, p.Settings.Emails = []string{"@acme"}, EmailsProved
		},
		"domains count for":          func(p *Provider) { p.Settings.Domains = []string{"acme.example"} },
		"has no field":               func(p *Provider) { p.Settings.Profile = map[string]string{"password": "x"} },
		"rule for a role":            func(p *Provider) { p.Settings.Roles = []RoleRule{{Role: "admin", Claim: "groups"}} },
		"must be unproved":           func(p *Provider) { p.Settings.Emails = "yes" },
		"Microsoft's alone":          func(p *Provider) { p.Settings.Tenant = "common" },
		"must be an id, a domain":    microsoft(Settings{Tenant: "a/b"}),
		"go with the tenant":         microsoft(Settings{Tenant: "consumers", Tenants: []string{personalTenant}}),
		"not the id of a tenant":     microsoft(Settings{Tenants: []string{"acme.example"}}),
		"needs a tenant of your own": microsoft(Settings{Emails: EmailsAuthoritative}),
		"need a tenant of your own": microsoft(Settings{
			Roles: []RoleRule{{Role: "admin", Claim: "roles", Value: "Admin"}},
		}),
		"rules for groups and roles": microsoft(Settings{
			Tenant: "organizations", Groups: []GroupRule{{Group: "staff", Claim: "groups", Value: "all"}},
		}),
	} {
		p := good()
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for kind, emails := range map[string]string{
		KindGoogle: EmailsProved, KindMicrosoft: EmailsUnproved, KindGitHub: EmailsProved,
	} {
		p := Provider{Kind: kind, ClientID: "wicket", Secret: "secret"}
		if err := p.Check(); err != nil || p.ID != kind || p.Name == "" || !strings.HasPrefix(p.Issuer, "https://") ||
			p.Settings.Emails != emails {
			t.Errorf("%s: %v, %+v", kind, err, p)
		}
	}
}

func TestWhichIssuersCountForMicrosoft(t *testing.T) {
	const authority, ours, theirs = "https://login.microsoftonline.com", "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
	shared, own := authority+"/{tenantid}/v2.0", authority+"/"+ours+"/v2.0"
	for _, c := range []struct {
		settings Settings
		document string // the issuer of the discovery document
		issuer   string
		tenant   string
		good     bool
	}{
		{Settings{Tenant: "common"}, shared, own, ours, true},
		{Settings{Tenant: "common"}, shared, authority + "/" + personalTenant + "/v2.0", personalTenant, true},
		{Settings{Tenant: "common"}, shared, own, theirs, false},
		{Settings{Tenant: "common"}, shared, own, "", false},
		{Settings{Tenant: "common"}, shared, shared, "{tenantid}", false},
		{Settings{Tenant: "common"}, shared, "https://evil.example/" + ours + "/v2.0", ours, false},
		{Settings{Tenant: "common", Tenants: []string{ours}}, shared, own, ours, true},
		{Settings{Tenant: "common", Tenants: []string{ours}}, shared, authority + "/" + theirs + "/v2.0", theirs, false},
		{Settings{Tenant: "organizations"}, shared, own, ours, true},
		{Settings{Tenant: "organizations"}, shared, authority + "/" + personalTenant + "/v2.0", personalTenant, false},
		{Settings{Tenant: "consumers"}, authority + "/" + personalTenant + "/v2.0", authority + "/" + personalTenant +
			"/v2.0", personalTenant, true},
		{Settings{Tenant: "consumers"}, shared, own, ours, false},
		{Settings{Tenant: ours}, own, own, ours, true},
		{Settings{Tenant: ours}, own, authority + "/" + theirs + "/v2.0", theirs, false},
		{Settings{Tenant: ours}, shared, authority + "/" + theirs + "/v2.0", theirs, false},
		{Settings{Tenant: "acme.example"}, own, own, ours, true},
		{Settings{Tenant: "acme.example"}, own, authority + "/" + theirs + "/v2.0", theirs, false},
	} {
		p := Provider{Kind: KindMicrosoft, Issuer: authority, Settings: c.settings}
		_, err := microsoft{}.tokenIssuer(&p, &metadata{Issuer: c.document}, c.issuer, c.tenant)
		if (err == nil) != c.good {
			t.Errorf("%+v: %s of %s: %v", c.settings, c.issuer, c.tenant, err)
		}
	}
}

func TestGoogleHasTwoSpellings(t *testing.T) {
	for issuer, good := range map[string]bool{"https://accounts.google.com": true, "accounts.google.com": true, "https://accounts.google.com.evil.example": false, "": false} {
		p := Provider{Kind: KindGoogle, Issuer: authorityGoogle}
		kept, err := google{}.tokenIssuer(&p, &metadata{Issuer: authorityGoogle}, issuer, "")
		if (err == nil) != good || good && kept != authorityGoogle {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}

func TestWhoMayRegisterByDomain(t *testing.T) {
	for _, c := range []struct {
		kind, email, hosted string
		proved, may         bool
	}{
		{KindOpenID, "g@acme.example", "", true, true},
		{KindOpenID, "g@ACME.example", "", true, true},
		{KindOpenID, "g@acme.example", "", false, false},
		{KindOpenID, "g@other.example", "", true, false},
		{KindOpenID, "g@acme.example.evil.example", "", true, false},
		{KindOpenID, "", "", true, false},
		{KindOpenID, "g@other.example", "acme.example", true, false}, // hd is Google's word alone
		{KindGoogle, "g@acme.example", "acme.example", true, true},
		{KindGoogle, "g@acme.example", "other.example", true, false},
		{KindGoogle, "g@acme.example", "", true, false}, // typed there once; the domain does not know of it
	} {
		p := Provider{Kind: c.kind, Settings: Settings{Domains: []string{"acme.example"}}}
		if may := p.isOfDomains(&verifiedClaims{Email: c.email, Hosted: c.hosted}, c.proved); may != c.may {
			t.Errorf("%+v: %t", c, may)
		}
	}
}

func TestGoogleSpeaksForItsOwnAddresses(t *testing.T) {
	for _, c := range []struct {
		kind, email, hosted string
		want                bool
	}{
		{KindGoogle, "g@gmail.com", "", true},
		{KindGoogle, "g@acme.example", "acme.example", true},
		{KindGoogle, "g@acme.example", "", false},
		{KindGoogle, "g@notgmail.com", "", false},
		{KindOpenID, "g@acme.example", "", true},
	} {
		p := Provider{Kind: c.kind, Settings: Settings{Emails: EmailsAuthoritative}}
		external, err := p.external(&verifiedClaims{Subject: "s", Email: c.email, EmailVerified: true, Hosted: c.hosted}, nil)
		if err != nil || external.EmailsAuthoritative != c.want || !external.EmailProved {
			t.Errorf("%+v: %+v, %v", c, external, err)
		}
	}
}

func TestWhichAddressesAreVerified(t *testing.T) {
	for _, c := range []struct {
		claims map[string]any
		want   bool
	}{
		{map[string]any{}, false},
		{map[string]any{"email_verified": true}, true},
		{map[string]any{"email_verified": "true"}, true},
		{map[string]any{"email_verified": false}, false},
		{map[string]any{"email_verified": "false"}, false},
		{map[string]any{"email_verified": 1.0}, true},
		{map[string]any{"email_verified": map[string]any{}}, false},
		{map[string]any{"xms_edov": true}, true},
		{map[string]any{"xms_edov": "1"}, true},
		{map[string]any{"xms_edov": "0"}, false},
		{map[string]any{"email_verified": false, "xms_edov": true}, false},
	} {
		c.claims["email"] = "g@acme.example"
		s := &verifiedClaims{claims: c.claims}
		if s.readEmail(); s.EmailVerified != c.want {
			t.Errorf("%v: %t", c.claims, s.EmailVerified)
		}
	}
}

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		amr      []string
		acr      string
		want     identity.Evidence
	}{
		{Settings{}, []string{"pwd", "mfa"}, "urn:x", identity.Evidence{AMR: []string{"fed"}, ACR: identity.ACRFederated}},
		{Settings{TrustAMR: true}, []string{"pwd"}, "", identity.Evidence{
			AMR: []string{"fed", "pwd"}, ACR: identity.ACRFederated,
		}},
		{Settings{TrustAMR: true}, []string{"pwd", "mfa", "otp"}, "", identity.Evidence{
			AMR: []string{"fed", "pwd", "mfa", "otp"}, ACR: identity.ACRMultiFactor,
		}},
		{Settings{TrustAMR: true}, []string{"", "<b>", "a b", strings.Repeat("x", 33)}, "", identity.Evidence{
			AMR: []string{"fed"}, ACR: identity.ACRFederated,
		}},
		{Settings{MultiFactor: "urn:x"}, []string{"pwd"}, "urn:x", identity.Evidence{
			AMR: []string{"fed", "mfa"}, ACR: identity.ACRMultiFactor,
		}},
		{Settings{MultiFactor: "urn:x"}, []string{"mfa"}, "urn:y", identity.Evidence{
			AMR: []string{"fed"}, ACR: identity.ACRFederated,
		}},
	} {
		p := Provider{Settings: c.settings}
		if got := p.evidence(&verifiedClaims{AMR: c.amr, ACR: c.acr}); got.ACR != c.want.ACR ||
			!slices.Equal(got.AMR, c.want.AMR) {
			t.Errorf("%+v %v %s: %+v", c.settings, c.amr, c.acr, got)
		}
	}
}

func TestClaimValues(t *testing.T) {
	s := &verifiedClaims{claims: map[string]any{
		"one": "a", "many": []any{"a", "b", 3.0, true}, "object": map[string]any{"admin": map[string]any{}},
		"realm_access":               map[string]any{"roles": []any{"x"}},
		"https://acme.example/roles": []any{"y"}, "number": 7.0, "null": nil,
	}}
	for claim, want := range map[string]string{
		"one": "a", "many": "a b 3 true", "object": "admin", "realm_access.roles": "x", "https://acme.example/roles": "y",
		"number": "7", "null": "", "none": "", "one.x": "", "realm_access.none": "", "": "",
	} {
		if got := strings.Join(s.values(claim), " "); got != want {
			t.Errorf("%q: %q, want %q", claim, got, want)
		}
	}
}

func TestWhatIsKeptOfClaims(t *testing.T) {
	s := &verifiedClaims{
		claims: map[string]any{"name": "a\x00b", "nonce": "n", "x\x00": 1, "list": []any{"\x00", map[string]any{"\x00k": "v\x00"}}},
	}
	kept := s.keep()
	if encoded, err := json.Marshal(kept); err != nil || strings.Contains(string(encoded), `\u0000`) {
		t.Errorf("what PostgreSQL refuses is kept: %s, %v", encoded, err)
	}
	if _, there := kept["nonce"]; there || kept["x"] != 1 || kept["name"] != "ab" || kept["list"].([]any)[0] != "" ||
		kept["list"].([]any)[1].(map[string]any)["k"] != "v" {
		t.Errorf("%#v", kept)
	}
	if kept := (&verifiedClaims{claims: map[string]any{"x": strings.Repeat("x", maxKept)}}).keep(); len(kept) != 1 ||
		kept["left_out"] == nil {
		t.Error("claims without end are kept")
	}
}
