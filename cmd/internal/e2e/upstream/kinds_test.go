package upstream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Google tells everything in the ID token, and whose Workspace somebody belongs to in hd.
func TestGoogle(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		startUpstream(
			t, h,
			federation.Provider{
				Kind: federation.KindGoogle, Settings: federation.Settings{Registration: true, Domains: []string{"acme.example"}},
			},
			"AUTH_METHOD=client_secret_post",
		)
		b := h.NewBrowser(t)
		there := b.ToUpstream(t, "google", harness.Page{})
		if asked := askedOf(t, there); asked["hd"] != "acme.example" && asked["scope"] != "openid profile email" {
			t.Errorf("asked Google: %v", asked)
		}
		signInUpstream(t, b, there, someone("1080", map[string]any{
			"email": "gina@acme.example", "hd": "acme.example", "given_name": "Gina", "preferred_username": nil,
		}))
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"gina"}}); shown.Path() != "/account" {
			t.Fatalf("%s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		gina, err := h.Identity.Users().Find(t.Context(), "gina@acme.example") // verified by Google's word
		if err != nil {
			t.Fatal(err)
		}
		if profile, err := h.Identity.Profiles().Of(t.Context(), gina.ID); err != nil || profile.GivenName != "Gina" {
			t.Errorf("%+v, %v", profile, err)
		}
		for name, claims := range map[string]map[string]any{
			"of another Workspace":  {"email": "x@other.example", "hd": "other.example"},
			"of none":               {"email": "x@acme.example"},
			"of another, by e-mail": {"email": "x@acme.example", "hd": "other.example"},
		} {
			if shown := signInFrom(t, h.NewBrowser(t), "google", someone("1081", claims)); shown.Path() != "/arrival" ||
				strings.Contains(shown.Text, `id="register"`) {
				t.Errorf("somebody %s may make an account: %s", name, shown.Status)
			}
		}
	})
}

// Microsoft's issuer depends on the tenant, and whoever runs a tenant may write any address into it.
func TestMicrosoft(t *testing.T) {
	t.Parallel()
	const another = "66666666-7777-8888-9999-000000000000"
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		ms := func(id string, settings federation.Settings) federation.Provider {
			settings.Registration = true
			return federation.Provider{ID: id, Kind: federation.KindMicrosoft, Settings: settings}
		}
		claims := func(tenant string) map[string]any {
			return someone("AAAA", map[string]any{
				"tid": tenant, "oid": "7f1c", "email": harness.Email, "email_verified": nil,
				"preferred_username": "alice@contoso.example",
			})
		}
		startUpstream(t, h, ms("common", federation.Settings{}))
		startUpstream(t, h, ms("single", federation.Settings{Tenant: harness.UpstreamTenant}))
		startUpstream(t, h, ms("several", federation.Settings{Tenant: "organizations", Tenants: []string{another}}))
		for _, id := range []string{"common", "single"} {
			b := h.NewBrowser(t)
			shown := signInFrom(t, b, id, claims(harness.UpstreamTenant))
			if shown.Path() != "/arrival" || strings.Contains(shown.Text, "There is an account") {
				t.Fatalf("%s: %s %s\n%s", id, shown.Status, shown.Request.URL, shown.Text)
			}
			if shown := b.Post(t, "/arrival/register", url.Values{"username": {id}}); shown.Path() != "/account" {
				t.Fatalf("%s: %s\n%s", id, shown.Status, shown.Text)
			}
			user, err := h.Identity.Users().Find(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if account := h.Linked(t, user)[0]; !strings.HasSuffix(account.Issuer, "/"+harness.UpstreamTenant+"/v2.0") ||
				!strings.Contains(string(account.Profile), "7f1c") {
				t.Errorf("%s: %+v %s", id, account, account.Profile)
			}
			if emails, err := h.Identity.Emails().List(t.Context(), user.ID); err != nil || len(emails) != 1 ||
				emails[0].VerifiedAt != nil {
				t.Errorf("%s: an address that Microsoft does not vouch for: %+v, %v", id, emails, err)
			}
			// The issuer of one tenant with the word of another, and none.
			for _, tenant := range []any{another, nil, "common"} {
				scripted := claims("")
				if scripted["tid"] = tenant; tenant == nil {
					delete(scripted, "tid")
				}
				b := h.NewBrowser(t)
				refusedUpstream(t, fmt.Sprintf("%s as %v", id, tenant), b, signInFrom(t, b, id, scripted))
			}
		}
		b := h.NewBrowser(t)
		refusedUpstream(t, "a tenant that is not on the list", b, signInFrom(t, b, "several", claims(harness.UpstreamTenant)))
	})
}

