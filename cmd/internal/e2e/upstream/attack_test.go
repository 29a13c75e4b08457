package upstream

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// refusedUpstream tells whether somebody came back from a provider and is nobody: a page says so, no cookie is given,
// and there is another way.
func refusedUpstream(t testing.TB, name string, b *harness.Browser, shown harness.Page) {
	t.Helper()
	if shown.StatusCode < 400 || shown.StatusCode == http.StatusInternalServerError {
		t.Errorf("%s: %s at %s\n%s", name, shown.Status, shown.Request.URL, shown.Text)
	}
	if !strings.Contains(shown.Text, `id="another-way"`) && !strings.Contains(shown.Text, `id="retry"`) {
		t.Errorf("%s: there is no other way:\n%s", name, shown.Text)
	}
	home, _ := url.Parse(b.Server.Issuer)
	for _, cookie := range b.Jar.Cookies(home) {
		if cookie.Name == "wicket_session" || cookie.Name == "wicket_arrival" {
			t.Errorf("%s: the browser holds %s", name, cookie.Name)
		}
	}
}

// noAccountWasMade checks that no account was made and none linked.
func noAccountWasMade(t testing.TB, h *harness.Server) {
	t.Helper()
	var links, people int
	for table, count := range map[string]*int{"external_accounts": &links, "users": &people} {
		if err := h.Database.Reader().NewRaw("SELECT count(*) FROM "+table).Scan(t.Context(), count); err != nil {
			t.Fatal(err)
		}
	}
	if links != 0 || people != 1 {
		t.Errorf("%d links and %d people", links, people)
	}
}

func TestForgedIDTokensAreRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(l.Key.Public())
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		set := func(name string, value any) func(*harness.ScriptedProvider) {
			return func(l *harness.ScriptedProvider) {
				l.Claims = func(claims map[string]any) {
					if claims[name] = value; value == nil {
						delete(claims, name)
					}
				}
			}
		}
		signed := func(token func(claims []byte) string) func(*harness.ScriptedProvider) {
			return func(l *harness.ScriptedProvider) { l.Token = token }
		}
		now := time.Now()
		for name, lie := range map[string]func(*harness.ScriptedProvider){
			"another nonce":             set("nonce", "another"),
			"no nonce":                  set("nonce", nil),
			"another audience":          set("aud", "another app"),
			"no audience":               set("aud", nil),
			"two audiences and no azp":  set("aud", []string{"wicket", "another app"}),
			"another azp":               set("azp", "another app"),
			"another issuer":            set("iss", "https://accounts.google.com"),
			"no issuer":                 set("iss", nil),
			"expired":                   set("exp", now.Add(-time.Minute).Unix()),
			"no expiry":                 set("exp", nil),
			"not yet valid":             set("nbf", now.Add(time.Hour).Unix()),
			"issued tomorrow":           set("iat", now.Add(24*time.Hour).Unix()),
			"no subject":                set("sub", nil),
			"a subject without end":     set("sub", strings.Repeat("x", 256)),
			"a subject that is no text": set("sub", "x\x00"),
			"another access token":      set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
			"alg none": signed(func(claims []byte) string {
				return encode([]byte(`{"alg":"none"}`)) + "." + encode(claims) + "."
			}),
			"alg none, with a signature": signed(func(claims []byte) string {
				return encode([]byte(`{"alg":"none"}`)) + "." + encode(claims) + ".c2ln"
			}),
			"HS256 with the client secret": signed(func(claims []byte) string {
				return harness.Sign(jose.HS256, []byte(harness.UpstreamSecret), claims)
			}),
			"HS256 with the public key": signed(func(claims []byte) string {
				return harness.Sign(jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), claims)
			}),
			"another's signature": signed(func(claims []byte) string { return harness.Sign(jose.RS256, other, claims) }),
			"a key of its own in the header": signed(func(claims []byte) string {
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: other}, &jose.SignerOptions{
					EmbedJWK: true,
				})
				if err != nil {
					panic(err)
				}
				object, err := signer.Sign(claims)
				if err != nil {
					panic(err)
				}
				token, _ := object.CompactSerialize()
				return token
			}),
			"a changed payload": signed(func(claims []byte) string {
				parts := strings.Split(l.Sign(claims), ".")
				return parts[0] + "." + encode([]byte(strings.Replace(string(claims), "somebody", "somebodx", 1))) + "." + parts[2]
			}),
			"no token": signed(func([]byte) string { return "" }),
			"no JWT":   signed(func([]byte) string { return "a.b.c" }),
			"the answer of another": func(l *harness.ScriptedProvider) {
				l.Answer = func(p url.Values) { p.Set("iss", "https://another.example") }
			},
			"an answer of nobody":    func(l *harness.ScriptedProvider) { l.Answer = func(p url.Values) { p.Del("iss") } },
			"neither code nor error": func(l *harness.ScriptedProvider) { l.Answer = func(p url.Values) { p.Del("code") } },
			"userinfo of another": func(l *harness.ScriptedProvider) {
				l.Userinfo = func() map[string]any { return map[string]any{"sub": "another"} }
			},
			"a code that is not taken": func(l *harness.ScriptedProvider) {
				l.Exchange = func(w http.ResponseWriter) bool {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
					return true
				}
			},
			"an answer without end": func(l *harness.ScriptedProvider) {
				l.Exchange = func(w http.ResponseWriter) bool {
					_, _ = w.Write([]byte(`{"access_token":"` + strings.Repeat("x", 4<<20) + `"}`))
					return true
				}
			},
		} {
			l.Say(lie)
			rediscover(t, h, l)
			b := h.NewBrowser(t)
			refusedUpstream(t, name, b, b.ToUpstream(t, "scripted", harness.Page{}))
		}
		noAccountWasMade(t, h)
		// And the truth is taken, so that all this was not refused for another reason.
		l.Say(func(*harness.ScriptedProvider) {})
		rediscover(t, h, l)
		if shown := h.NewBrowser(t).ToUpstream(t, "scripted", harness.Page{}); shown.Path() != "/arrival" {
			t.Errorf("the truth: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
	})
}

