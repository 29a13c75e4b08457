package logout_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
)

// receiver is an app that is told of logouts. It verifies the tokens with a library that others wrote.
type receiver struct {
	*httptest.Server

	mu      sync.Mutex
	answers []func(http.ResponseWriter, *http.Request) // each once; then 200
	tokens  []*gooidc.LogoutToken
}

func newReceiver(t *testing.T, h *oidctest.Stack, clientID, alg string) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if err := request.ParseForm(); err != nil || request.Method != http.MethodPost || len(request.Form) != 1 ||
			len(request.PostForm["logout_token"]) != 1 ||
			request.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("told by %s with %v: %v", request.Method, request.Form, err)
		}
		verifier := gooidc.NewVerifier(oidctest.TestIssuer, published(t, h), &gooidc.Config{
			ClientID: clientID, SupportedSigningAlgs: []string{alg}, Now: func() time.Time { return h.Clock },
		})
		raw := request.PostForm.Get("logout_token")
		token, err := verifier.VerifyLogout(request.Context(), raw)
		if err != nil {
			t.Errorf("the token is refused: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		checkClaims(t, h, token, raw, clientID)
		r.mu.Lock()
		r.tokens = append(r.tokens, token)
		answer := func(http.ResponseWriter, *http.Request) {}
		if len(r.answers) > 0 {
			answer, r.answers = r.answers[0], r.answers[1:]
		}
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// checkClaims looks at what the library does not.
func checkClaims(t *testing.T, h *oidctest.Stack, token *gooidc.LogoutToken, raw, clientID string) {
	t.Helper()
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		t.Error(err)
	}
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "logout+jwt" || header.KeyID == "" {
		t.Errorf("header %+v", header)
	}
	expected := 8
	if token.Subject == "" { // of somebody whom the app does not know
		expected = 7
		if _, named := claims["sub"]; named {
			t.Error("an empty sub")
		}
	}
	if len(claims) != expected || claims["aud"] != clientID || claims["nonce"] != nil ||
		token.Expiry.Sub(token.IssuedAt) != 2*time.Minute || token.IssuedAt.Unix() != h.Clock.Unix() {
		t.Errorf("claims %v", claims)
	}
}

// answer is what the next request without an answer of its own gets. A request may still be under way that nobody waits
// for any more.
func (r *receiver) answer(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, answer)
}

func (r *receiver) heard() []*gooidc.LogoutToken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tokens
}

func published(t *testing.T, h *oidctest.Stack) gooidc.KeySet {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(h.Keys.Published(), &set); err != nil {
		t.Fatal(err)
	}
	var keys []crypto.PublicKey
	for _, key := range set.Keys {
		keys = append(keys, key.Key)
	}
	return &gooidc.StaticKeySet{PublicKeys: keys}
}

func addApp(t *testing.T, h *oidctest.Stack, id, uri string) {
	t.Helper()
	h.Add(t, &clients.Client{
		ID: id, Name: id, RedirectURIs: []string{"https://app.example/callback"}, BackchannelLogoutURI: uri, IDTokenAlg: "ES256",
	})
}

// signIn makes somebody a session in which apps take part.
func signIn(t *testing.T, h *oidctest.Stack, user *identity.User, apps ...string) *identity.Session {
	t.Helper()
	session := identitytest.NewSession(t, h.Identity, user)
	var took []*clients.Participation
	for _, app := range apps {
		took = append(took, &clients.Participation{SessionID: session.ID, ClientID: app, CreatedAt: h.Clock})
	}
	if len(took) > 0 {
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&took).Exec(ctx)
			return err
		})
	}
	return session
}

