package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A newcomer registers an app, finds out why it was refused and mends that, without leaving the browser.
func TestAppsInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	if _, err := h.Identity.Groups().Create(t.Context(), "staff", "Staff"); err != nil {
		t.Fatal(err)
	}
	w.Open(h.Issuer + "/console/apps")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "No apps yet")
	w.Look("console-apps-empty")
	w.Press("#add-app")
	w.Reads("main", "What kind of app is it?", "Web app on a server")
	w.Look("console-apps-kind")
	w.Press("#kind-web")
	w.Do(
		chromedp.SendKeys(chromedp.CSS("#name"), "Grafana"),
		chromedp.SendKeys(chromedp.CSS("#address"), "grafana.example.com"),
		chromedp.SetValue(chromedp.CSS("#recipe"), "grafana"),
	)
	w.Look("console-apps-new")
	w.Press("#create")
	w.Reads("main", "Grafana is registered", "shown this once")
	w.Look("console-apps-created")
	value := func(selector string) string {
		return harness.Ask(w, chromedp.Evaluate[string]("document.querySelector('"+selector+"').value"))
	}
	id, secret := value("#client-id"), value("#secret")
	if steps := w.Text("#recipe-steps"); value("#issuer") != h.Issuer || !strings.Contains(steps, secret) ||
		!strings.Contains(steps, id) || !strings.Contains(steps, h.Issuer) || strings.Contains(steps, "client create") ||
		value("#redirect-uri") != "https://grafana.example.com/login/generic_oauth" {
		t.Errorf("what to paste for %s: %s", id, steps)
	}
	w.Press("#go-on")
	w.Reads("main", "Grafana", "Settings", "Everyone")
	w.Look("console-app")

	// It sends people back to another address than the one that is registered.
	client, err := h.Clients.Fresh(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	wrong := h.AuthorizeURL(harness.Client{Client: client}, url.Values{
		"redirect_uri": {"https://grafana.example.com/login/generic_oauth/"},
	})
	w.Open(wrong)
	reference := w.Text("#reference")
	w.Look("failure-reference")
	h.Refused.Drain(t.Context())
	w.Open(h.Issuer + "/console/refusals")
	w.Reads("main", reference, "Grafana")
	w.Look("console-refusals")
	w.Open(h.Issuer + "/console/refusals/" + strings.ToLower(reference))
	w.Reads("#explanation", "slash at the end")
	w.Reads("#got", "https://grafana.example.com/login/generic_oauth/")
	w.Look("console-refusal")
	w.Press("#mend")
	w.Reads("main", "it is let in now")
	w.Open(wrong)
	w.Reads("main", "Grafana") // she is signed in: the question whether the app may know who she is

	w.Open(h.Issuer + "/console/apps/app?id=" + id)
	w.Click("#access-listed")
	w.Click("input[name=group]")
	w.Press("#save-access")
	w.Reads("main", "Saved", "Some groups")
	w.Open(h.Issuer + "/console/apps/app/delete?id=" + id)
	w.Look("console-app-delete")
	w.Do(chromedp.SendKeys(chromedp.CSS("#typed"), "Grafana"))
	w.Press("#confirm")
	w.Reads("main", "The app was deleted", "No apps yet")
}

var shownSecret = regexp.MustCompile(`id="secret" value="([^"]+)"`)

// hidden is the value of a hidden field on a page, the first of that name.
func hidden(t *testing.T, shown harness.Page, name string) string {
	t.Helper()
	match := regexp.MustCompile(`<input type="hidden" name="` + name + `" value="([^"]*)">`).FindStringSubmatch(shown.Text)
	if match == nil {
		t.Fatalf("no field %s: %s %s\n%s", name, shown.Status, shown.Path(), shown.Text)
	}
	return match[1]
}

// form is what a page of an app has in its hidden fields, and what else is sent.
func form(t *testing.T, shown harness.Page, id string, more url.Values) url.Values {
	t.Helper()
	sent := url.Values{"id": {id}, "seen": {hidden(t, shown, "seen")}}
	for name, values := range more {
		sent[name] = values
	}
	return sent
}

