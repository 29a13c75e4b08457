package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web"
)

// everybody and its like are who may do something: o owner, a administrator, u user-manager, p app-manager, s support,
// r auditor.
const (
	everybody = "oaupsr"
	readers   = "oar"
	people    = "oau"
	recovery  = "oaus"
	appsOwn   = "oap"
	top       = "oa"
)

// may says who may do what each route of the console is for. A route that is missing here is new: say who may.
var may = map[string]string{
	"GET /console": everybody, "GET /console/search": everybody,

	"GET /console/people": everybody, "GET /console/people/:id": everybody, "GET /console/people/invitations": everybody,
	"GET /console/people/new": people, "POST /console/people/invite": people, "POST /console/people/create": people,
	"POST /console/people/invitations/revoke": people, "POST /console/people/:id/save": people,
	"POST /console/people/:id/disable": people, "POST /console/people/:id/enable": people,
	"POST /console/people/:id/add-email": people, "POST /console/people/:id/remove-email": recovery,
	"POST /console/people/:id/prefer-email": recovery,
	"POST /console/people/:id/join":         people, "POST /console/people/:id/leave": people,
	"POST /console/people/:id/grant-role": people, "POST /console/people/:id/revoke-role": people,
	"POST /console/people/:id/grant-admin": top, "POST /console/people/:id/revoke-admin": top,
	"POST /console/people/:id/unlock": recovery, "POST /console/people/:id/sign-out": recovery,
	"POST /console/people/:id/end-session": recovery, "POST /console/people/:id/end-grant": recovery,
	"POST /console/people/:id/reset-link": recovery, "GET /console/people/:id/reset-factors": recovery,
	"POST /console/people/:id/reset-factors": recovery,
	"GET /console/people/:id/view":           everybody,
	"GET /console/people/:id/erase":          top, "POST /console/people/:id/erase": top,

	"GET /console/groups": everybody, "GET /console/groups/:slug": everybody, "POST /console/groups/create": people,
	"POST /console/groups/:slug/save": people, "POST /console/groups/:slug/add": people,
	"POST /console/groups/:slug/remove": people, "POST /console/groups/:slug/grant-role": people,
	"POST /console/groups/:slug/revoke-role": people, "GET /console/groups/:slug/delete": people,
	"POST /console/groups/:slug/delete": people,

	"GET /console/apps": everybody, "GET /console/apps/app": everybody, "GET /console/apps/new": appsOwn,
	"POST /console/apps/create": appsOwn, "POST /console/apps/app/save": appsOwn,
	"POST /console/apps/app/save-access": appsOwn, "POST /console/apps/app/rotate": appsOwn,
	"GET /console/apps/app/preview": everybody, "GET /console/apps/app/test": everybody,
	"GET /console/apps/app/delete": appsOwn, "POST /console/apps/app/delete": appsOwn,

	"GET /console/refusals": everybody, "GET /console/refusals/:reference": everybody,
	"POST /console/refusals/:reference/mend": appsOwn,

	"GET /console/sign-in": everybody, "GET /console/sign-in/new": "o", "POST /console/sign-in/add": "o",
	"GET /console/sign-in/:provider": everybody, "POST /console/sign-in/:provider/save": "o",
	"GET /console/sign-in/:provider/remove": "o", "POST /console/sign-in/:provider/remove": "o",

	"GET /console/activity": "oausr", "GET /console/activity/history": "oausr",

	"GET /console/integrations": readers, "GET /console/integrations/new": top,
	"POST /console/integrations/create": top, "GET /console/integrations/webhooks/:webhook": readers,
	"POST /console/integrations/webhooks/:webhook/save": top, "POST /console/integrations/webhooks/:webhook/test": top,
	"POST /console/integrations/webhooks/:webhook/resend":       top,
	"POST /console/integrations/webhooks/:webhook/resend-since": top,
	"POST /console/integrations/webhooks/:webhook/rotate":       top,
	"POST /console/integrations/webhooks/:webhook/disable":      top,
	"POST /console/integrations/webhooks/:webhook/enable":       top,
	"GET /console/integrations/webhooks/:webhook/delete":        top,
	"POST /console/integrations/webhooks/:webhook/delete":       top,
	"GET /console/integrations/logouts":                         everybody,
	"POST /console/integrations/logouts/resend":                 appsOwn,

	"GET /console/administrators": readers, "POST /console/administrators/grant": top,
	"POST /console/administrators/revoke": top, "GET /console/administrators/keys": readers,
	"POST /console/administrators/keys/create": top, "POST /console/administrators/keys/revoke": top,

	"GET /console/server": readers, "GET /console/server/rotate": "o", "POST /console/server/rotate": "o",
}