// gitHub answers as GitHub's public documentation says: "Authorizing OAuth apps", "Troubleshooting OAuth app access
// token request errors", "REST API endpoints for users", "for emails" and "Rate limits for the REST API".
type gitHub struct {
	t   testing.TB
	url string

	mu        sync.Mutex
	challenge string
	redirect  string
	granted   string // scopes
	user      map[string]any
	emails    []map[string]any
	fault     func(w http.ResponseWriter, r *http.Request) bool
	deny      bool
}

func startGitHub(t testing.TB) *gitHub {
	t.Helper()
	g := &gitHub{t: t, granted: "read:user,user:email"}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	g.user = map[string]any{
		"login": "octocat", "id": 583231, "node_id": "MDQ6VXNlcjU4MzIzMQ==",
		"avatar_url": "https://avatars.githubusercontent.com/u/583231", "html_url": "https://github.com/octocat",
		"type": "User", "site_admin": false, "name": "The Octocat", "company": "@github", "blog": "https://github.blog",
		"location": "San Francisco", "email": harness.Email, "hireable": nil, "bio": nil,
	}
	g.emails = []map[string]any{
		{"email": "old@octo.example", "primary": false, "verified": true, "visibility": nil},
		{"email": "octocat@octo.example", "primary": true, "verified": true, "visibility": "private"},
		{"email": harness.Email, "primary": false, "verified": false, "visibility": nil},
	}
	return g
}

