package protocol

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// TestMain trusts the certificate of the test servers, as an operator trusts those of the world: Go reads which to
// trust once for a process.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		server := httptest.NewTLSServer(nil)
		defer server.Close()
		folder, err := os.MkdirTemp("", "wicket-roots-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		file := filepath.Join(folder, "roots.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(file, block, 0o600); err != nil {
			panic(err)
		}
		if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// host serves the documents of apps.
type host struct {
	*httptest.Server

	mu      sync.Mutex
	answer  http.HandlerFunc
	fetched atomic.Int64
}

func startHost(t *testing.T) *host {
	t.Helper()
	h := &host{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fetched.Add(1)
		h.mu.Lock()
		answer := h.answer
		h.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *host) answers(answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

// serves serves a document that is in order, but for change.
func (h *host) serves(id string, change metadata) {
	document := metadata{
		"client_id": id, "client_name": "Notes host", "redirect_uris": []string{"http://localhost/callback"},
		"token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"},
	}
	for name, value := range change {
		document[name] = value
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	h.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(encoded)
	})
}

// eachReading runs test with a server that reads documents, whose clock can be moved on.
func eachReading(t *testing.T, test func(t *testing.T, h *harness.Server, pass func(time.Duration))) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		var passed atomic.Int64
		h := harness.Start(t, databaseURL, func(c *harness.Config) {
			c.ClientDocuments, c.AllowPrivate = registration.Documents{Any: true}, true
			now := c.Clock
			c.Clock = func() time.Time { return now().Add(time.Duration(passed.Load())) }
		})
		test(t, h, func(d time.Duration) { passed.Add(int64(d)) })
	})
}

// An app that nobody has registered signs somebody in, on whatever port it listens.
func TestAnAppIsKnownByItsDocument(t *testing.T) {
	t.Parallel()
	eachReading(t, func(t *testing.T, h *harness.Server, pass func(time.Duration)) {
		apps := startHost(t)
		id := apps.URL + "/client.json"
		apps.serves(id, nil)
		client := harness.Client{Client: &clients.Client{ID: id}}
		const callback = "http://localhost:50123/callback"
		request := url.Values{"redirect_uri": {callback}}
		b := h.NewBrowser(t)
		page := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, request)))
		for _, want := range []string{
			`id="stranger"`, "Notes host", "localhost:50123", strings.TrimPrefix(apps.URL, "https://"),
		} {
			if !strings.Contains(page.Text, want) {
				t.Errorf("the consent page does not show %q:\n%s", want, page.Text)
			}
		}
		page = b.Post(t, "/consent", url.Values{
			"decision": {"allow"}, "continue": {page.Continue()}, "scope": {"profile", "email", "offline_access"},
		})
		to, err := page.Location()
		if err != nil || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("code") == "" {
			t.Fatalf("%v, %v\n%s", to, err, page.Text)
		}
		tokens := h.Call(t, oidc.PathToken, client, url.Values{
			"grant_type": {oidc.GrantCode}, "code": {to.Query().Get("code")}, "redirect_uri": {callback},
			"code_verifier": {harness.CodeVerifier},
		})
		if tokens.Status != http.StatusOK {
			t.Fatalf("%d %v", tokens.Status, tokens.JSON)
		}
		if n := apps.fetched.Load(); n != 1 {
			t.Errorf("the document was read %d times, want once", n)
		}
		// Its server is away: what is known is good for tokens, and for a new sign-in no longer than it may be believed.
		apps.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		pass(2 * time.Hour)
		if page := h.NewBrowser(t).Get(t, h.AuthorizeURL(client, request)); page.StatusCode != http.StatusBadRequest {
			t.Errorf("with a document that is too old: %d\n%s", page.StatusCode, page.Text)
		}
		if again := h.Refresh(t, client, tokens.Text("refresh_token")); again.Status != http.StatusOK {
			t.Errorf("a refresh: %d %v", again.Status, again.JSON)
		}
		// Who turns documents off, or leaves its host out, lets nobody new in with it.
		for name, documents := range map[string]registration.Documents{
			"off": {}, "another host": {Hosts: []string{"else.example"}},
		} {
			h.Registration.Documents = documents
			page := h.NewBrowser(t).Get(t, h.AuthorizeURL(client, url.Values{"redirect_uri": {callback}}))
			if page.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d, %s", name, page.StatusCode, page.Path())
			}
		}
		h.Registration.Documents = registration.Documents{Any: true}
		// It comes back with another address: what people have allowed was for the old one.
		pass(time.Minute)
		apps.serves(id, metadata{"redirect_uris": []string{"http://localhost/other"}})
		b = h.NewBrowser(t)
		page = b.SignIn(t, b.Get(t, h.AuthorizeURL(client, url.Values{"redirect_uri": {"http://localhost:1/other"}})))
		if page.Path() != "/consent" {
			t.Errorf("not asked again, but %s\n%s", page.Path(), page.Text)
		}
	})
}