// What is asked of an app without scripts: each kind is registered as what it is, and registered once however often the
// form is sent.
func TestEveryKindOfAppIsRegistered(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := administrator(t, h, administrators.AppManager)
		for _, c := range []struct {
			kind   string
			more   url.Values
			method string
			grants string
			uris   string
		}{
			{
				"web", url.Values{"address": {"https://wiki.example.com/docs"}, "recipe": {"gitea"}}, clients.AuthBasic,
				"authorization_code refresh_token", "https://wiki.example.com/docs/user/oauth2/wicket/callback",
			},
			{
				"web", url.Values{"redirect_uris": {" https://a.example/cb \r\n\r\nhttps://b.example/cb"}}, clients.AuthBasic,
				"authorization_code refresh_token", "https://a.example/cb https://b.example/cb",
			},
			{
				"web", url.Values{"address": {"own.example.com:8443"}, "recipe": {"spa"}}, clients.AuthBasic,
				"authorization_code refresh_token", "https://own.example.com:8443/callback",
			},
			{
				"spa", url.Values{"address": {"https://pages.example.com"}, "recipe": {"spa"}}, clients.AuthNone,
				"authorization_code refresh_token", "https://pages.example.com/",
			},
			{
				"native", url.Values{"redirect_uris": {"com.example.app:/callback"}}, clients.AuthNone,
				"authorization_code refresh_token", "com.example.app:/callback",
			},
			{"device", nil, clients.AuthNone, oidc.GrantDeviceCode + " refresh_token", ""},
			{"machine", nil, clients.AuthBasic, oidc.GrantClientCredentials, ""},
		} {
			asked := b.Get(t, "/console/apps/new?kind="+c.kind)
			id := hidden(t, asked, "client_id")
			sent := url.Values{"kind": {c.kind}, "client_id": {id}, "name": {"My " + c.kind}, "access": {"everyone"}}
			for name, values := range c.more {
				sent[name] = values
			}
			shown := b.Post(t, "/console/apps/create", sent)
			if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, id) {
				t.Errorf("%s: %s\n%s", c.kind, shown.Status, shown.Text)
				continue
			}
			client, err := h.Clients.Fresh(t.Context(), id)
			if err != nil || client.AuthMethod != c.method || strings.Join(client.GrantTypes, " ") != c.grants ||
				strings.Join(client.RedirectURIs, " ") != c.uris {
				t.Errorf("%s: registered as %+v, %v", c.kind, client, err)
			}
			hasSecret := strings.Contains(shown.Text, `id="secret"`)
			if hasSecret != (c.method != clients.AuthNone) {
				t.Errorf("%s: a secret is shown: %t", c.kind, hasSecret)
			}
			again := b.Post(t, "/console/apps/create", sent)
			if again.Path() != "/console/apps/app" || strings.Contains(again.Text, `id="secret"`) {
				t.Errorf("%s: sent again: %s %s", c.kind, again.Status, again.Path())
			}
		}
		for what, sent := range map[string]url.Values{
			"no redirect URI": {"kind": {"web"}, "name": {"Mine"}}, "no name": {"kind": {"machine"}},
			"no address": {"kind": {"web"}, "name": {"Mine"}, "address": {"https://"}},
			"a script":   {"kind": {"web"}, "name": {"Mine"}, "redirect_uris": {"javascript:alert(1)"}},
			"no group":   {"kind": {"spa"}, "name": {"Mine"}, "redirect_uris": {"https://a.example/"}, "access": {"listed"}, "group": {"none"}},
		} {
			sent.Set("client_id", "mine")
			shown := b.Post(t, "/console/apps/create", sent)
			if shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, `id="failure"`) {
				t.Errorf("%s: %s\n%s", what, shown.Status, shown.Text)
			}
		}
		if all, err := h.Clients.List(t.Context()); err != nil || len(all) != 7 {
			t.Errorf("%d apps are registered, %v", len(all), err)
		}
	})
}

