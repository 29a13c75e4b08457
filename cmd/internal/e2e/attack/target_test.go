// Package attack throws what strangers try at a running Wicket: one that an operator names by ATTACK_ISSUER, or those
// that the test starts itself. It speaks HTTP alone, and leaves nothing behind but a consent of its test person.
// docs/security.md says how to run it; others.txt lists the attacks that other packages hold.
package attack

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// target is what is attacked: a server that is known by its issuer, a person to sign in, and apps of theirs.
type target struct {
	*harness.Server
	username, password string
	app                harness.Client // public
	redirectURI        string         // of the app
	signing            harness.Client // proves itself by private_key_jwt; without an ID where there is none
	key                jose.JSONWebKey
	device             harness.Client // public, for device codes; without an ID where there is none
}

// eachTarget runs attack against the server that ATTACK_ISSUER names or, where it names none, against one on SQLite,
// one on PostgreSQL, and two replicas that answer in turn, without Redis and with it.
func eachTarget(t *testing.T, attack func(t *testing.T, target *target)) {
	t.Helper()
	if issuer := os.Getenv("ATTACK_ISSUER"); issuer != "" {
		attack(t, named(t, issuer))
		return
	}
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		attack(t, started(t, databaseURL))
	})
	t.Run("replicas", func(t *testing.T) {
		t.Parallel()
		attack(t, replicated(t, started(t, storagetest.URL(t, storage.Postgres))))
	})
	t.Run("replicas and Redis", func(t *testing.T) {
		t.Parallel()
		options, err := cache.ParseRedis(storagetest.Redis(t).URL())
		if err != nil {
			t.Fatal(err)
		}
		shared := func(c *harness.Config) { c.Redis = options }
		attack(t, replicated(t, started(t, storagetest.URL(t, storage.Postgres), shared), shared))
	})
}

// named is the server of an operator, with the person and the apps that the variables name.
func named(t *testing.T, issuer string) *target {
	t.Helper()
	need := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			t.Fatalf("ATTACK_ISSUER needs %s, too: docs/security.md", name)
		}
		return value
	}
	to := &target{
		Server:   &harness.Server{Issuer: issuer},
		username: need("ATTACK_USERNAME"), password: need("ATTACK_PASSWORD"), redirectURI: need("ATTACK_REDIRECT_URI"),
		app: harness.Client{Client: &clients.Client{ID: need("ATTACK_CLIENT_ID")}},
	}
	to.signing = harness.Client{Client: &clients.Client{ID: os.Getenv("ATTACK_SIGNING_CLIENT_ID")}}
	to.device = harness.Client{Client: &clients.Client{ID: os.Getenv("ATTACK_DEVICE_CLIENT_ID")}}
	if to.signing.ID == "" {
		return to
	}
	private, err := os.ReadFile(need("ATTACK_SIGNING_KEY_FILE"))
	if err == nil {
		err = to.key.UnmarshalJSON(private)
	}
	if err != nil {
		t.Fatalf("ATTACK_SIGNING_KEY_FILE: %v", err)
	}
	return to
}

// started is a server of the test's own, which takes its time for wrong passwords as one in service does, but less of
// it.
func started(t *testing.T, databaseURL string, change ...func(*harness.Config)) *target {
	t.Helper()
	h := harness.Start(t, databaseURL, change...)
	h.SignIns.SignInDelay, h.SignIns.RefusalTakes = 20*time.Millisecond, 200*time.Millisecond
	to := &target{
		Server: h, username: harness.Username, password: harness.Password, redirectURI: "https://attack.example/callback",
	}
	to.app = h.AddClient(t, func(c *clients.Client) {
		c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{to.redirectURI}
	})
	private, public := harness.NewClientKey(t)
	if err := to.key.UnmarshalJSON([]byte(private)); err != nil {
		t.Fatal(err)
	}
	to.signing = h.AddClient(t, func(c *clients.Client) {
		c.AuthMethod, c.JWKS, c.GrantTypes = clients.AuthPrivateKeyJWT, public, []string{oidc.GrantClientCredentials}
		c.RedirectURIs, c.PostLogoutRedirectURIs = nil, nil
	})
	device := &clients.Client{
		Name: "Television", AuthMethod: clients.AuthNone, GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
	}
	if _, err := h.Clients.Create(t.Context(), device); err != nil {
		t.Fatal(err)
	}
	to.device = harness.Client{Client: device}
	return to
}