// What is wrong with a document is said, on a page, and leaves nothing behind.
func TestDocumentsThatAreNotInOrder(t *testing.T) {
	t.Parallel()
	eachReading(t, func(t *testing.T, h *harness.Server, pass func(time.Duration)) {
		apps := startHost(t)
		id := apps.URL + "/client.json"
		client := harness.Client{Client: &clients.Client{ID: id}}
		written := func(kind, body string, status int) func() {
			return func() {
				apps.answers(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", kind)
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				})
			}
		}
		for name, c := range map[string]struct {
			serve func()
			want  string
		}{
			"not found": {written("application/json", "{}", 404), "status 404"},
			"elsewhere": {func() {
				apps.answers(http.RedirectHandler("https://else.example/", http.StatusFound).ServeHTTP)
			}, "cannot be fetched"},
			"a page":           {written("text/html", "{}", 200), "Content-Type"},
			"no JSON":          {written("application/json", "{", 200), "not a JSON object"},
			"a list":           {written("application/json", "[]", 200), "not a JSON object"},
			"too long":         {written("application/json", `{"client_id":"`+strings.Repeat("x", 6<<10)+`"}`, 200), "longer than"},
			"another's id":     {func() { apps.serves(apps.URL+"/other.json", nil) }, "client_id is not the URL"},
			"an id spelled so": {func() { apps.serves(strings.ToUpper(id), nil) }, "client_id is not the URL"},
			"a secret":         {func() { apps.serves(id, metadata{"client_secret": "x"}) }, "client_secret"},
			"basic":            {func() { apps.serves(id, metadata{"token_endpoint_auth_method": "client_secret_basic"}) }, "none or private_key_jwt"},
			"no redirect":      {func() { apps.serves(id, metadata{"redirect_uris": []string{}}) }, "redirect URI"},
			"a bad redirect":   {func() { apps.serves(id, metadata{"redirect_uris": []string{"http://evil.example/"}}) }, "must use https"},
			"no keys":          {func() { apps.serves(id, metadata{"token_endpoint_auth_method": "private_key_jwt"}) }, "public keys"},
			"another grant":    {func() { apps.serves(id, metadata{"grant_types": []string{"client_credentials"}}) }, "grant types"},
		} {
			pass(time.Minute) // a failure is remembered for a moment
			c.serve()
			page := h.NewBrowser(t).Get(t, h.AuthorizeURL(client, nil))
			if page.StatusCode != http.StatusBadRequest || !strings.Contains(page.Text, c.want) {
				t.Errorf("%s: %d, want %q\n%s", name, page.StatusCode, c.want, page.Text)
			}
		}
		if list, err := h.Clients.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%d clients are left, %v", len(list), err)
		}
		before := apps.fetched.Load()
		for range 20 {
			h.NewBrowser(t).Get(t, h.AuthorizeURL(client, nil))
		}
		if n := apps.fetched.Load() - before; n > 1 {
			t.Errorf("a document that cannot be read was read %d times more within a moment", n)
		}
	})
}

// Documents are read of those hosts alone that the operator has named, and not from the network that Wicket runs in.
func TestWhichDocumentsAreRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*harness.Config){
		"none":         func(c *harness.Config) { c.ClientDocuments = registration.Documents{} },
		"another host": func(c *harness.Config) { c.ClientDocuments = registration.Documents{Hosts: []string{".else.example"}} },
		"this network": func(c *harness.Config) { c.AllowPrivate = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			apps := startHost(t)
			id := apps.URL + "/client.json"
			apps.serves(id, nil)
			h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) {
				c.ClientDocuments, c.AllowPrivate = registration.Documents{Any: true}, true
				change(c)
			})
			client := harness.Client{Client: &clients.Client{ID: id}}
			page := h.NewBrowser(t).Get(t, h.AuthorizeURL(client, url.Values{"redirect_uri": {"http://localhost:1/callback"}}))
			if n := apps.fetched.Load(); page.StatusCode != http.StatusBadRequest || n != 0 {
				t.Errorf("%d, and the document was read %d times", page.StatusCode, n)
			}
		})
	}
}

// Fifty at once: the document is read once, and there is one client.
func TestADocumentIsReadOnceForMany(t *testing.T) {
	t.Parallel()
	eachReading(t, func(t *testing.T, h *harness.Server, _ func(time.Duration)) {
		apps := startHost(t)
		id := apps.URL + "/client.json"
		apps.serves(id, nil)
		client := harness.Client{Client: &clients.Client{ID: id}}
		request := url.Values{"redirect_uri": {"http://localhost:1/callback"}}
		for _, got := range harness.AtOnce(50, func() string {
			page := h.NewBrowser(t).Get(t, h.AuthorizeURL(client, request))
			return fmt.Sprint(page.StatusCode, page.Path())
		}) {
			if got != "200/sign-in" {
				t.Errorf("%s", got)
			}
		}
		if n := apps.fetched.Load(); n != 1 {
			t.Errorf("the document was read %d times", n)
		}
	})
}