func write(t *testing.T, h *oidctest.Stack, do func(ctx context.Context, tx bun.Tx) error) {
	t.Helper()
	if err := h.Database.Write(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

func person(t *testing.T, h *oidctest.Stack, username string) *identity.User {
	t.Helper()
	user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: username})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// deliveries are those that there are, by what tells them apart, and the number of jobs.
func deliveries(t *testing.T, h *oidctest.Stack) (found map[string]logout.Delivery, jobs int) {
	t.Helper()
	list, err := h.Logout.Deliveries(t.Context(), "", false, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	found = make(map[string]logout.Delivery, len(list))
	for _, d := range list {
		key := d.ClientID + " " + d.SessionID.String()
		if _, twice := found[key]; twice {
			t.Errorf("%s twice", key)
		}
		found[key] = d
	}
	if err := h.Database.Reader().NewRaw(
		"SELECT count(*) FROM river_job WHERE kind = 'logout_delivery' AND queue = 'logout'",
	).Scan(t.Context(), &jobs); err != nil {
		t.Fatal(err)
	}
	return found, jobs
}

// Whatever ends a session, each app that took part in it and wants to know is to be told, once.
func TestWhoeverEndsASessionAppsAreToBeTold(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		addApp(t, h, "told", "https://app.example/logout")
		addApp(t, h, "too", "https://app.example/logout")
		addApp(t, h, "deaf", "")
		sessions := h.Identity.Sessions()
		for name, end := range map[string]func(ctx context.Context, session *identity.Session) error{
			"signed out": func(ctx context.Context, s *identity.Session) error {
				return sessions.End(ctx, s.UserID, s.ID, identity.EndedBySignOut)
			},
			"device": func(ctx context.Context, s *identity.Session) error {
				return sessions.EndDevice(ctx, s.UserID, s.ID, identity.Device{})
			},
			"operator": func(ctx context.Context, s *identity.Session) error {
				_, err := sessions.EndByOperator(ctx, s.ID)
				return err
			},
			"everywhere": func(ctx context.Context, s *identity.Session) error {
				_, err := sessions.SignOutEverywhere(ctx, s.UserID, identity.EndedByGlobal)
				return err
			},
			"disabled": func(ctx context.Context, s *identity.Session) error {
				return h.Identity.Users().SetActive(ctx, s.UserID, false)
			},
			"app deleted": func(ctx context.Context, _ *identity.Session) error { return h.Clients.Delete(ctx, "too") },
		} {
			user := person(t, h, "person."+strings.ReplaceAll(name, " ", "."))
			both, one := signIn(t, h, user, "told", "too", "deaf"), signIn(t, h, user, "told")
			signIn(t, h, user, "deaf")
			before, jobsBefore := deliveries(t, h)
			for range 2 { // the second time there is nothing to end
				if err := end(t.Context(), both); err != nil && !errors.Is(err, storage.ErrNotFound) {
					t.Fatalf("%s: %v", name, err)
				}
			}
			after, jobs := deliveries(t, h)
			want := []string{"told " + both.ID.String(), "too " + both.ID.String()}
			switch name {
			case "everywhere", "disabled":
				want = append(want, "told "+one.ID.String())
			case "app deleted":
				want = want[1:]
				addApp(t, h, "too", "https://app.example/logout")
			}
			for _, key := range want {
				d, made := after[key]
				if !made || d.State != logout.DeliveryPending || d.Subject != user.ID.String() || d.UserID != user.ID ||
					d.URI != "https://app.example/logout" || d.Alg != "ES256" || d.Attempts != 0 || !d.NextAt.Equal(h.Clock) {
					t.Errorf("%s: of %s there is %+v", name, key, d)
				}
			}
			if made := len(after) - len(before); made != len(want) || jobs-jobsBefore != made {
				t.Errorf("%s: %d deliveries and %d jobs, want %d", name, made, jobs-jobsBefore, len(want))
			}
		}
	})
}