// letters are the roles as may writes them.
var letters = map[string]string{
	administrators.Owner: "o", administrators.Administrator: "a", administrators.UserManager: "u",
	administrators.AppManager: "p", administrators.Support: "s", administrators.Auditor: "r",
}

// consoleRoutes are those that change something or show a page, each as "GET /console".
func consoleRoutes(h *harness.Server) (routes []string) {
	for _, route := range h.Handler.(*web.Handler).Routes() {
		if route.Method != http.MethodHead && (route.Path == "/console" || strings.HasPrefix(route.Path, "/console/")) {
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	slices.Sort(routes)
	return routes
}

// send opens a route, or sends a form there that has all that it could need, about what there is none of.
func send(t *testing.T, b *harness.Browser, route string) harness.Page {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer(
		":id", uuid.NewString(), ":slug", "none", ":provider", "none", ":reference", "NONE",
		":webhook", "none",
	).Replace(path)
	if method == http.MethodGet {
		return b.Get(t, path)
	}
	form := url.Values{"days": {"30"}, "username": {"nobody"}, "verified": {"yes"}}
	if !strings.HasSuffix(path, "/invite") { // the role of an invitation takes more than the invitation
		form.Set("role", administrators.Auditor)
	}
	for _, name := range []string{"session", "grant", "member", "key", "invitation", "user", "email", "delivery"} {
		form.Set(name, uuid.NewString())
	}
	return b.Post(t, path, form)
}

const notAllowed = "Your role does not allow this"

func TestWhoMayDoWhatInTheConsole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		routes := consoleRoutes(h)
		for _, route := range routes {
			if may[route] == "" {
				t.Errorf("nothing says who may: %s", route)
			}
		}
		if len(routes) != len(may) {
			t.Errorf("there are %d routes, and %d are known here", len(routes), len(may))
		}
		stranger, person := h.NewBrowser(t), h.NewBrowser(t)
		person.SignIn(t, harness.Page{})
		for _, route := range routes {
			if shown := send(t, stranger, route); shown.Path() != "/sign-in" {
				t.Errorf("%s by nobody: %s at %s", route, shown.Status, shown.Path())
			}
			if shown := send(t, person, route); shown.StatusCode != http.StatusForbidden ||
				!strings.Contains(shown.Text, "You do not administer this server") {
				t.Errorf("%s by a person without a role: %s", route, shown.Status)
			}
		}
		for _, role := range administrators.Names {
			user := h.Register(t, identity.NewUser{Username: "the-" + role, Password: harness.Password})
			makeAdministrator(t, h, user, role)
			b := h.NewBrowser(t)
			b.SignInAs(t, user.Username)
			for _, route := range routes {
				shown := send(t, b, route)
				refused := shown.StatusCode == http.StatusForbidden && strings.Contains(shown.Text, notAllowed)
				if allowed := strings.Contains(may[route], letters[role]); allowed == refused {
					t.Errorf("%s by %s: %s at %s", route, role, shown.Status, shown.Path())
				}
				if shown.StatusCode >= http.StatusInternalServerError {
					t.Errorf("%s by %s: %s", route, role, shown.Status)
				}
			}
		}
	})
}

// A role that is taken away counts no more at the next request, on another replica too.
func TestRevokedRoleClosesTheConsole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		makeAdministrator(t, h, h.User, administrators.Auditor)
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Get(t, "/console/people"); shown.StatusCode != http.StatusOK {
			t.Fatalf("with the role: %s", shown.Status)
		}
		replica := h.Replica(t)
		err := replica.Manage.Administrators.Revoke(t.Context(), administrators.Person(h.User.ID), administrators.Auditor)
		if err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/console/people"); shown.StatusCode != http.StatusForbidden {
			t.Errorf("without the role: %s", shown.Status)
		}
	})
}