// rediscover makes Wicket read the provider's document anew.
func rediscover(t testing.TB, h *harness.Server, l *harness.ScriptedProvider) {
	t.Helper()
	if err := h.Upstreams.SetActive(t.Context(), l.ID, true); err != nil {
		t.Fatal(err)
	}
}

// An answer counts once, in the browser and for the provider that were asked.
func TestAnswersBelongToTheirRequest(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		other := h.StartProvider(t, "other", nil)
		// begin returns the callback with which the browser would come back.
		begin := func(b *harness.Browser, provider string) *url.URL {
			t.Helper()
			to, err := b.Post(t, "/federation/"+provider, nil).Location()
			if err != nil {
				t.Fatal(err)
			}
			answer, err := b.WithoutRedirects().Get(to.String())
			back, err := harness.ReadPage(t, answer, err).Location()
			if err != nil {
				t.Fatal(err)
			}
			return back
		}
		with := func(callback *url.URL, change func(url.Values)) string {
			changed, query := *callback, callback.Query()
			change(query)
			changed.RawQuery = query.Encode()
			return changed.String()
		}
		mine, theirs := h.NewBrowser(t), h.NewBrowser(t)
		callback, foreign := begin(mine, "scripted"), begin(theirs, "scripted")
		refused := func(name string, b *harness.Browser, at string) {
			t.Helper()
			refusedUpstream(t, name, b, b.Get(t, at))
		}
		refused("another's answer", mine, foreign.String())
		refused("in a browser that asked nothing", h.NewBrowser(t), callback.String())
		refused("another state", mine, with(callback, func(q url.Values) { q.Set("state", foreign.Query().Get("state")) }))
		refused("no state", mine, with(callback, func(q url.Values) { q.Del("state") }))
		refused("two states", mine, with(callback, func(q url.Values) { q.Add("state", foreign.Query().Get("state")) }))
		// Mix-up: the answer of one provider at the address of another, which would learn the code. The state belongs to one
		// of them, also where they do not say who they are.
		for name, change := range map[string]func(url.Values){
			"that is another's": func(url.Values) {},
			"that is nobody's":  func(q url.Values) { q.Del("iss") },
			"that is forged":    func(q url.Values) { q.Set("iss", other.URL) },
		} {
			other.Say(func(l *harness.ScriptedProvider) {
				l.Metadata = map[string]any{"authorization_response_iss_parameter_supported": false}
			})
			rediscover(t, h, other)
			begun := begin(mine, "scripted")
			refused(
				"an answer "+name, mine, strings.Replace(with(begun, change), "/federation/scripted/", "/federation/other/", 1),
			)
			if len(other.Codes) > 0 {
				t.Errorf("an answer %s: the other provider has learned the code", name)
			}
		}
		// The code of another session: theirs, which the attacker has not used, under the victim's own state.
		refused("another's code", mine, with(callback, func(q url.Values) { q.Set("code", foreign.Query().Get("code")) }))
		noAccountWasMade(t, h)

		// Nobody is let in twice by one answer.
		callback = begin(mine, "scripted")
		if shown := mine.Get(t, callback.String()); shown.Path() != "/arrival" {
			t.Fatalf("the answer itself: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := mine.Get(t, callback.String()); shown.StatusCode != http.StatusBadRequest ||
			!strings.Contains(shown.Text, "This sign-in has ended") {
			t.Errorf("a replay: %s at %s", shown.Status, shown.Request.URL)
		}
		// Nor after an hour.
		late := h.NewBrowser(t)
		callback = begin(late, "scripted")
		h.SQL(t, "UPDATE upstream_requests SET expires_at = created_at WHERE used_at IS NULL")
		refused("after its time", late, callback.String())
		if deleted, err := h.Upstreams.Expire(t.Context()); err != nil || deleted["upstream_requests"] == 0 {
			t.Errorf("upkeep: %v, %v", deleted, err)
		}

		// A link is for the account for which it was begun.
		alice := h.NewBrowser(t)
		alice.SignIn(t, harness.Page{})
		to, err := alice.Post(t, "/account/linked/add", url.Values{"provider": {"scripted"}}).Location()
		if err != nil {
			t.Fatal(err)
		}
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: "bob's own password"})
		alice.Post(t, "/sign-in", url.Values{"username": {"bob"}, "password": {"bob's own password"}})
		l.Say(func(*harness.ScriptedProvider) {})
		response, err := alice.FollowingAll().Client.Get(to.String())
		harness.ReadPage(t, response, err)
		if len(h.Linked(t, bob)) != 0 || len(h.Linked(t, h.User)) != 0 {
			t.Error("linked to somebody who did not ask for it")
		}
	})
}

