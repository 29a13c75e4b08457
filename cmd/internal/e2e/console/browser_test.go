package console

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The console as people see it, page by page.
func TestConsoleInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	for username, name := range map[string]string{
		"benedikt": "Benedikt Okonkwo-Lindqvist", "chiara": "Chiara Rossi", "djordje": "Đorđe Petrović",
		"emma": "Эмма Иванова", "fatima": "Fatima al-Fihri",
	} {
		h.Register(t, identity.NewUser{Username: username, Name: name, Email: username + "@example.com"})
	}
	w.Open(h.Issuer + "/console")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Overview", "Before real use", "Sign-ins of the last 48 hours", "signed in")
	w.Look("console-overview")

	w.Open(h.Issuer + "/console/groups")
	w.Reads("main", "No groups yet")
	w.Look("console-groups-empty")
	w.Do(
		chromedp.SendKeys(chromedp.CSS("#name"), "Staff"),
		chromedp.SendKeys(chromedp.CSS("#slug"), "staff"),
	)
	w.Press("#create")
	w.Reads("main", "The group was made", "Nobody is in this group yet")
	w.Do(chromedp.SendKeys(chromedp.CSS("#username"), "chiara"))
	w.Press("#add")
	w.Reads("main", "Added to the group", "chiara")
	w.Look("console-group")

	w.Open(h.Issuer + "/console/people")
	w.Reads("main", "Chiara Rossi", "alice@example.com")
	w.Look("console-people")
	w.Do(chromedp.SendKeys(chromedp.CSS("#q"), "chiara"))
	w.WaitFor("!document.querySelector('main').innerText.includes('Benedikt')")
	w.Do(chromedp.KeyEvent("\x1b"))
	w.Do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	w.WaitFor("document.activeElement.matches('.find input')")
	w.Do(chromedp.KeyEvent("fat"))
	w.WaitFor("document.querySelector('.found').innerText.includes('Fatima al-Fihri')")
	w.Look("console-search")
	w.Do(chromedp.KeyEvent(kb.ArrowDown))
	w.WaitFor("document.activeElement.innerText.includes('Fatima')")
	w.Do(chromedp.KeyEvent(kb.Enter))
	w.WaitFor("document.querySelector('h1').innerText.includes('Fatima')")

	w.Open(h.Issuer + "/console/people/new")
	w.Look("console-people-new")
	w.Open(h.Issuer + "/console/people/" + h.User.ID.String())
	w.Reads("main", "Alice Example", "owner", "Signed in")
	w.Look("console-person")
	for path, name := range map[string]string{
		"/console/people/invitations": "invitations", "/console/activity": "activity", "/console/activity/history": "history",
		"/console/administrators": "administrators", "/console/administrators/keys": "keys", "/console/server": "server",
	} {
		w.Open(h.Issuer + path)
		w.Look("console-" + name)
	}
	strengthen(t, h)
	w.Open(h.Issuer + "/console/sign-in/new?kind=oidc")
	w.Reads("main", "Redirect URI", "/federation/ID/callback")
	w.Look("console-provider-new")
	w.Open(h.Issuer + "/console/people/" + h.User.ID.String() + "/erase")
	w.Reads("main", "Delete alice?", "1 session ends")
	w.Look("console-erase")
}

// strengthen makes all sessions such as have shown two factors just now.
func strengthen(t testing.TB, h *harness.Server) {
	t.Helper()
	h.SQL(t, "UPDATE sessions SET acr = '"+identity.ACRMultiFactor+"'")
}

// makeAdministrator gives somebody an administrative role.
func makeAdministrator(t testing.TB, h *harness.Server, user *identity.User, role string) {
	t.Helper()
	if _, err := h.Manage.Administrators.Grant(t.Context(), administrators.Person(user.ID), role, nil); err != nil {
		t.Fatal(err)
	}
}
