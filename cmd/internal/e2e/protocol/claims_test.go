package protocol

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// aboutPerson are the claims of a set that are about the person.
func aboutPerson(claims map[string]any) map[string]any {
	about := maps.Clone(claims)
	maps.DeleteFunc(about, func(name string, _ any) bool { return oidc.ScopeOf(name) == "" })
	return about
}

func TestIDTokensTellWhatScopesGive(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		told := func(answer harness.Answer) map[string]any {
			t.Helper()
			return aboutPerson(harness.TokenClaims(t, answer.Text("id_token")))
		}
		answer := h.Redeem(t, client, b.Code(t, client, nil))
		byUserinfo := aboutPerson(h.Userinfo(t, answer.Text("access_token")).JSON)
		if got := told(answer); got["name"] != "Alice Example" || got["email"] != harness.Email ||
			got["email_verified"] != true || got["preferred_username"] != harness.Username ||
			!reflect.DeepEqual(got, byUserinfo) {
			t.Errorf("the ID token tells %v, userinfo %v", got, byUserinfo)
		}
		answer = h.Refresh(t, client, answer.Text("refresh_token"))
		if got := told(answer); !reflect.DeepEqual(got, byUserinfo) {
			t.Errorf("after a refresh: %v", got)
		}
		b.Post(t, "/account/profile", url.Values{"name": {"Alice Renamed"}})
		answer = h.Call(t, oidc.PathToken, client, url.Values{
			"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {answer.Text("refresh_token")},
			"scope": {"openid profile"},
		})
		if got := told(answer); got["name"] != "Alice Renamed" || got["email"] != nil {
			t.Errorf("after a change and a refresh of fewer scopes: %v", got)
		}

		for name, c := range map[string]struct {
			change func(*clients.Client)
			scope  string
			want   []string
		}{
			"minimal":   {func(c *clients.Client) { c.IDTokenClaims = clients.IDTokenMinimal }, "openid profile email", nil},
			"no scopes": {func(*clients.Client) {}, "openid", nil},
			"roles":     {func(c *clients.Client) { c.Scopes = []string{"openid", "roles"} }, "openid roles", []string{"roles"}},
		} {
			client := h.AddClient(t, func(registered *clients.Client) {
				registered.IsTrusted = true
				c.change(registered)
			})
			answer := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {c.scope}}))
			if got := slices.Sorted(maps.Keys(told(answer))); !slices.Equal(got, c.want) {
				t.Errorf("%s: the ID token tells %v", name, got)
			}
			if info := h.Userinfo(t, answer.Text("access_token")); c.scope != "openid" && len(aboutPerson(info.JSON)) == 0 {
				t.Errorf("%s: userinfo tells %v", name, info.JSON)
			}
		}

		// What the person unticks is told nowhere.
		reluctant := h.AddClient(t, nil)
		shown := b.Get(t, h.AuthorizeURL(reluctant, nil))
		shown = b.Post(t, "/consent", url.Values{
			"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"profile"},
		})
		location, err := shown.Location()
		if err != nil {
			t.Fatal(err, shown.Text)
		}
		if got := told(h.Redeem(t, reluctant, location.Query().Get("code"))); got["name"] == nil || got["email"] != nil {
			t.Errorf("e-mail was declined: %v", got)
		}
	})
}