// A sign-in upstream is as old here as it is there: who finds a browser open must not seem to have just signed in.
func TestOldSignInUpstreamIsOldHere(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		for authTime, fresh := range map[float64]bool{
			float64(time.Now().Add(-time.Hour).Unix()): false,
			float64(time.Now().Unix()):                 true,
			1:                                          false,
			-1e300:                                     true, // says nothing
			1e300:                                      true,
			0:                                          true,
		} {
			l.Say(func(l *harness.ScriptedProvider) {
				l.Claims = func(claims map[string]any) { claims["auth_time"], claims["sub"] = authTime, "subject" }
			})
			b := h.NewBrowser(t)
			if shown := b.ToUpstream(t, "scripted", harness.Page{}); shown.Path() == "/arrival" {
				b.Post(t, "/arrival/register", url.Values{"username": {"carol"}})
			}
			if shown := b.Get(t, "/account"); shown.Path() != "/account" {
				t.Fatalf("%g: not signed in: %s", authTime, shown.Status)
			}
			if shown := b.Get(t, "/account/totps/new"); (shown.Path() == "/account/totps/new") != fresh {
				t.Errorf("signed in there at %g: leads to %s", authTime, shown.Request.URL)
			}
		}
	})
}

// Who is to sign in anew is not spared it by being signed in upstream.
func TestStaleSignInUpstreamIsRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		b := h.NewBrowser(t)
		at := func(authTime time.Time) func(*harness.ScriptedProvider) {
			return func(l *harness.ScriptedProvider) {
				l.Claims = func(claims map[string]any) { claims["auth_time"] = authTime.Unix() }
			}
		}
		l.Say(at(time.Now().Add(-time.Hour))) // the first time that does not matter
		b.ToUpstream(t, "scripted", harness.Page{})
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"some"}}); shown.Path() != "/account" {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		if shown := b.ToUpstream(t, "scripted", harness.Page{}); shown.StatusCode != http.StatusBadRequest ||
			!strings.Contains(shown.Text, `id="another-way"`) {
			t.Errorf("an hour ago: %s at %s", shown.Status, shown.Request.URL)
		}
		l.Say(at(time.Now()))
		if shown := b.ToUpstream(t, "scripted", harness.Page{}); shown.Path() != "/account" {
			t.Errorf("just now: %s at %s", shown.Status, shown.Request.URL)
		}
	})
}