// What an app is registered with is changed by its page, and by nobody who has seen it as it was before.
func TestAppIsChangedByItsPage(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := administrator(t, h, administrators.AppManager)
		app := h.AddClient(t, func(c *clients.Client) { c.Name, c.Contacts = "Wiki", []string{"wiki@example.com"} })
		page := "/console/apps/app?id=" + app.ID
		shown := b.Get(t, page)
		settings := url.Values{
			"name": {"Wiki <b>"}, "redirect_uris": {harness.RedirectURI + "\r\nhttps://wiki.example/cb"},
			"scope": {"openid", "email"}, "grant_type": {oidc.GrantCode}, "contacts": {"wiki@example.com"}, "trusted": {"yes"},
		}
		saved := b.Post(t, "/console/apps/app/save", form(t, shown, app.ID, settings))
		if saved.Path() != "/console/apps/app" || !strings.Contains(saved.Text, "Wiki &lt;b&gt;") {
			t.Fatalf("saved: %s %s\n%s", saved.Status, saved.Path(), saved.Text)
		}
		client, err := h.Clients.Fresh(t.Context(), app.ID)
		if err != nil || client.Name != "Wiki <b>" || len(client.RedirectURIs) != 2 || !client.IsTrusted ||
			strings.Join(client.Scopes, " ") != "openid email" || client.IDTokenAlg != app.IDTokenAlg ||
			client.Contacts[0] != "wiki@example.com" {
			t.Errorf("saved as %+v, %v", client, err)
		}
		stale := b.Post(t, "/console/apps/app/save", form(t, shown, app.ID, settings))
		if stale.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(stale.Text, "changed by somebody else") {
			t.Errorf("saved by who has not seen it: %s", stale.Status)
		}
		settings.Set("redirect_uris", "http://wiki.example/cb")
		wrong := b.Post(t, "/console/apps/app/save", form(t, b.Get(t, page), app.ID, settings))
		if wrong.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(wrong.Text, "must use https") ||
			!strings.Contains(wrong.Text, "http://wiki.example/cb") {
			t.Errorf("an address that cannot be: %s\n%s", wrong.Status, wrong.Text)
		}
		deleted := b.Post(t, "/console/apps/app/delete", url.Values{"id": {app.ID}, "typed": {"Wiki"}})
		if deleted.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("deleted by another name: %s", deleted.Status)
		}
		looking := administrator(t, h, administrators.Auditor)
		seen := looking.Get(t, page)
		if strings.Contains(seen.Text, `id="save"`) || strings.Contains(seen.Text, `id="delete"`) ||
			!strings.Contains(seen.Text, "Wiki") {
			t.Errorf("to an auditor: %s", seen.Status)
		}
		for _, to := range []string{"/save", "/save-access", "/delete"} {
			sent := form(t, b.Get(t, page), app.ID, url.Values{"typed": {"Wiki <b>"}})
			if done := looking.Post(t, "/console/apps/app"+to, sent); done.StatusCode != http.StatusForbidden {
				t.Errorf("%s by an auditor: %s", to, done.Status)
			}
		}
		if got := b.Post(t, "/console/apps/app/rotate", url.Values{"id": {app.ID}, "keep": {"day"}}); strings.Contains(
			got.Text, `id="secret"`,
		) {
			t.Error("a new secret without a second factor")
		}
		strengthen(t, h)
		rotated := b.Post(t, "/console/apps/app/rotate", url.Values{"id": {app.ID}, "keep": {"day"}})
		secret := shownSecret.FindStringSubmatch(rotated.Text)
		if secret == nil || secret[1] == app.Secret {
			t.Fatalf("no new secret: %s %s\n%s", rotated.Status, rotated.Path(), rotated.Text)
		}
		for what, known := range map[string]string{"the new one": secret[1], "the one before": app.Secret} {
			got := h.Call(t, oidc.PathIntrospect, harness.Client{Client: app.Client, Secret: known}, url.Values{"token": {"x"}})
			if got.Status != http.StatusOK {
				t.Errorf("%s is refused: %d %v", what, got.Status, got.JSON)
			}
		}
		later := b.Get(t, page)
		if strings.Contains(later.Text, secret[1]) || !strings.Contains(later.Text, "is good, too, until") {
			t.Errorf("the page of the app after that: %s", later.Status)
		}
		if nobody := b.Get(t, "/console/apps/app?id=none"); nobody.StatusCode != http.StatusNotFound {
			t.Errorf("no app: %s", nobody.Status)
		}
		gone := b.Post(t, "/console/apps/app/delete", url.Values{"id": {app.ID}, "typed": {"Wiki <b>"}})
		if gone.Path() != "/console/apps" || !strings.Contains(gone.Text, "The app was deleted") {
			t.Errorf("deleted: %s %s", gone.Status, gone.Path())
		}
	})
}

// administrator is the browser of somebody who holds an administrative role and is signed in.
func administrator(t *testing.T, h *harness.Server, role string) *harness.Browser {
	t.Helper()
	person := h.Register(t, identity.NewUser{Username: "some-" + role, Password: harness.Password})
	makeAdministrator(t, h, person, role)
	b := h.NewBrowser(t)
	b.SignInAs(t, person.Username)
	return b
}
