package console

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Every page breaks no rule of axe-core, and fits the narrowest screen.
func TestConsoleIsAccessible(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	bob := furnish(t, h)
	w.Open(h.Issuer + "/console")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Overview")
	strengthen(t, h)
	for _, route := range consoleRoutes(h) {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodGet {
			continue
		}
		path = strings.NewReplacer(
			":id", bob.ID.String(), ":slug", "staff", "/sign-in/new", "/sign-in/new?kind=microsoft", ":provider", "acme",
			":reference", furnishedRefusal, ":webhook", "ops",
		).Replace(path)
		if strings.HasPrefix(path, "/console/apps/app") {
			path += "?recipe=grafana&who=bob&id=" + furnishedApp
		}
		w.Open(h.Issuer + path)
		w.WaitFor("location.pathname.startsWith('/console')")
		w.Reads("main", "")
		w.Accessible()
	}
	for _, kind := range []string{"web", "spa", "native", "device", "machine"} {
		w.Open(h.Issuer + "/console/apps/new?kind=" + kind)
		w.Reads("main", "Add an app")
		w.Accessible()
	}
}

// The app and the refusal that furnish makes.
const (
	furnishedApp     = "wiki"
	furnishedRefusal = "REFUSED2"
)

// furnish makes some of everything, and returns a person.
func furnish(t *testing.T, h *harness.Server) *identity.User {
	t.Helper()
	bob := h.Register(t, identity.NewUser{
		Username: "bob", Password: harness.Password, Email: "bob@example.com", Name: "Bob Builder", Roles: []string{"employee"},
	})
	if _, err := h.Identity.Groups().Create(t.Context(), "staff", "Staff"); err != nil {
		t.Fatal(err)
	}
	if err := h.Identity.Groups().Add(t.Context(), "staff", bob.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Identity.Groups().GrantRole(t.Context(), "staff", "reader"); err != nil {
		t.Fatal(err)
	}
	err := h.Upstreams.Add(t.Context(), &federation.Provider{
		ID: "acme", Kind: federation.KindOpenID, Name: "Acme", Issuer: "https://login.acme.example", ClientID: "wicket",
		Secret: "secret", IsActive: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.AddClient(t, func(c *clients.Client) {
		c.ID, c.Name, c.RedirectURIs = furnishedApp, "Wiki", []string{"https://wiki.example/cb"}
	})
	request := audit.Actor{Name: bob.Actor(), IP: "192.0.2.7", RequestID: furnishedRefusal + "ABCDEFGHIJKLMNOPQR"}
	h.Refused.Note(audit.As(t.Context(), request), refusals.Record{
		Place: refusals.AtAuthorize, ClientID: furnishedApp, Error: "invalid_request", Reason: oidc.WrongRedirectURI,
		Description: "No.", Expected: []string{"https://wiki.example/cb"}, Got: []string{"https://other.example/cb"},
	})
	h.Refused.Drain(t.Context())
	_, err = h.Webhooks.Put(t.Context(), manage.Operator("test"), "ops", webhooks.WebhookSettings{
		URL: "https://hooks.example.com/", Description: "To operations", Types: []string{"user.*", "session.ended"},
	}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	addLogoutDeliveries(t, h, bob.ID, 2)
	now := h.Clock.Now()
	h.SQL(t, `INSERT INTO events (sequence, id, type, entry_id, at) VALUES (1, ?, 'user.created', 1, ?)`, uuid.New(), now)
	h.SQL(t, `INSERT INTO webhook_deliveries
		(id, webhook_id, sequence, state, attempts, status, answer, error, created_at, next_at, finished_at)
		VALUES (?, 'ops', 1, 'failed', 11, 503, 'Back soon', 'it answered 503', ?, ?, ?)`, uuid.New(), now, now, now)
	b := h.NewBrowser(t)
	b.SignInAs(t, "bob")
	b.Post(t, "/sign-in", url.Values{"username": {"bob"}, "password": {"wrong"}})
	return bob
}

// A group is made by the keyboard alone, from the link that skips what stands before.
func TestConsoleByKeyboard(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	w.Open(h.Issuer + "/console/groups")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Make a group")
	press := func(keys string) {
		t.Helper()
		w.Do(chromedp.KeyEvent(keys))
	}
	press("\t")
	w.WaitFor("document.activeElement.matches('.skip')")
	press("\r")
	press("\t")
	w.WaitFor("document.activeElement.id === 'name'")
	press("Board")
	press("\t")
	press("board")
	press("\r")
	w.Reads("main", "The group was made", "Board")
}

// A page weighs little, with all that it loads, and the longest lists too.
func TestConsoleWeighsLittle(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	bob := furnish(t, h)
	for i := range 60 {
		h.Register(t, identity.NewUser{
			Username: fmt.Sprintf("somebody-%d", i), Name: "Benedikt Okonkwo-Lindqvist", Email: fmt.Sprintf("somebody-%d@example.com", i),
		})
	}
	b := h.NewBrowser(t)
	b.SignIn(t, harness.Page{})
	strengthen(t, h)
	for _, path := range []string{"/console", "/console/people", "/console/activity/history", "/console/apps/app?recipe=nextjs&id=" + furnishedApp,
		"/console/apps/app/preview?who=bob&id=" + furnishedApp, "/console/apps/app/test?id=" + furnishedApp,
		"/console/people/" + bob.ID.String() + "/view", "/console/integrations/webhooks/ops", "/console/integrations/new",
		"/console/integrations/logouts",
	} {
		shown := b.Get(t, path)
		if want, _, _ := strings.Cut(path, "?"); shown.Path() != want {
			t.Errorf("%s leads to %s", path, shown.Path())
		}
		weight := len(shown.Text)
		for _, asset := range append(shown.Attributes("link", "href"), shown.Attributes("script", "src")...) {
			response, err := b.Client.Get(h.Issuer + asset)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			weight += len(body)
		}
		if weight > 60_000 {
			t.Errorf("%s weighs %d bytes, of which the page itself %d", path, weight, len(shown.Text))
		}
		t.Logf("%s: %d bytes", path, weight)
	}
}