// An app with pairwise subjects is told of the person as it knows them; of one whom it does not know by what it got in
// that session, of the session alone, though another app of its sector knows them.
func TestAppsAreToldOfPeopleAsTheyKnowThem(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		told := newReceiver(t, h, "pairwise", "ES256")
		app := &clients.Client{
			ID: "pairwise", Name: "Pairwise", RedirectURIs: []string{"https://app.example/callback"}, IDTokenAlg: "ES256",
			BackchannelLogoutURI: told.URL, SubjectType: clients.SubjectPairwise,
		}
		h.Add(t, app)
		other := &clients.Client{ID: "other", Name: "Other", RedirectURIs: app.RedirectURIs, SubjectType: app.SubjectType}
		h.Add(t, other)
		user := person(t, h, "known")
		subject, err := h.Tokens.Subject(t.Context(), other, user.ID)
		if err != nil {
			t.Fatal(err)
		}
		used := h.Clock
		for name, c := range map[string]struct {
			of     string // whose grant it is; empty: there is none
			age    time.Duration
			code   *grants.Code
			renews bool
			ended  string
			knows  bool
		}{
			"never asked for anything":         {},
			"a code that nobody redeemed":      {of: app.ID, code: &grants.Code{}},
			"a code that it redeemed":          {of: app.ID, code: &grants.Code{UsedAt: &used}, knows: true},
			"a token that came without a code": {of: app.ID, knows: true},
			"the code is forgotten":            {of: app.ID, age: oidc.TombstonesKept},
			"it renews":                        {of: app.ID, age: oidc.TombstonesKept, renews: true, knows: true},
			"it gave the tokens back":          {of: app.ID, code: &grants.Code{UsedAt: &used}, ended: oidc.EndedByRevocation, knows: true},
			"it was of another sector":         {of: app.ID, code: &grants.Code{UsedAt: &used}, ended: oidc.EndedByNewSector},
			"another app of the sector":        {of: other.ID, code: &grants.Code{UsedAt: &used}},
		} {
			session := signIn(t, h, user, app.ID)
			signIn(t, h, user, app.ID) // another session, which is not told of
			if c.of != "" {
				grant := &oidc.Grant{
					ID: storage.NewID(), UserID: user.ID, ClientID: c.of, SessionID: session.ID, Scopes: []string{"openid"},
					AuthTime: h.Clock, AMR: []string{"pwd"}, CreatedAt: h.Clock.Add(-c.age), ExpiresAt: h.Clock.Add(time.Hour),
				}
				if c.ended != "" {
					grant.EndedAt, grant.EndReason = &used, c.ended
				}
				write(t, h, func(ctx context.Context, tx bun.Tx) error {
					if _, err := tx.NewInsert().Model(grant).Exec(ctx); err != nil {
						return err
					}
					if c.code != nil {
						code := *c.code
						code.Hash, code.GrantID = storage.Digest(grant.ID.String()), grant.ID
						if _, err := tx.NewInsert().Model(&code).Exec(ctx); err != nil {
							return err
						}
					}
					if !c.renews {
						return nil
					}
					_, err := tx.NewInsert().Model(h.Tokens.NewRefreshToken(grant.ID.String(), grant, "", h.Clock)).Exec(ctx)
					return err
				})
			}
			if err := h.Logout.End(t.Context(), user.ID, session.ID, identity.EndedBySignOut); err != nil {
				t.Fatal(err)
			}
			want := ""
			if c.knows {
				want = subject
			}
			heard := told.heard()
			if last := heard[len(heard)-1]; last.Subject != want || last.SessionID != session.ID.String() {
				t.Errorf("%s: told of %q, session %s, want %q", name, last.Subject, last.SessionID, want)
			}
		}
	})
}

// What was encrypted for an app is not sent to it in the clear because the app, and with it its keys, was deleted.
func TestADeletedAppIsToldNothingInTheClear(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		told := newReceiver(t, h, "secretive", "ES256")
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &private.PublicKey, Use: "enc"}}})
		if err != nil {
			t.Fatal(err)
		}
		h.Add(t, &clients.Client{
			ID: "secretive", Name: "Secretive", RedirectURIs: []string{"https://app.example/callback"}, IDTokenAlg: "ES256",
			BackchannelLogoutURI: told.URL, JWKS: set, IDTokenEncryption: clients.Encryption{Alg: string(jose.ECDH_ES)},
		})
		session := signIn(t, h, person(t, h, "alice"), "secretive")
		if err := h.Clients.Delete(t.Context(), "secretive"); err != nil {
			t.Fatal(err)
		}
		made, _ := deliveries(t, h)
		d := made["secretive "+session.ID.String()]
		if next, err := h.Logout.Deliver(t.Context(), d.ID, time.Minute); err != nil || !next.IsZero() {
			t.Errorf("again at %v, %v", next, err)
		}
		made, _ = deliveries(t, h)
		d = made["secretive "+session.ID.String()]
		if d.State != logout.DeliveryFailed || !strings.Contains(d.LastError, "was deleted") || len(told.heard()) > 0 {
			t.Errorf("%+v, and it was told %d times", d, len(told.heard()))
		}
	})
}