// No secret of a sign-in upstream is logged, nor kept in the clear.
func TestUpstreamSecretsAreNeitherLoggedNorKept(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h, log := harness.StartSecure(t, databaseURL)
		l := h.StartProvider(t, "scripted", func(p *federation.Provider) { p.Settings.KeepTokens = true })
		b := h.NewBrowser(t)
		begun, err := b.Post(t, "/federation/scripted", nil).Location()
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string]string{
			"the client secret": harness.UpstreamSecret, "the state": begun.Query().Get("state"),
			"the nonce": begun.Query().Get("nonce"),
		}
		response, err := b.WithoutRedirects().Get(begun.String())
		back, err := harness.ReadPage(t, response, err).Location()
		if err != nil {
			t.Fatal(err)
		}
		secrets["the code"] = back.Query().Get("code")
		if shown := b.Get(t, back.String()); shown.Path() != "/arrival" {
			t.Fatalf("%s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		home, err := url.Parse(h.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range b.Jar.Cookies(home) {
			secrets[cookie.Name] = cookie.Value
		}
		kept := harness.DumpAll(t, h.Database) // while the arrival waits
		if shown := b.Post(t, "/arrival/register", url.Values{"username": {"some"}}); shown.Path() != "/account" {
			t.Fatalf("%s\n%s", shown.Status, shown.Text)
		}
		for name, lie := range map[string]func(*harness.ScriptedProvider){
			"refused": func(l *harness.ScriptedProvider) {
				l.Claims = func(claims map[string]any) { claims["aud"] = "another" }
			},
			"denied": func(l *harness.ScriptedProvider) {
				l.Answer = func(p url.Values) { p.Del("code"); p.Set("error", "server_error") }
			},
		} {
			l.Say(lie)
			other := h.NewBrowser(t)
			refusedUpstream(t, name, other, other.ToUpstream(t, "scripted", harness.Page{}))
		}
		secrets["the access token"] = "scripted access token"
		kept += harness.DumpAll(t, h.Database)
		if logged := log.String(); !strings.Contains(logged, "/federation/scripted/callback") ||
			!strings.Contains(kept, "somebody@scripted.example") {
			t.Fatal("is this the log, and are these the tables?")
		} else {
			for name, secret := range secrets {
				if len(secret) < 8 {
					t.Errorf("%s is %q", name, secret)
				}
				for _, form := range []string{secret, url.QueryEscape(secret)} {
					if strings.Contains(logged, form) {
						t.Errorf("%s is logged", name)
					}
					if strings.Contains(kept, form) {
						t.Errorf("%s is kept in the clear", name)
					}
				}
			}
		}
	})
}

// Nothing leads from a sign-in upstream to another site.
func TestNoOpenRedirectByWayOfUpstream(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.StartProvider(t, "scripted", nil)
		for _, to := range []string{"https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"} {
			b := h.NewBrowser(t)
			for _, path := range []string{"/federation/scripted?continue=" + url.QueryEscape(to), "/arrival/link?continue=" +
				url.QueryEscape(to)} {
				if shown := b.Get(t, path); shown.StatusCode != http.StatusBadRequest {
					t.Errorf("%s: %s at %s", path, shown.Status, shown.Request.URL)
				}
			}
			if shown := b.Post(
				t, "/federation/scripted", url.Values{"continue": {to}},
			); shown.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", to, shown.Status)
			}
		}
	})
}

// A discovery document leads nowhere inside our network.
func TestDiscoveryLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		for name, c := range map[string]struct {
			metadata map[string]any
			goes     bool // the document is in order: it shows when the address is called
		}{
			"keys at the cloud's own address": {map[string]any{"jwks_uri": "https://169.254.169.254/latest/meta-data"}, true},
			"tokens in our network":           {map[string]any{"token_endpoint": "https://10.0.0.1/token"}, true},
			"tokens at ours, version 6":       {map[string]any{"token_endpoint": "https://[fd00::1]/token"}, true},
			"in disguise": {map[string]any{
				"token_endpoint": "https://[::ffff:169.254.169.254]/token",
			}, true},
			"without https":    {map[string]any{"token_endpoint": "http://192.0.2.1/token"}, false},
			"no URL":           {map[string]any{"token_endpoint": "file:///etc/passwd"}, false},
			"people elsewhere": {map[string]any{"authorization_endpoint": "javascript:alert(1)"}, false},
			"nothing":          {map[string]any{"token_endpoint": nil}, false},
			"another issuer":   {map[string]any{"issuer": "https://accounts.google.com"}, false},
		} {
			l.Say(func(l *harness.ScriptedProvider) { l.Metadata = c.metadata })
			rediscover(t, h, l)
			b := h.NewBrowser(t)
			shown := b.ToUpstream(t, "scripted", harness.Page{})
			refusedUpstream(t, name, b, shown)
			if went := strings.HasSuffix(shown.Path(), "/callback"); went != c.goes {
				t.Errorf("%s: somebody was sent there: %t", name, went)
			}
		}
		noAccountWasMade(t, h)
	})
}