// replicated adds a replica; requests go to the two in turn, as a proxy would send them.
func replicated(t *testing.T, to *target, change ...func(*harness.Config)) *target {
	t.Helper()
	replica := to.Replica(t, change...)
	replica.SignIns.SignInDelay, replica.SignIns.RefusalTakes = to.SignIns.SignInDelay, to.SignIns.RefusalTakes
	to.Transport = &inTurn{origins: []string{to.Issuer, replica.Issuer}}
	return to
}

// inTurn sends requests to several origins in turn, all by the name of the first.
type inTurn struct {
	origins []string
	next    atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (r *inTurn) RoundTrip(request *http.Request) (*http.Response, error) {
	to := r.origins[int(r.next.Add(1))%len(r.origins)]
	sent := request.Clone(request.Context())
	if sent.Host == "" {
		sent.Host = request.URL.Host
	}
	sent.URL.Host = strings.TrimPrefix(to, "http://")
	response, err := http.DefaultTransport.RoundTrip(sent)
	if response != nil {
		response.Request = request
	}
	return response, err
}

// signIn returns a browser in which the test person is signed in, until the test ends.
func (to *target) signIn(t *testing.T) *harness.Browser {
	t.Helper()
	b := to.NewBrowser(t)
	b.Post(t, "/sign-in", url.Values{"username": {to.username}, "password": {to.password}})
	if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-out"`) {
		t.Fatalf("the test person cannot sign in by a password alone: %s at %s", shown.Status, shown.Path())
	}
	t.Cleanup(func() { b.Post(t, "/account/sign-out", url.Values{}) })
	return b
}

// authorizeURL is an authorization request of the app, with parameters changed or, where empty, left out.
func (to *target) authorizeURL(change url.Values) string {
	all := url.Values{"redirect_uri": {to.redirectURI}, "scope": {"openid profile offline_access"}}
	for name, values := range change {
		all[name] = values
	}
	return to.AuthorizeURL(to.app, all)
}

// answer is what the app is told at the end of an authorization request; nil where the person stays at a page.
func (to *target) answer(t *testing.T, b *harness.Browser, change url.Values) url.Values {
	t.Helper()
	shown := b.Get(t, to.authorizeURL(change))
	if strings.Contains(shown.Text, `id="allow"`) {
		shown = b.Allow(t, shown)
	}
	if strings.Contains(shown.Text, `id="continue-to-app"`) {
		shown = b.ContinueToApp(t, shown)
	}
	location, err := shown.Location()
	if err != nil {
		return nil
	}
	if !strings.HasPrefix(location.String(), to.redirectURI+"?") {
		t.Errorf("sent to %s", location)
	}
	return location.Query()
}

// code is a code for the app.
func (to *target) code(t *testing.T, b *harness.Browser) string {
	t.Helper()
	answer := to.answer(t, b, nil)
	if answer.Get("code") == "" {
		t.Fatalf("the app gets no code but %v", answer)
	}
	return answer.Get("code")
}

// redeem exchanges a code for tokens, with parameters changed or, where empty, left out.
func (to *target) redeem(t *testing.T, code string, change url.Values) harness.Answer {
	t.Helper()
	form := url.Values{
		"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {to.redirectURI},
		"code_verifier": {harness.CodeVerifier},
	}
	for name, values := range change {
		form[name] = values
		if values[0] == "" {
			form.Del(name)
		}
	}
	return to.Call(t, oidc.PathToken, to.app, form)
}

// nobody is a name that nobody has.
func nobody() string { return "nobody-" + strings.ToLower(rand.Text()[:12]) }