// queries counts the statements of a database.
type queries struct {
	mu   sync.Mutex
	seen []string
}

func (*queries) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (q *queries) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen = append(q.seen, event.Query)
}

func (q *queries) during(do func()) int {
	q.mu.Lock()
	q.seen = nil
	q.mu.Unlock()
	do()
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.seen)
}

// A logout that concerns no app costs not a statement more; that of many devices and apps costs few.
func TestStatementsOfALogout(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		addApp(t, h, "deaf", "")
		var apps []string
		for i := range 20 {
			apps = append(apps, fmt.Sprintf("app%d", i))
			addApp(t, h, apps[i], "https://app.example/logout")
		}
		counter := &queries{}
		h.Database.Observe(counter)
		count := func(username string, devices int, apps ...string) int {
			user := person(t, h, username)
			for range devices {
				signIn(t, h, user, apps...)
			}
			return counter.during(func() {
				if _, err := h.Identity.Sessions().SignOutEverywhere(t.Context(), user.ID, identity.EndedByGlobal); err != nil {
					t.Fatal(err)
				}
			})
		}
		listener := h.Identity.Listener
		h.Identity.Listener = &identity.SessionListener{Ending: listener.Ending, Concerns: "1 = 0"}
		without := count("ann", 3, "deaf")
		h.Identity.Listener = listener
		if with := count("bob", 3, "deaf"); with != without {
			t.Errorf("%d statements, and where no app is told %d:\n%s", with, without, strings.Join(counter.seen, "\n"))
		}
		base := count("cleo", 50, "deaf")
		if many := count("dora", 50, apps...) - base; many > 12 { // each transaction is run twice or three times
			t.Errorf("%d more statements for 50 devices with 20 apps", many)
		}
		if found, jobs := deliveries(t, h); len(found) != 1000 || jobs != 1000 {
			t.Errorf("%d deliveries, %d jobs", len(found), jobs)
		}
	})
}

