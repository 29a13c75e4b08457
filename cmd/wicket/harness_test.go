package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// What every test house holds.
const (
	testUsername = "alice"
	testEmail    = "alice@example.com"
	testPassword = "correct horse battery"
	testRedirect = "http://localhost:9999/callback"
	testLogout   = "http://localhost:9999/"
)

// configuration is what a test may change.
type configuration = server.Config

// openHouse is a running Wicket: as server.New makes it, behind a real listener on a free port of this machine.
type openHouse struct {
	*server.Server
	issuer string // where the tests find it
	user   *identity.User
}

// inEachHouse runs test in a house on SQLite and in one on PostgreSQL.
func inEachHouse(t *testing.T, test func(t *testing.T, h *openHouse)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) { test(t, openTestHouse(t, url)) })
}

// openTestHouse builds and serves a house on that database until the test ends, with the person alice in it and everything
// open that can be, unless change says otherwise.
func openTestHouse(t testing.TB, databaseURL string, change ...func(*configuration)) *openHouse {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	seal, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	config := &configuration{
		Issuer: "http://localhost:" + port, DatabaseURL: databaseURL, Clock: identity.Clock, Seal: seal, Migrate: true, Registration: true,
		KeepLoginAttempts: 400 * 24 * time.Hour, Limits: web.DefaultLimits, Outbox: &notify.Outbox{},
	}
	config.RelyingParty = relyingParty(t, config.Issuer, factor.HardwareKeyPolicy{})
	for _, change := range change {
		change(config)
	}
	open := serveTestHouse(t, listener, config)
	open.user = open.register(t, identity.NewUser{Username: testUsername, Email: testEmail, EmailVerified: true, Password: testPassword, Name: "Alice Example"})
	return open
}

// replica opens another house on the same database, as one more process of the same Wicket, but for what change says.
func (h *openHouse) replica(t testing.TB, change ...func(*configuration)) *openHouse {
	t.Helper()
	config := *h.Config()
	for _, change := range change {
		change(&config)
	}
	replica := serve(t, &config)
	replica.user = h.user
	return replica
}

// serve serves that configuration on a port of its own until the test ends.
func serve(t testing.TB, config *configuration) *openHouse {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := serveTestHouse(t, listener, config)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	h.issuer = "http://localhost:" + port
	return h
}

// serveTestHouse builds and serves a house until the test ends.
func serveTestHouse(t testing.TB, listener net.Listener, config *configuration) *openHouse {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := server.New(t.Context(), config, log)
	if err != nil {
		t.Fatal(err)
	}
	h := &openHouse{Server: s, issuer: config.Issuer}
	h.SignIns.SignInDelay, h.SignIns.RefusalTakes = time.Millisecond, 0
	if err := h.Keys.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Jobs.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeHTTP(ctx, []net.Listener{listener}, h.Handler, log, func() {}) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // or stopping waits for those that were dialled and never used
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop serving: %v", err)
		}
		if err := h.Jobs.Stop(context.Background()); err != nil {
			t.Errorf("stop the jobs: %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("close the house: %v", err)
		}
	})
	return h
}

// relyingParty is Wicket as authenticators know it at that issuer.
func relyingParty(t testing.TB, issuer string, policy factor.HardwareKeyPolicy) *factor.RelyingParty {
	t.Helper()
	parsed, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	party, err := factor.NewRelyingParty(parsed.Hostname(), "Wicket", []string{issuer}, policy)
	if err != nil {
		t.Fatal(err)
	}
	return party
}

// testLog sends what the house logs to the test that runs it.
type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}