// What changes something must come from a page of the server itself.
func TestConsoleTakesNoFormOfAnotherSite(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	b := h.NewBrowser(t)
	b.SignIn(t, harness.Page{})
	for _, route := range consoleRoutes(h) {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodPost {
			continue
		}
		path = strings.NewReplacer(":id", h.User.ID.String(), ":slug", "none", ":reference", "NONE").Replace(path)
		request, err := http.NewRequest(method, h.Issuer+path, strings.NewReader("role=auditor"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://evil.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := b.Do(request)
		shown := harness.ReadPage(t, response, err)
		if shown.StatusCode != http.StatusForbidden || !strings.Contains(shown.Text, "another site") {
			t.Errorf("%s from another site: %s", route, shown.Status)
		}
	}
}

// A session is good for the console for twelve hours after its sign-in.
func TestConsoleWantsASignInOfToday(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		makeAdministrator(t, h, h.User, administrators.Owner)
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		age := func(d time.Duration) {
			t.Helper()
			h.SQL(t, "UPDATE sessions SET auth_time = '"+h.Clock.Now().Add(-d).Format("2006-01-02 15:04:05.999999-07:00")+"'")
		}
		age(11*time.Hour + 50*time.Minute)
		if shown := b.Get(t, "/console/groups"); shown.StatusCode != http.StatusOK || shown.Path() != "/console/groups" {
			t.Errorf("just within: %s at %s", shown.Status, shown.Path())
		}
		age(12*time.Hour + time.Minute)
		asked := b.Get(t, "/console/groups?cursor=")
		if asked.Path() != "/sign-in" || asked.Then() != "/console/groups?cursor=" {
			t.Fatalf("after that: at %s, then %q", asked.Path(), asked.Then())
		}
		shown := b.Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "then": {asked.Then()},
		})
		if shown.Path() != "/console/groups" || shown.StatusCode != http.StatusOK {
			t.Errorf("after another sign-in: %s at %s", shown.Status, shown.Path())
		}
	})
}

// What is dangerous takes two factors, and leads to them: first to set one up, later to show it.
func TestDangerTakesTwoFactors(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		makeAdministrator(t, h, h.User, administrators.Owner)
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password})
		page := "/console/people/" + bob.ID.String()
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		shown := b.Post(t, page+"/sign-out", nil)
		if shown.Path() != "/enrol" || shown.Request.URL.Query().Get("then") != page {
			t.Fatalf("with a password alone: %s at %s", shown.Status, shown.Request.URL)
		}
		if version(t, h, bob.ID) != bob.SessionVersion {
			t.Error("it was done all the same")
		}
		secret, next := b.AddAuthenticator(t, "?"+url.Values{"then": {page}}.Encode())
		if next.Path() != page {
			t.Errorf("after that: %s at %s", next.Status, next.Request.URL)
		}
		if shown := b.Post(t, page+"/sign-out", nil); !strings.Contains(shown.Text, "Signed out everywhere") {
			t.Errorf("with two factors: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if version(t, h, bob.ID) == bob.SessionVersion {
			t.Error("it was not done")
		}
		via, err := h.Database.Reader().NewSelect().Table("audit_trail").
			Where("action = ? AND user_id = ? AND via = ? AND actor = ?", "signed_out_everywhere", bob.ID, audit.ViaConsole, h.User.Actor()).
			Count(t.Context())
		if err != nil || via != 1 {
			t.Errorf("the audit trail has %d lines of it: %v", via, err)
		}
		// Another browser, where the password alone was shown: the console asks for the second factor at the door.
		other := h.NewBrowser(t)
		asked := other.SignIn(t, harness.Page{})
		other.Post(t, "/second-step", url.Values{
			"code": {harness.TOTPCode(t, secret, 0)}, "trust": {"yes"}, "continue": {asked.Continue()},
		})
		other.Post(t, "/account/sign-out", nil)
		other.SignIn(t, harness.Page{})
		if shown := other.Get(t, "/console"); shown.Path() != "/second-step" {
			t.Errorf("a trusted browser with the password alone: %s at %s", shown.Status, shown.Request.URL)
		}
	})
}

func version(t *testing.T, h *harness.Server, id uuid.UUID) int64 {
	t.Helper()
	user, err := h.Identity.Users().ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return user.SessionVersion
}