// Of logouts at once, one ends the session, and each app is told once; of attempts at once, one is made.
func TestLogoutsAtOnceTellOnce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := newReceiver(t, h, "app", "ES256")
		addApp(t, h, "app", app.URL)
		user := person(t, h, "alice")
		for range 5 {
			session := signIn(t, h, user, "app")
			var logouts sync.WaitGroup
			for i := range 8 {
				logouts.Go(func() {
					var err error
					switch i % 3 {
					case 0:
						_, err = h.Identity.Sessions().SignOutEverywhere(t.Context(), user.ID, identity.EndedByGlobal)
					case 1:
						_, err = h.Identity.Sessions().EndByOperator(t.Context(), session.ID)
					default:
						err = h.Identity.Sessions().End(t.Context(), user.ID, session.ID, identity.EndedBySignOut)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			logouts.Wait()
			user.SessionVersion = version(t, h, user)
		}
		found, _ := deliveries(t, h)
		if len(found) != 5 {
			t.Fatalf("%d deliveries", len(found))
		}
		var attempts sync.WaitGroup
		for _, d := range found {
			for range 4 {
				attempts.Go(func() {
					if _, err := h.Logout.Deliver(t.Context(), d.ID, 10*time.Second); err != nil {
						t.Error(err)
					}
				})
			}
		}
		attempts.Wait()
		if heard := app.heard(); len(heard) != 5 {
			t.Errorf("the app was told %d times", len(heard))
		}
	})
}

func version(t *testing.T, h *oidctest.Stack, user *identity.User) int64 {
	t.Helper()
	found, err := h.Identity.Users().ByID(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	return found.SessionVersion
}

// ended makes one delivery to the app with that id.
func ended(t *testing.T, h *oidctest.Stack, user *identity.User, app string) (uuid.UUID, *identity.Session) {
	t.Helper()
	session := signIn(t, h, user, app)
	if err := h.Identity.Sessions().End(t.Context(), user.ID, session.ID, identity.EndedBySignOut); err != nil {
		t.Fatal(err)
	}
	found, _ := deliveries(t, h)
	return found[app+" "+session.ID.String()].ID, session
}

func answering(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// What an app answers decides whether it is told again.
func TestAppsThatCannotBeTold(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := newReceiver(t, h, "app", "ES256")
		addApp(t, h, "app", app.URL)
		user := person(t, h, "alice")
		slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		for name, c := range map[string]struct {
			answer func(http.ResponseWriter, *http.Request)
			state  string
			says   string
		}{
			"accepted":   {answering(200, ""), logout.DeliveryDelivered, ""},
			"no content": {answering(204, ""), logout.DeliveryDelivered, ""},
			"refused":    {answering(400, `{"error":"invalid_request"}`), logout.DeliveryFailed, `the app answered 400: {"error":"invalid_request"}`},
			"not found":  {answering(404, "<h1>no\x1b[2J</h1>\n\n"), logout.DeliveryFailed, "the app answered 404: <h1>no [2J</h1>"},
			"a redirect": {func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, app.URL+"/x", http.StatusTemporaryRedirect)
			}, logout.DeliveryFailed, "the app answered 307, and redirects are not followed"},
			"another": {func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/", http.StatusSeeOther)
			}, logout.DeliveryFailed, "the app answered 303, and redirects are not followed"},
			"a fault":       {answering(500, ""), logout.DeliveryPending, "the app answered 500"},
			"a bad gateway": {answering(502, strings.Repeat("x", 1<<20)), logout.DeliveryPending, "the app answered 502: " + strings.Repeat("x", 200)},
			"too many":      {answering(429, ""), logout.DeliveryPending, "the app answered 429"},
			"a timeout":     {answering(408, ""), logout.DeliveryPending, "the app answered 408"},
			"slow":          {slow, logout.DeliveryPending, "context deadline exceeded"},
			"hangs up":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, logout.DeliveryPending, "EOF"},
		} {
			id, session := ended(t, h, user, "app")
			app.answer(c.answer)
			told := len(app.heard())
			patience := 10 * time.Second
			if name == "slow" {
				patience = time.Second
			}
			next, err := h.Logout.Deliver(t.Context(), id, patience)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found, _ := deliveries(t, h)
			d := found["app "+session.ID.String()]
			if d.State != c.state || d.LastError != c.says || d.Attempts != 1 ||
				(d.DeliveredAt != nil) != (c.state == logout.DeliveryDelivered) {
				t.Errorf("%s: %+v", name, d)
			}
			due := h.Clock.Add(5 * time.Second)
			if pending := c.state == logout.DeliveryPending; pending != next.Equal(due) || pending == next.IsZero() {
				t.Errorf("%s: the next attempt is at %s", name, next)
			}
			heard := app.heard()
			if len(heard) != told+1 || heard[told].SessionID != session.ID.String() ||
				heard[told].Subject != user.ID.String() {
				t.Errorf("%s: it was told %d times", name, len(heard)-told)
			}
			// Before its time nothing happens, and what is done stays so.
			again, err := h.Logout.Deliver(t.Context(), id, patience)
			if err != nil || !again.Equal(next) || len(app.heard()) != told+1 {
				t.Errorf("%s: at once again: %s, %v, told %d times", name, again, err, len(app.heard())-told)
			}
			if c.state != logout.DeliveryPending {
				continue
			}
			h.Pass(5 * time.Second)
			if next, err := h.Logout.Deliver(t.Context(), id, 10*time.Second); err != nil || !next.IsZero() {
				t.Errorf("%s: the second attempt: %s, %v", name, next, err)
			}
			heard = app.heard()
			if len(heard) != told+2 || heard[told].TokenID == heard[told+1].TokenID {
				t.Errorf("%s: it was told %d times, or with the same token", name, len(heard)-told)
			}
		}
		if log := h.Logged.String(); !strings.Contains(log, "no more attempts are made") ||
			!strings.Contains(log, "client_id=app") || strings.Contains(log, "logout_token") {
			t.Errorf("logged:\n%s", log)
		}
	})
}