func (h *openHouse) register(t testing.TB, person identity.NewUser) *identity.User {
	t.Helper()
	user, err := h.Identity.Users().Create(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// testClient is a registered app with its secret.
type testClient struct {
	*clients.Client
	secret string
}

// reauthenticated is the proof that a person has just signed in, as strongly as anybody can.
func (h *openHouse) reauthenticated(t testing.TB, user *identity.User) *identity.Reauthenticated {
	t.Helper()
	session := &identity.Session{UserID: user.ID, ACR: identity.ACRPhishingResistant, AuthTime: h.Identity.Now(), User: user}
	proof, err := h.Identity.Reauthenticate(t.Context(), session, identity.Device{})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// client registers an app: confidential, with every grant type and one redirect URI, unless change says otherwise.
func (h *openHouse) client(t testing.TB, change func(*clients.Client)) testClient {
	t.Helper()
	client := &clients.Client{
		Name: "Test app", AuthMethod: clients.AuthPost, GrantTypes: oidc.GrantTypes, IDTokenAlg: "ES256",
		RedirectURIs: []string{testRedirect}, PostLogoutRedirectURIs: []string{testLogout},
	}
	if change != nil {
		change(client)
	}
	if client.IsPublic() {
		client.GrantTypes = []string{oidc.GrantCode, oidc.GrantRefreshToken}
	}
	secret, err := h.Clients.Create(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return testClient{client, secret}
}

// browser is a person's browser without a window: it keeps cookies and follows redirects on Wicket alone, so that a
// redirect to an app can be looked at.
type browser struct {
	*http.Client
	house *openHouse
	agent string // the header User-Agent, if not Go's
}

func (h *openHouse) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{house: h, Client: &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), h.issuer+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// page is what a browser shows.
type page struct {
	*http.Response
	body string
}

func (b *browser) get(t testing.TB, url string) page {
	t.Helper()
	response, err := b.Get(b.absolute(url))
	return read(t, response, err)
}

// post sends a form as a browser does from one of Wicket's own pages.
func (b *browser) post(t testing.TB, url string, form url.Values) page {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, b.absolute(url), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.house.issuer)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.agent != "" {
		request.Header.Set("User-Agent", b.agent)
	}
	response, err := b.Do(request)
	return read(t, response, err)
}

func (b *browser) absolute(url string) string {
	if strings.HasPrefix(url, "/") {
		return b.house.issuer + url
	}
	return url
}

func read(t testing.TB, response *http.Response, err error) page {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{response, string(body)}
}

var hiddenContinue = regexp.MustCompile(`name="continue" value="([^"]*)"`)

// held returns the hidden field continue of a page.
func (p page) held() string {
	if match := hiddenContinue.FindStringSubmatch(p.body); match != nil {
		return match[1]
	}
	return ""
}

// signIn signs alice in on the page that is shown, or on the sign-in page where none is, and returns what comes next.
func (b *browser) signIn(t testing.TB, shown page) page {
	t.Helper()
	return b.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {testPassword}, "continue": {shown.held()}})
}

// allow says yes on the consent page that is shown, to everything.
func (b *browser) allow(t testing.TB, shown page) page {
	t.Helper()
	return b.post(t, "/consent", url.Values{"decision": {"allow"}, "continue": {shown.held()}, "scope": {"profile", "email", "address", "offline_access"}})
}

// authorizeURL is an authorization request of client, with parameters changed or, where empty, left out.
func (h *openHouse) authorizeURL(client testClient, change url.Values) string {
	parameters := url.Values{
		"client_id": {client.ID}, "redirect_uri": {testRedirect}, "response_type": {"code"}, "scope": {"openid profile email offline_access"},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge": {testChallenge}, "code_challenge_method": {"S256"},
	}
	for name, values := range change {
		parameters[name] = values
		if len(values) == 1 && values[0] == "" {
			parameters.Del(name)
		}
	}
	return h.issuer + oidc.PathAuthorize + "?" + parameters.Encode()
}

// A PKCE pair: RFC 7636, appendix B.
const (
	testVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	testChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// code takes the browser through whatever pages come until the app gets a code.
func (b *browser) code(t testing.TB, client testClient, change url.Values) string {
	t.Helper()
	shown := b.get(t, b.house.authorizeURL(client, change))
	if strings.Contains(shown.body, `id="sign-in"`) {
		shown = b.signIn(t, shown)
	}
	if strings.Contains(shown.body, `id="allow"`) {
		shown = b.allow(t, shown)
	}
	location, err := shown.Location()
	if err != nil {
		t.Fatalf("no redirect to the app but %s\n%s", shown.Status, shown.body)
	}
	code := location.Query().Get("code")
	if code == "" {
		t.Fatalf("no code but %s", location)
	}
	return code
}

// answer is what an endpoint for apps says.
type answer struct {
	status int
	header http.Header
	json   map[string]any
}

func (a answer) text(name string) string { text, _ := a.json[name].(string); return text }