// Two first sign-ins at once make one account.
func TestParallelArrivalsOfOnePerson(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.StartProvider(t, "scripted", nil)
		const parallel = 5 // as many as mails go to one address in an hour
		browsers := make(chan *harness.Browser, parallel)
		for range parallel {
			b := h.NewBrowser(t)
			if shown := b.ToUpstream(t, "scripted", harness.Page{}); shown.Path() != "/arrival" {
				t.Fatalf("%s at %s", shown.Status, shown.Request.URL)
			}
			browsers <- b
		}
		names := make(chan string, parallel)
		for _, name := range []string{"some", "body", "some", "one", "any"} {
			names <- name
		}
		for _, shown := range harness.AtOnce(parallel, func() harness.Page {
			return (<-browsers).Post(t, "/arrival/register", url.Values{"username": {<-names}})
		}) {
			if shown.Path() != "/account" {
				t.Errorf("%s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
			}
		}
		users, err := h.Identity.Users().List(t.Context(), h.User.ID, 10)
		if err != nil || len(users) != 1 || len(h.Linked(t, &users[0])) != 1 {
			t.Fatalf("%+v, %v", users, err)
		}
		if sessions, err := h.Identity.Sessions().List(t.Context(), users[0].ID); err != nil || len(sessions) != parallel {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
	})
}

// A provider that holds its answer back until it is removed lets nobody in any more, and the page says so.
func TestAProviderThatIsRemovedBeforeItAnswers(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		l.Say(func(l *harness.ScriptedProvider) {
			l.Exchange = func(http.ResponseWriter) bool {
				if _, err := h.Upstreams.Remove(t.Context(), "scripted"); err != nil {
					t.Error(err)
				}
				return false // and answers as it should
			}
		})
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		shown := b.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"scripted"}})
		if shown.StatusCode != http.StatusForbidden || !strings.Contains(shown.Text, "This way to sign in has ended") {
			t.Errorf("linked: %s\n%s", shown.Status, shown.Text)
		}
		if accounts := h.Linked(t, h.User); len(accounts) != 0 {
			t.Errorf("it is linked: %+v", accounts)
		}
	})
}

// The page from which somebody was led to the sign-in is the one that they come back to by way of a provider too:
// whether they are signed in there, make an account, or sign in to the one that they have.
func TestWayBackGoesOnBeyondAProvider(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		l := h.StartProvider(t, "scripted", nil)
		as := func(subject string) {
			l.Say(func(l *harness.ScriptedProvider) {
				l.Claims = func(claims map[string]any) { claims["sub"] = subject }
			})
		}
		const page = "/account/linked"
		signIn := func(b *harness.Browser) harness.Page {
			t.Helper()
			shown := b.Get(t, "/sign-in?then="+page)
			if shown.Then() != page {
				t.Fatalf("the sign-in page leads to %q", shown.Then())
			}
			return b.ToUpstream(t, "scripted", shown)
		}
		as("carol")
		newcomer := h.NewBrowser(t)
		if shown := signIn(newcomer); shown.Path() != "/arrival" {
			t.Fatalf("a newcomer is at %s", shown.Request.URL)
		}
		if shown := newcomer.Post(t, "/arrival/register", url.Values{"username": {"carol"}}); shown.Path() != page {
			t.Errorf("who made an account is at %s", shown.Request.URL)
		}
		if shown := signIn(h.NewBrowser(t)); shown.Path() != page {
			t.Errorf("who signed in there is at %s", shown.Request.URL)
		}
		as("alice")
		owner := h.NewBrowser(t)
		signIn(owner)
		shown := owner.Post(t, "/arrival/sign-in", nil)
		shown = owner.Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "then": {shown.Then()},
		})
		if shown.Path() != "/arrival/link" {
			t.Fatalf("who has an account is at %s", shown.Request.URL)
		}
		if shown := owner.Post(t, "/arrival/link", url.Values{"choice": {"link"}}); shown.Path() != page {
			t.Errorf("who linked the two is at %s", shown.Request.URL)
		}
		// Nobody else's page.
		shown = h.NewBrowser(t).Get(t, "/sign-in?then="+url.QueryEscape("https://evil.example/"))
		if shown.Then() != "/account" {
			t.Errorf("a page of others: %q", shown.Then())
		}
	})
}