// An app that is nowhere, or on a private address, is not told; no name leads to one that was not meant.
func TestAppsThatCannotBeReached(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		user := person(t, h, "alice")
		addApp(t, h, "gone", gone.URL)
		id, _ := ended(t, h, user, "gone")
		if next, err := h.Logout.Deliver(t.Context(), id, 10*time.Second); err != nil || next.IsZero() {
			t.Errorf("an app that is away: %s, %v", next, err)
		}
		// A name of this machine that is no loopback address by itself: .localhost is asked of a name server by others.
		addApp(t, h, "inside", "https://app.example/logout")
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*clients.Client)(nil)).
				Set("backchannel_logout_uri = 'https://169.254.169.254/x?secret'").Where("id = 'inside'").Exec(ctx)
			return err
		})
		id, session := ended(t, h, user, "inside")
		if next, err := h.Logout.Deliver(t.Context(), id, 10*time.Second); err != nil || !next.IsZero() {
			t.Errorf("an address that is forbidden: %s, %v", next, err)
		}
		found, _ := deliveries(t, h)
		if d := found["inside "+session.ID.String()]; d.State != logout.DeliveryFailed ||
			d.LastError != storage.ErrPrivateAddress.Error() {
			t.Errorf("an address that is forbidden: %+v", d)
		}
		// Nor is one that registered itself, at an address of this machine.
		own := newReceiver(t, h, "own", "ES256")
		addApp(t, h, "own", own.URL)
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*clients.Client)(nil)).Set("origin = ?", clients.OriginOpen).
				Where("id = 'own'").Exec(ctx)
			return err
		})
		id, session = ended(t, h, user, "own")
		next, err := h.Logout.Deliver(t.Context(), id, 10*time.Second)
		found, _ = deliveries(t, h)
		if d := found["own "+session.ID.String()]; err != nil || !next.IsZero() || d.State != logout.DeliveryFailed ||
			len(own.heard()) > 0 {
			t.Errorf("an app that registered itself: %+v, %v", d, err)
		}
		if strings.Contains(h.Logged.String(), "secret") {
			t.Errorf("logged:\n%s", &h.Logged)
		}
	})
}

// Between the end of the session and the attempt all may go: the app, the person, the address; and a process in an
// attempt.
func TestDeliveriesOutliveWhatTheySpeakOf(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		user := person(t, h, "alice")
		old, now := newReceiver(t, h, "app", "ES256"), newReceiver(t, h, "app", "ES256")
		addApp(t, h, "app", old.URL)
		moved, _ := ended(t, h, user, "app")
		lost, _ := ended(t, h, user, "app")
		orphan, _ := ended(t, h, user, "app")
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*clients.Client)(nil)).Set("backchannel_logout_uri = ?", now.URL).
				Where("id = 'app'").Exec(ctx)
			if err != nil {
				return err
			}
			_, err = tx.NewUpdate().Model((*logout.Delivery)(nil)).Set("state = 'sending'").Set("attempts = 1").
				Set("next_at = ?", h.Clock.Add(time.Minute)).Where("id = ?", lost).Exec(ctx)
			return err
		})
		h.Pass(6 * time.Second) // of the cache
		deliver := func(id uuid.UUID) time.Time {
			next, err := h.Logout.Deliver(t.Context(), id, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		if deliver(moved); len(old.heard()) != 0 || len(now.heard()) != 1 {
			t.Errorf("the app has moved: told %d times at the old place, %d at the new one", len(old.heard()), len(now.heard()))
		}
		if next := deliver(lost); len(now.heard()) != 1 || next.IsZero() {
			t.Errorf("an attempt that may be under way was made again, or is not waited for: %s", next)
		}
		h.Pass(time.Minute)
		if next := deliver(lost); len(now.heard()) != 2 || !next.IsZero() {
			t.Errorf("an attempt that was lost was not made again: %s", next)
		}
		if err := h.Clients.Delete(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*identity.User)(nil)).Where("id = ?", user.ID).Exec(ctx)
			return err
		})
		if next := deliver(orphan); len(old.heard()) != 1 || !next.IsZero() {
			t.Errorf("after the app and the person were deleted it was told %d times", len(old.heard()))
		}
		// An app that does not want to be told any more is not.
		bob := person(t, h, "bob")
		addApp(t, h, "app", old.URL)
		quit, session := ended(t, h, bob, "app")
		write(t, h, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*clients.Client)(nil)).Set("backchannel_logout_uri = ''").
				Where("id = 'app'").Exec(ctx)
			return err
		})
		h.Pass(6 * time.Second)
		deliver(quit)
		found, _ := deliveries(t, h)
		if d := found["app "+session.ID.String()]; d.State != logout.DeliveryFailed || len(old.heard()) != 1 {
			t.Errorf("an app that has quit: %+v, told %d times", d, len(old.heard()))
		}
	})
}