func (g *gitHub) now(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault != nil && g.fault(w, r) {
		return
	}
	query := r.URL.Query()
	switch r.URL.Path {
	case "/login/oauth/authorize":
		if query.Get("client_id") != "wicket" || query.Get("scope") != "read:user user:email" ||
			query.Get("code_challenge_method") != "S256" || query.Get("response_type") != "code" {
			g.t.Errorf("asked GitHub: %v", query)
		}
		g.challenge, g.redirect = query.Get("code_challenge"), query.Get("redirect_uri")
		answer := url.Values{"state": {query.Get("state")}}
		if g.deny {
			answer.Set("error", "access_denied")
			answer.Set("error_description", "The user has denied your application access.")
		} else {
			answer.Set("code", "0123456789abcdef0123")
		}
		http.Redirect(w, r, g.redirect+"?"+answer.Encode(), http.StatusFound)
	case "/login/oauth/access_token":
		refuse := ""
		switch {
		case r.FormValue("client_id") != "wicket" || r.FormValue("client_secret") != harness.UpstreamSecret:
			refuse = "incorrect_client_credentials"
		case r.FormValue("code") != "0123456789abcdef0123" || oauthChallenge(r.FormValue("code_verifier")) != g.challenge:
			refuse = "bad_verification_code"
		case r.FormValue("redirect_uri") != g.redirect:
			refuse = "redirect_uri_mismatch"
		}
		answer := url.Values{
			"access_token": {"gho_16C7e42F292c6912E7710c838347Ae178B4a"}, "scope": {g.granted}, "token_type": {"bearer"},
		}
		if refuse != "" {
			answer = url.Values{
				"error": {refuse}, "error_description": {"The code passed is incorrect or expired."},
				"error_uri": {"https://docs.github.com/apps"},
			}
		}
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8") // and 200, also for errors
		_, _ = w.Write([]byte(answer.Encode()))
	case "/api/v3/user", "/api/v3/user/emails":
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "4999")
		switch {
		case r.Header.Get("User-Agent") == "":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(
				[]byte(
					`{"message":"Request forbidden by administrative rules. Please make sure your request has a User-Agent header."}`,
				),
			)
		case r.Header.Get("Authorization") != "Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write(
				[]byte(`{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`),
			)
		case r.URL.Path == "/api/v3/user":
			_ = json.NewEncoder(w).Encode(g.user)
		case !strings.Contains(g.granted, "user:email"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`))
		default:
			_ = json.NewEncoder(w).Encode(g.emails)
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		g := startGitHub(t)
		h.AddProvider(t, &federation.Provider{
			Kind: federation.KindGitHub, Issuer: g.url, ClientID: "wicket", Secret: harness.UpstreamSecret,
			Settings: federation.Settings{Registration: true, KeepTokens: true},
		})
		b := h.NewBrowser(t)
		shown := b.ToUpstream(t, "github", harness.Page{})
		if shown.Path() != "/arrival" || !strings.Contains(shown.Text, "octocat@octo.example") ||
			!strings.Contains(shown.Text, `value="octocat"`) {
			t.Fatalf("%s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"octocat"}}); shown.Path() != "/account" {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		cat, err := h.Identity.Users().Find(t.Context(), "octocat@octo.example")
		if err != nil {
			t.Fatal(err)
		}
		account := h.Linked(t, cat)[0]
		if account.Subject != "583231" || account.Issuer != g.url || strings.Contains(string(account.SealedTokens), "gho_") {
			t.Errorf("%+v", account)
		}
		if tokens, err := h.Identity.ExternalAccounts().Tokens(t.Context(), &account); err != nil ||
			!strings.Contains(string(tokens), "gho_16C7e42F292c6912E7710c838347Ae178B4a") {
			t.Errorf("tokens: %s, %v", tokens, err)
		}
		if profile, err := h.Identity.Profiles().Of(t.Context(), cat.ID); err != nil || profile.Name != "The Octocat" ||
			profile.Website != "https://github.blog" || profile.Picture == "" {
			t.Errorf("%+v, %v", profile, err)
		}
		// The name there may change hands; the number does not.
		g.now(func() { g.user["login"] = "renamed" })
		if shown := h.NewBrowser(t).ToUpstream(t, "github", harness.Page{}); shown.Path() != "/account" ||
			!strings.Contains(shown.Text, "The Octocat") {
			t.Errorf("after renaming: %s", shown.Request.URL)
		}
		g.now(func() { g.user["id"], g.user["login"] = 99, "octocat" })
		shown = h.NewBrowser(t).ToUpstream(t, "github", harness.Page{})
		if shown.Path() != "/arrival" || !strings.Contains(shown.Text, "There is an account with this email address") {
			t.Errorf("somebody else of the same name: %s %s", shown.Status, shown.Request.URL)
		}
		// No address that is verified and primary: none, and never the public one.
		for name, c := range map[string]struct {
			granted string
			emails  []map[string]any
		}{
			"unverified": {"read:user,user:email", []map[string]any{
				{"email": harness.Email, "primary": true, "verified": false},
			}},
			"not primary": {"read:user,user:email", []map[string]any{
				{"email": harness.Email, "primary": false, "verified": true},
			}},
			"not granted": {"read:user", []map[string]any{{"email": harness.Email, "primary": true, "verified": true}}},
			"none":        {"read:user,user:email", nil},
		} {
			g.now(func() { g.granted, g.emails = c.granted, c.emails })
			if shown := h.NewBrowser(t).ToUpstream(t, "github", harness.Page{}); shown.Path() != "/arrival" ||
				strings.Contains(shown.Text, "@") || strings.Contains(shown.Text, "There is an account") {
				t.Errorf("%s: %s %s\n%s", name, shown.Status, shown.Request.URL, shown.Text)
			}
		}
		on := func(path string, status int, header, body string) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != path {
					return false
				}
				if name, value, ok := strings.Cut(header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
				return true
			}
		}
		for name, fault := range map[string]func(http.ResponseWriter, *http.Request) bool{
			"the rate limit": on(
				"/api/v3/user", 403, "X-RateLimit-Remaining: 0", `{"message":"API rate limit exceeded for user ID 583231."}`,
			),
			"the secondary rate limit": on(
				"/api/v3/user/emails", 429, "Retry-After: 60", `{"message":"You have exceeded a secondary rate limit."}`,
			),
			"bad credentials": on("/api/v3/user", 401, "", `{"message":"Bad credentials"}`),
			"a used code": on(
				"/login/oauth/access_token", 200, "",
				`{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`,
			),
			"a bad day":               on("/api/v3/user", 503, "", `<html>Unicorn!</html>`),
			"no JSON":                 on("/api/v3/user", 200, "", `<html>`),
			"no id":                   on("/api/v3/user", 200, "", `{"login":"octocat"}`),
			"an id that is no number": on("/api/v3/user", 200, "", `{"login":"octocat","id":"583231"}`),
		} {
			g.now(func() { g.fault = fault })
			b := h.NewBrowser(t)
			refusedUpstream(t, name, b, b.ToUpstream(t, "github", harness.Page{}))
		}
		g.now(func() { g.fault, g.deny = nil, true })
		if shown := h.NewBrowser(t).ToUpstream(t, "github", harness.Page{}); !strings.Contains(
			shown.Text, "You are not signed in",
		) || !strings.Contains(shown.Text, `id="another-way"`) {
			t.Errorf("denied: %s\n%s", shown.Status, shown.Text)
		}
	})
}

// Profile and roles follow the provider, as far as the operator maps them; what an operator granted stays.
func TestClaimsAndRolesFollowTheProvider(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		p := anyProvider()
		p.Settings.Profile = map[string]string{"nickname": "department", "name": "name"}
		p.Settings.Roles = []federation.RoleRule{
			{Role: "admin", Claim: "groups", Value: "wicket-admins"},
			{Role: "staff", Claim: "realm_access.roles", Value: "staff"}, {Role: "admin", Claim: "department", Value: "IT"},
		}
		p.Settings.Groups = []federation.GroupRule{
			{Group: "admins", Claim: "groups", Value: "wicket-admins"}, {Group: "it", Claim: "department", Value: "IT"},
		}
		startUpstream(t, h, p)
		come := func(change map[string]any) (*identity.User, string) {
			t.Helper()
			b := h.NewBrowser(t)
			if shown := signInFrom(t, b, "oidc", someone("carol", change)); shown.Path() == "/arrival" {
				b.Post(t, "/arrival/register", url.Values{"username": {"carol"}})
			}
			carol, err := h.Identity.Users().Find(t.Context(), "carol")
			if err != nil {
				t.Fatal(err)
			}
			roles, err := h.Identity.Roles().List(t.Context(), carol.ID, false)
			if err != nil {
				t.Fatal(err)
			}
			profile, err := h.Identity.Profiles().Of(t.Context(), carol.ID)
			if err != nil {
				t.Fatal(err)
			}
			told := profile.Name + ", " + profile.Nickname
			for _, role := range roles {
				told += " " + role.RoleName + " by " + role.AssignedBy
			}
			memberships, err := h.Identity.Groups().Of(t.Context(), carol.ID, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, membership := range memberships {
				told += " in " + membership.Group.Slug + " by " + membership.Source
			}
			return carol, told
		}
		carol, told := come(map[string]any{
			"groups": []string{"x", "wicket-admins"}, "department": "Sales",
			"realm_access": map[string]any{"roles": []string{"staff"}},
		})
		if told != "Carol Upstream, Sales admin by provider:oidc staff by provider:oidc in admins by provider:oidc" {
			t.Errorf("at first: %s", told)
		}
		if _, told := come(
			map[string]any{"department": "IT", "name": "Carol Other"},
		); told != "Carol Other, IT admin by provider:oidc in it by provider:oidc" {
			t.Errorf("moved: %s", told)
		}
		if _, told := come(map[string]any{"name": strings.Repeat("x", 300)}); told != "Carol Other, IT" {
			t.Errorf("a claim that is missing, and one that is no name: %s", told)
		}
		if err := h.Identity.Roles().Grant(t.Context(), carol.ID, "admin"); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.Groups().Add(t.Context(), "admins", carol.ID); err != nil {
			t.Fatal(err)
		}
		if _, told := come(nil); told != "Carol Upstream, IT admin by system in admins by here" {
			t.Errorf("what the operator granted: %s", told)
		}

		come(map[string]any{"realm_access": map[string]any{"roles": []string{"staff"}}, "department": "IT"})
		if _, err := h.Upstreams.Remove(t.Context(), "oidc"); err != nil {
			t.Fatal(err)
		}
		if roles, err := h.Identity.Roles().List(t.Context(), carol.ID, false); err != nil || len(roles) != 1 ||
			roles[0].RoleName != "admin" {
			t.Errorf("after the provider was removed: %+v, %v", roles, err)
		}
		memberships, err := h.Identity.Groups().Of(t.Context(), carol.ID, false)
		if err != nil || len(memberships) != 1 || memberships[0].Source != "here" {
			t.Errorf("after the provider was removed she is in %+v, %v", memberships, err)
		}
	})
}

// What a provider says of how somebody signed in there counts where the operator says so, and is asked for.
func TestSecondFactorUpstream(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		p := anyProvider()
		p.Settings.TrustAMR, p.Settings.MultiFactor = true, "urn:upstream:mfa"
		startUpstream(t, h, p)
		client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		b := h.NewBrowser(t)
		there := b.ToUpstream(t, "oidc", b.Get(t, h.AuthorizeURL(client, url.Values{
			"acr_values": {identity.ACRMultiFactor + " urn:upstream:other"}, "prompt": {"login"},
		})))
		if asked := askedOf(t, there); asked["acr_values"] != "urn:upstream:other urn:upstream:mfa" ||
			asked["prompt"] != "login" {
			t.Errorf("asked upstream: %v", asked)
		}
		signInUpstream(t, b, there, someone("carol", map[string]any{
			"acr": "urn:upstream:mfa", "amr": []string{"pwd", "otp"},
		}))
		location, err := b.Post(t, "/arrival/register", url.Values{"username": {"carol"}}).Location()
		if err != nil {
			t.Fatal(err)
		}
		claims := harness.TokenClaims(t, h.Redeem(t, client, location.Query().Get("code")).Text("id_token"))
		if claims["acr"] != identity.ACRMultiFactor || fmt.Sprint(claims["amr"]) != "[fed pwd otp mfa]" {
			t.Errorf("the app is told acr %v, amr %v", claims["acr"], claims["amr"])
		}
	})
}

// A provider that ends a session there ends those that came from it here.
func TestLogoutFromUpstream(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		up := startUpstream(t, h, anyProvider())
		b, other, own := h.NewBrowser(t), h.NewBrowser(t), h.NewBrowser(t)
		signInFrom(t, b, "oidc", someone("carol", nil))
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"carol"}}); shown.Path() != "/account" {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		signInFrom(t, other, "oidc", someone("carol", nil)) // another session there
		own.SignIn(t, harness.Page{})
		// She signs out there, on the provider's own page.
		shown := b.FollowingAll().Get(t, up.origin+"/session/end")
		form := url.Values{"logout": {"yes"}}
		for _, field := range upstreamFields.FindAllStringSubmatch(shown.Text, -1) {
			form.Set(field[1], field[2])
		}
		response, err := b.FollowingAll().PostForm(up.origin+"/session/end/confirm", form)
		if ended := harness.ReadPage(t, response, err); ended.StatusCode != http.StatusOK {
			t.Fatalf("signing out upstream: %s\n%s", ended.Status, ended.Text)
		}
		signedOut := func(b *harness.Browser) bool { return strings.Contains(b.Get(t, "/account").Text, `id="sign-in"`) }
		if !signedOut(b) {
			t.Error("she is still signed in here")
		}
		if signedOut(other) || signedOut(own) {
			t.Error("sessions are ended that did not come from that one")
		}
	})
}

func TestForgedLogoutTokensAreRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		b := h.NewBrowser(t)
		b.ToUpstream(t, "scripted", harness.Page{})
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"some"}}); shown.Path() != "/account" {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		send := func(token string) int {
			t.Helper()
			response, err := http.PostForm(h.Issuer+"/federation/scripted/logout", url.Values{"logout_token": {token}})
			return harness.ReadPage(t, response, err).StatusCode
		}
		good := func(change map[string]any) []byte { return l.LogoutToken(t, change) }
		for name, token := range map[string]string{
			"nothing":          "",
			"another audience": l.Sign(good(map[string]any{"aud": "another"})),
			"another issuer":   l.Sign(good(map[string]any{"iss": "https://another.example"})),
			"a nonce":          l.Sign(good(map[string]any{"nonce": "n"})),
			"no event":         l.Sign(good(map[string]any{"events": map[string]any{}})),
			"nobody":           l.Sign(good(map[string]any{"sub": nil})),
			"no jti":           l.Sign(good(map[string]any{"jti": nil})),
			"expired":          l.Sign(good(map[string]any{"exp": 1})),
			"old":              l.Sign(good(map[string]any{"iat": 1})),
			"HS256":            harness.Sign("HS256", []byte(harness.UpstreamSecret), good(nil)),
			"alg none":         "eyJhbGciOiJub25lIn0." + strings.Split(l.Sign(good(nil)), ".")[1] + ".",
		} {
			if status := send(token); status != http.StatusBadRequest {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status := send(l.Sign(good(map[string]any{"sub": "somebody else"}))); status != http.StatusOK {
			t.Errorf("somebody whom we do not know: %d", status)
		}
		if shown := b.Get(t, "/account"); strings.Contains(shown.Text, `id="sign-in"`) {
			t.Fatal("a forged logout token signs somebody out")
		}
		token := l.Sign(good(nil))
		if status := send(token); status != http.StatusOK {
			t.Errorf("a good one: %d", status)
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("a good logout token signs nobody out")
		}
		if status := send(token); status != http.StatusBadRequest {
			t.Errorf("the same once more: %d", status)
		}
	})
}