// OpenID Connect Core, section 5.5: claims that are asked for by name are told where they are asked for, as far as the
// person allows each.
func TestClaimsAskedForByName(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		client := h.AddClient(t, func(c *clients.Client) { c.IDTokenClaims = clients.IDTokenMinimal })
		ask := func(claims string, more ...string) url.Values {
			parameters := url.Values{"scope": {"openid offline_access"}, "claims": {claims}}
			for _, pair := range more {
				name, value, _ := strings.Cut(pair, "=")
				parameters.Set(name, value)
			}
			return parameters
		}
		const asked = `{
			"userinfo":{"birthdate":{"essential":true},"email":{"value":"\u0000"},"zoneinfo":null,"website#de":null,"roles":null},
			"id_token":{"name#de":null,"email":{"value":"` + harness.Email + `"},"unheard-of":null,"acr":null}}`
		shown := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, ask(asked))))
		for _, words := range []string{"See your date of birth", "See your full name", "See your email address"} {
			if !strings.Contains(shown.Text, words) {
				t.Errorf("the consent page does not say %q:\n%s", words, shown.Text)
			}
		}
		if strings.Contains(shown.Text, "See your roles") || strings.Contains(shown.Text, "See your profile") {
			t.Errorf("the consent page asks for what the app may not have:\n%s", shown.Text)
		}
		allowed := b.Post(t, "/consent", url.Values{
			"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"offline_access"},
			"claim": {"birthdate", "name", "website", "email", "phone_number", "roles"},
		})
		location, err := allowed.Location()
		if err != nil {
			t.Fatal(err, allowed.Text)
		}
		b.Post(t, "/account/profile", url.Values{
			"name": {"Alice Example"}, "birthdate": {"2000-01-02"}, "zoneinfo": {"Europe/Zurich"}, "website": {"https://a.example/"},
		})
		answer := h.Redeem(t, client, location.Query().Get("code"))
		check := func(answer harness.Answer) {
			t.Helper()
			inIDToken := aboutPerson(harness.TokenClaims(t, answer.Text("id_token")))
			if want := map[string]any{"name": "Alice Example", "email": harness.Email}; !reflect.DeepEqual(inIDToken, want) {
				t.Errorf("the ID token tells %v, want %v", inIDToken, want)
			}
			inUserinfo := aboutPerson(h.Userinfo(t, answer.Text("access_token")).JSON)
			if want := map[string]any{
				"birthdate": "2000-01-02", "website": "https://a.example/",
			}; !reflect.DeepEqual(inUserinfo, want) {
				t.Errorf("userinfo tells %v, want %v", inUserinfo, want)
			}
		}
		check(answer)
		check(h.Refresh(t, client, answer.Text("refresh_token")))

		// What was decided is remembered; what was not is asked for.
		check(h.Redeem(t, client, b.Code(t, client, ask(asked, "prompt=none"))))
		more := ask(`{"id_token":{"gender":null}}`)
		if shown := b.Get(t, h.AuthorizeURL(client, more)); !strings.Contains(shown.Text, "See your gender") ||
			strings.Contains(shown.Text, "See your date of birth") {
			t.Errorf("one claim more: %s\n%s", shown.Status, shown.Text)
		}
		silent := b.Get(t, h.AuthorizeURL(client, ask(`{"id_token":{"gender":null}}`, "prompt=none")))
		if location, err := silent.Location(); err != nil || location.Query().Get("error") != "consent_required" {
			t.Errorf("one claim more, silently: %v, %v", location, err)
		}
		if apps := b.Get(t, "/account/apps").Text; !strings.Contains(apps, "See your date of birth") ||
			strings.Contains(apps, "See your time zone") {
			t.Errorf("the account page says of the app:\n%s", apps)
		}
		bad := b.Get(t, h.AuthorizeURL(client, ask(`{"userinfo":{"name":7}}`)))
		if location, err := bad.Location(); err != nil || location.Query().Get("error") != "invalid_request" {
			t.Errorf("a malformed request: %v, %v", location, err)
		}

		// Nobody is asked for our own app, but its scopes bound it all the same.
		ours := h.AddClient(t, func(c *clients.Client) { c.IsTrusted, c.Scopes = true, []string{"openid", "email"} })
		answer = h.Redeem(t, ours, b.Code(t, ours, ask(asked)))
		told := aboutPerson(harness.TokenClaims(t, answer.Text("id_token")))
		if len(told) != 1 || told["email"] != harness.Email {
			t.Errorf("our own app is told %v", told)
		}
		if apps := b.Get(t, "/account/apps").Text; strings.Count(apps, "See your email address") != 2 {
			t.Errorf("the account page does not say what our own app holds by name:\n%s", apps)
		}
	})
}

// OpenID Connect Core, section 5.3.2.
func TestSignedUserinfo(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA} {
			client := h.AddClient(t, func(c *clients.Client) { c.UserinfoAlg = string(alg) })
			access := h.Redeem(t, client, b.Code(t, client, nil)).Text("access_token")
			request, err := http.NewRequest(http.MethodGet, h.Issuer+oidc.PathUserinfo, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+access)
			shown := h.Send(t, request)
			if kind := shown.Header.Get("Content-Type"); kind != "application/jwt" || shown.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s, Content-Type %q: %s", alg, shown.Status, kind, shown.Text)
			}
			payload, _, err := h.Keys.Verify(shown.Text, "", alg)
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			var claims map[string]any
			if err := json.Unmarshal(payload, &claims); err != nil {
				t.Fatal(err)
			}
			if claims["iss"] != h.Issuer || claims["aud"] != client.ID || claims["sub"] != h.User.ID.String() ||
				claims["email"] != harness.Email {
				t.Errorf("%s: %v", alg, claims)
			}
			// It is no ID token, and no access token.
			if _, _, err := h.Keys.Verify(shown.Text, tokens.IDTokenType, alg); err == nil {
				t.Errorf("%s: it passes for an ID token", alg)
			}
			if a := h.Userinfo(t, shown.Text); a.Status != http.StatusUnauthorized || a.Text("error") != "invalid_token" {
				t.Errorf("%s: as an access token: %d %v", alg, a.Status, a.JSON)
			}
		}
	})
}

// What the discovery document says of claims is what there is.
func TestDiscoveryNamesEveryClaim(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		var document struct {
			Claims       []string `json:"claims_supported"`
			Parameter    bool     `json:"claims_parameter_supported"`
			UserinfoAlgs []string `json:"userinfo_signing_alg_values_supported"`
			AuthMethods  []string `json:"token_endpoint_auth_methods_supported"`
		}
		b := h.NewBrowser(t)
		if err := json.Unmarshal([]byte(b.Get(t, oidc.PathConfiguration).Text), &document); err != nil {
			t.Fatal(err)
		}
		if !document.Parameter || fmt.Sprint(document.UserinfoAlgs) != "[RS256 ES256 EdDSA]" ||
			!slices.Contains(document.AuthMethods, clients.AuthBasic) ||
			!slices.Contains(document.AuthMethods, clients.AuthPost) {
			t.Errorf("%+v", document)
		}
		client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		answer := h.Redeem(t, client, b.Code(t, client, nil))
		told := harness.TokenClaims(t, answer.Text("id_token"))
		maps.Copy(told, h.Userinfo(t, answer.Text("access_token")).JSON)
		for _, scope := range oidc.Scopes {
			for _, name := range scope.Claims {
				told[name] = true
			}
		}
		for name := range told {
			if !slices.Contains(document.Claims, name) {
				t.Errorf("claims_supported lacks %s", name)
			}
		}
	})
}