// What was given up can be sent again, by one of those who ask for it at once; nothing else can. It goes in time.
func TestDeliveriesAreSentAgainAndForgotten(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		app := newReceiver(t, h, "app", "ES256")
		addApp(t, h, "app", app.URL)
		user := person(t, h, "alice")
		id, session := ended(t, h, user, "app")
		if err := h.Logout.Resend(t.Context(), id); !errors.Is(err, logout.ErrNotFailed) {
			t.Errorf("one that is pending: %v", err)
		}
		if err := h.Logout.Resend(t.Context(), uuid.New()); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("one that is not there: %v", err)
		}
		app.answer(answering(400, ""))
		if _, err := h.Logout.Deliver(t.Context(), id, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		if failed, err := h.Logout.Deliveries(t.Context(), "app", true, 10); err != nil || len(failed) != 1 {
			t.Fatalf("%d have failed, %v", len(failed), err)
		}
		var mu sync.Mutex
		sent := 0
		var asked sync.WaitGroup
		for range 6 {
			asked.Go(func() {
				err := h.Logout.Resend(t.Context(), id)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					sent++
				} else if !errors.Is(err, logout.ErrNotFailed) {
					t.Error(err)
				}
			})
		}
		asked.Wait()
		if _, jobs := deliveries(t, h); sent != 1 || jobs != 2 {
			t.Errorf("sent again %d times, with %d jobs", sent, jobs)
		}
		if _, err := h.Logout.Deliver(t.Context(), id, 10*time.Second); err != nil || len(app.heard()) != 2 {
			t.Errorf("told %d times: %v", len(app.heard()), err)
		}
		found, _ := deliveries(t, h)
		if d := found["app "+session.ID.String()]; d.State != logout.DeliveryDelivered || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
		h.Pass(29 * 24 * time.Hour)
		if deleted, err := h.Expire(t.Context()); err != nil || deleted["logout_deliveries"] != 0 {
			t.Errorf("after 29 days %d go: %v", deleted["logout_deliveries"], err)
		}
		h.Pass(2 * 24 * time.Hour)
		if deleted, err := h.Expire(t.Context()); err != nil || deleted["logout_deliveries"] != 1 {
			t.Errorf("after 31 days %d go: %v", deleted["logout_deliveries"], err)
		}
	})
}

// Who signs out waits for the apps, but for no longer than a second, and none of them can keep the others from it.
func TestAppsAreToldBeforeTheBrowserGoesOn(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		quick, slow := newReceiver(t, h, "quick", "ES256"), newReceiver(t, h, "slow", "ES256")
		addApp(t, h, "quick", quick.URL)
		addApp(t, h, "slow", slow.URL)
		user := person(t, h, "alice")
		for range 2 {
			slow.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			session, began := signIn(t, h, user, "slow", "quick"), time.Now()
			if err := h.Logout.End(t.Context(), user.ID, session.ID, identity.EndedBySignOut); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			found, _ := deliveries(t, h)
			if d := found["quick "+session.ID.String()]; d.State != logout.DeliveryDelivered {
				t.Errorf("the quick one: %+v", d)
			}
			if d := found["slow "+session.ID.String()]; d.State != logout.DeliveryPending || d.Attempts != 1 {
				t.Errorf("the slow one: %+v", d)
			}
			if took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		}
	})
}
