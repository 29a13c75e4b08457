package clients_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The sector of an app is a host that answers for it: OpenID Connect Core, section 8.1.
func TestSectorOfAnApp(t *testing.T) {
	t.Parallel()
	const list = "https://Sector.example:8443/list.json"
	for name, c := range map[string]struct {
		client clients.Client
		sector string
		fault  string
	}{
		"one host":                   {clients.Client{RedirectURIs: []string{"https://app.example/a", "https://APP.example.:8443/b"}}, "app.example", ""},
		"two hosts":                  {clients.Client{RedirectURIs: []string{"https://app.example/a", "https://www.app.example/b"}}, "", "need the same host"},
		"two hosts and a list":       {clients.Client{RedirectURIs: []string{"https://app.example/a", "https://b.example/b"}, SectorIdentifierURI: list}, "sector.example", ""},
		"on this machine":            {clients.Client{RedirectURIs: []string{"http://localhost:1/a"}}, "", "says not which sector"},
		"on this machine, by https":  {clients.Client{RedirectURIs: []string{"https://127.0.0.1:1/a"}}, "", "says not which sector"},
		"a scheme of its own":        {clients.Client{RedirectURIs: []string{"com.example.app:/a"}}, "", "says not which sector"},
		"a scheme of its own, list":  {clients.Client{RedirectURIs: []string{"com.example.app:/a"}, SectorIdentifierURI: list}, "sector.example", ""},
		"a private address":          {clients.Client{RedirectURIs: []string{"https://10.0.0.5/a"}}, "", "says not which sector"},
		"the same in IPv6":           {clients.Client{RedirectURIs: []string{"https://[::ffff:10.0.0.5]/a"}}, "", "says not which sector"},
		"a local address":            {clients.Client{RedirectURIs: []string{"https://[fe80::1]/a"}}, "", "says not which sector"},
		"an old kind of address":     {clients.Client{RedirectURIs: []string{"https://10.5/a"}}, "", "says not which sector"},
		"a name without a domain":    {clients.Client{RedirectURIs: []string{"https://intranet/a"}}, "", "says not which sector"},
		"an empty domain":            {clients.Client{RedirectURIs: []string{"https://intranet../a"}}, "", "says not which sector"},
		"a public address":           {clients.Client{RedirectURIs: []string{"https://8.8.8.8/a"}}, "8.8.8.8", ""},
		"a private address, list":    {clients.Client{RedirectURIs: []string{"https://10.0.0.5/a"}, SectorIdentifierURI: list}, "sector.example", ""},
		"a stranger's scheme, list":  {clients.Client{Origin: clients.OriginOpen, RedirectURIs: []string{"com.example.app:/a"}, SectorIdentifierURI: list}, "", "registers itself cannot"},
		"a stranger's machine, list": {clients.Client{Origin: clients.OriginDocument, ID: "https://a.example/id", AuthMethod: "none", RedirectURIs: []string{"http://127.0.0.1/a"}, SectorIdentifierURI: list}, "", "registers itself cannot"},
		"a stranger, told here":      {clients.Client{Origin: clients.OriginOpen, RedirectURIs: []string{"https://app.example/a"}, BackchannelLogoutURI: "https://app.example:8443/l"}, "app.example", ""},
		"a stranger, told elsewhere": {clients.Client{Origin: clients.OriginOpen, RedirectURIs: []string{"https://app.example/a"}, BackchannelLogoutURI: "https://b.example/l"}, "", "must be on the host app.example"},
		"a stranger, told by list":   {clients.Client{Origin: clients.OriginOpen, RedirectURIs: []string{"https://app.example/a"}, BackchannelLogoutURI: "https://b.example/l", SectorIdentifierURI: list}, "sector.example", ""},
		"an operator's, elsewhere":   {clients.Client{RedirectURIs: []string{"https://app.example/a"}, BackchannelLogoutURI: "https://b.example/l"}, "app.example", ""},
		"nobody is sent to it":       {clients.Client{GrantTypes: []string{"client_credentials"}, SectorIdentifierURI: list}, "", "needs a redirect URI"},
		"a list without https":       {clients.Client{RedirectURIs: []string{"https://app.example/a"}, SectorIdentifierURI: "http://app.example/list"}, "", "must be an https URL"},
		"public":                     {clients.Client{SubjectType: "public", RedirectURIs: []string{"https://a.example/", "https://b.example/"}}, "", ""},
		"public, with a list":        {clients.Client{SubjectType: "public", RedirectURIs: []string{"https://a.example/"}, SectorIdentifierURI: list}, "", ""},
		"public, with no good list":  {clients.Client{SubjectType: "public", RedirectURIs: []string{"https://a.example/"}, SectorIdentifierURI: "list"}, "", "must be an https URL"},
		"neither public nor another": {clients.Client{SubjectType: "Pairwise", RedirectURIs: []string{"https://a.example/"}}, "", "is not one of public, pairwise"},
	} {
		client := c.client
		client.Name, client.Sector = "App", "before"
		if client.SubjectType == "" {
			client.SubjectType = clients.SubjectPairwise
		}
		err := client.Complete()
		if (err == nil) != (c.fault == "") || err != nil && (!errors.Is(err, clients.ErrClient) ||
			!strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
		if err == nil && client.Sector != c.sector {
			t.Errorf("%s: the sector %q, want %q", name, client.Sector, c.sector)
		}
	}
}

// sectorServer answers with what is to be at a sector_identifier_uri.
type sectorServer struct {
	*httptest.Server

	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
}

func newSectorServer(t *testing.T) *sectorServer {
	t.Helper()
	s := new(sectorServer)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		answer := s.answer
		s.asked++
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// lists has it answer with these redirect URIs.
func (s *sectorServer) lists(uris ...string) {
	encoded, _ := json.Marshal(uris)
	s.says(string(encoded))
}

func (s *sectorServer) says(text string) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func (s *sectorServer) answers(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *sectorServer) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// The list of a sector must name every redirect URI of an app, whenever it is registered or changed.
func TestAnAppMustBeListedByItsSector(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		server := newSectorServer(t)
		const a, b = "https://a.example/callback", "https://b.example/callback"
		create := func() (*clients.Client, error) {
			client := &clients.Client{
				Name: "App", SubjectType: clients.SubjectPairwise, SectorIdentifierURI: server.URL + "/list", RedirectURIs: []string{a, b},
			}
			_, err := h.Clients.Create(t.Context(), client)
			return client, err
		}
		for name, c := range map[string]struct {
			answer http.HandlerFunc
			fault  string
		}{
			"one is missing": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`["` + a + `"]`)) }, b},
			"no list":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"redirect_uris":[]}`)) }, "no JSON array"},
			"null":           {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`null`)) }, "no JSON array"},
			"not texts":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`["` + a + `","` + b + `",7]`)) }, "no JSON array"},
			"more follows":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`["` + a + `","` + b + `"] x`)) }, "no JSON array"},
			"not there":      {http.NotFound, "status 404"},
			"elsewhere":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) }, "redirected"},
			"endless": {func(w http.ResponseWriter, _ *http.Request) {
				for range 1000 {
					_, _ = w.Write([]byte(strings.Repeat(" ", 1000)))
				}
			}, "cannot be fetched"},
		} {
			server.answers(c.answer)
			if _, err := create(); !errors.Is(err, clients.ErrClient) || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, want %q", name, err, c.fault)
			}
		}
		server.lists(b, "https://c.example/", a)
		client, err := create()
		if err != nil || client.Sector != "127.0.0.1" {
			t.Fatalf("%v, the sector %q", err, client.Sector)
		}
		update := func(change func(*clients.Client)) error {
			h.Pass(time.Second)
			_, _, err := h.Clients.Update(t.Context(), client.ID, func(c *clients.Client) error { change(c); return nil })
			return err
		}
		server.lists()
		before := server.requests()
		if err := update(func(c *clients.Client) { c.Name = "Another name" }); err != nil || server.requests() != before {
			t.Errorf("another name: %v, %d requests", err, server.requests()-before)
		}
		if err := update(func(c *clients.Client) { c.RedirectURIs = []string{a} }); !errors.Is(err, clients.ErrClient) {
			t.Errorf("a change of the redirect URIs: %v", err)
		}
		server.lists(a)
		if err := update(func(c *clients.Client) { c.RedirectURIs = []string{a} }); err != nil {
			t.Errorf("the same, listed: %v", err)
		}
		if err := update(func(c *clients.Client) { c.SubjectType, c.SectorIdentifierURI = "", "" }); err != nil {
			t.Error(err)
		}
		if now, err := h.Clients.Fresh(t.Context(), client.ID); err != nil || now.Sector != "" ||
			now.SubjectType != clients.SubjectPublic {
			t.Errorf("public again: %+v, %v", now, err)
		}
	})
}

// What is declared is asked for where it is new or has changed, so that a start does not hang on somebody else's
// server.
func TestDeclaredAppsMustBeListedByTheirSector(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		server := newSectorServer(t)
		declare := func(name string, redirects ...string) error {
			_, _, err := h.Clients.Declare(t.Context(), []clients.Declaration{{Client: &clients.Client{
				ID: "app", Name: name, AuthMethod: clients.AuthNone, RedirectURIs: redirects,
				SubjectType: clients.SubjectPairwise, SectorIdentifierURI: server.URL,
			}}})
			return err
		}
		server.lists()
		if err := declare("App", "https://a.example/"); !errors.Is(err, clients.ErrClient) ||
			!strings.Contains(err.Error(), `client "app"`) {
			t.Errorf("not listed: %v", err)
		}
		server.lists("https://a.example/")
		if err := declare("App", "https://a.example/"); err != nil {
			t.Fatal(err)
		}
		before := server.requests()
		for _, name := range []string{"App", "Another name"} {
			if err := declare(name, "https://a.example/"); err != nil || server.requests() != before {
				t.Errorf("%s: %v, %d requests", name, err, server.requests()-before)
			}
		}
		if client, err := h.Clients.Fresh(t.Context(), "app"); err != nil || client.Sector != "127.0.0.1" ||
			client.Name != "Another name" {
			t.Errorf("declared: %+v, %v", client, err)
		}
		if err := declare("App", "https://a.example/", "https://b.example/"); !errors.Is(err, clients.ErrClient) {
			t.Errorf("one more, which is not listed: %v", err)
		}
	})
}

// What is new must be listed, so that is asked for; nothing else is, and of apps that somebody vouches for it is not
// asked where they are told of logouts.
func TestWhenASectorIsAsked(t *testing.T) {
	t.Parallel()
	app := clients.Client{
		Origin: clients.OriginOpen, SubjectType: clients.SubjectPairwise, Sector: "sector.example",
		SectorIdentifierURI: "https://sector.example/list", RedirectURIs: []string{"https://a.example/"},
	}
	for name, c := range map[string]struct {
		change func(c *clients.Client)
		asks   bool
	}{
		"nothing":                 {func(*clients.Client) {}, false},
		"its name":                {func(c *clients.Client) { c.Name = "Another" }, false},
		"its redirect URIs":       {func(c *clients.Client) { c.RedirectURIs = []string{"https://b.example/"} }, true},
		"its list":                {func(c *clients.Client) { c.SectorIdentifierURI += "2" }, true},
		"no list":                 {func(c *clients.Client) { c.SectorIdentifierURI = "" }, false},
		"told by the list's host": {func(c *clients.Client) { c.BackchannelLogoutURI = "https://sector.example/logout" }, false},
		"told elsewhere":          {func(c *clients.Client) { c.BackchannelLogoutURI = "https://b.example/logout" }, true},
		"vouched for": {func(c *clients.Client) {
			c.Origin, c.BackchannelLogoutURI = clients.OriginOperator, "https://b.example/logout"
		}, false},
	} {
		after := app
		c.change(&after)
		if got := clients.AsksSector(&after, &app); got != c.asks {
			t.Errorf("%s: %v, want %v", name, got, c.asks)
		}
		if got := clients.AsksSector(&after, nil); got != (after.SectorIdentifierURI != "") {
			t.Errorf("%s, of a new app: %v", name, got)
		}
	}
	public := app
	app.BackchannelLogoutURI, public.BackchannelLogoutURI = "https://b.example/logout", "https://b.example/logout"
	public.SubjectType, public.Sector = clients.SubjectPublic, ""
	if !clients.AsksSector(&app, &public) || clients.AsksSector(&public, &app) {
		t.Error("of an app that was public before, or will be")
	}
}

// A stranger's list is fetched from public addresses alone, and the answer says nothing of what is where.
func TestSectorsOfStrangersAreOnPublicAddresses(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	server := newSectorServer(t)
	server.lists("https://a.example/")
	for _, origin := range []string{clients.OriginOpen, clients.OriginToken, clients.OriginDocument} {
		client := &clients.Client{
			ID: "app", Name: "App", Origin: origin, RedirectURIs: []string{"https://a.example/"},
			SubjectType: clients.SubjectPairwise, SectorIdentifierURI: server.URL,
		}
		if err := client.Complete(); err != nil {
			t.Fatal(err)
		}
		err := h.Clients.CheckSector(t.Context(), client, nil)
		if !errors.Is(err, clients.ErrClient) || !strings.HasSuffix(err.Error(), "cannot be fetched") {
			t.Errorf("%s: %v", origin, err)
		}
	}
	if server.requests() != 0 {
		t.Error("a stranger's app has reached this machine")
	}
}
