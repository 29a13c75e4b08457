package account

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A person sees the apps that they may use and that can be opened, and no others.
func TestPersonSeesTheAppsThatTheyMayUse(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		groups := h.Identity.Groups()
		for _, slug := range []string{"staff", "board"} {
			if _, err := groups.Create(t.Context(), slug, ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := groups.Add(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*clients.Client){
			"Wiki": func(c *clients.Client) { c.ClientURI = "https://wiki.example/" },
			"Daybook": func(c *clients.Client) {
				c.ClientURI, c.InitiateLoginURI = "https://daybook.example/", "https://daybook.example/in"
			},
			"Payroll": func(c *clients.Client) {
				c.ClientURI, c.Access, c.AccessGroups = "https://pay.example/", access.Listed, []string{"board", "staff"}
			},
			"Minutes": func(c *clients.Client) {
				c.ClientURI, c.Access, c.AccessGroups = "https://minutes.example/", access.Listed, []string{"board"}
			},
			"Closed":   func(c *clients.Client) { c.ClientURI, c.Access = "https://closed.example/", access.Listed },
			"Unlisted": nil,
			"Service": func(c *clients.Client) {
				c.ClientURI, c.GrantTypes = "https://service.example/", []string{oidc.GrantClientCredentials}
				c.RedirectURIs = nil
			},
			"Stranger": func(c *clients.Client) { c.ClientURI, c.Origin = "https://stranger.example/", clients.OriginOpen },
		} {
			h.AddClient(t, func(c *clients.Client) {
				c.Name = name
				if change != nil {
					change(c)
				}
			})
		}
		b := h.NewBrowser(t)
		asked := b.Get(t, "/apps")
		if asked.Path() != "/sign-in" {
			t.Fatalf("who is not signed in is at %s", asked.Path())
		}
		shown := b.Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "then": {asked.Then()},
		})
		if shown.Path() != "/apps" || shown.StatusCode != http.StatusOK {
			t.Fatalf("after the sign-in: %s at %s", shown.Status, shown.Path())
		}
		for _, want := range []string{
			`href="https://wiki.example/"`, `href="https://daybook.example/in?iss=` + url.QueryEscape(h.Issuer) + `"`,
			`href="https://pay.example/"`,
		} {
			if !strings.Contains(shown.Text, want) {
				t.Errorf("the page lacks %s:\n%s", want, shown.Text)
			}
		}
		for _, other := range []string{"Minutes", "Closed", "Unlisted", "Service", "Stranger"} {
			if strings.Contains(shown.Text, other) {
				t.Errorf("%s is listed", other)
			}
		}
		if account := b.Get(t, "/account"); !strings.Contains(account.Text, `href="/apps"`) {
			t.Error("the account page does not lead there")
		}
		if err := groups.Remove(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		if shown := b.Get(t, "/apps"); strings.Contains(shown.Text, "Payroll") || !strings.Contains(shown.Text, "Wiki") {
			t.Errorf("out of the group:\n%s", shown.Text)
		}
	})
}

// The list, and what somebody sees who opens an app that is not for them, as people see them.
func TestUsableAppsInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	if _, err := h.Identity.Groups().Create(t.Context(), "board", ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Daybook", "Grafana", "Holidays and other absences of the whole department", "Wiki"} {
		h.AddClient(t, func(c *clients.Client) {
			c.Name, c.ClientURI = name, "https://"+strings.ToLower(name[:4])+".example.com/"
		})
	}
	closed := h.AddClient(t, func(c *clients.Client) {
		c.Name, c.Access, c.AccessGroups = "Minutes of the board", access.Listed, []string{"board"}
		c.Contacts = []string{"board@example.com"}
	})
	w.Open(h.Issuer + "/apps")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Your apps", "Daybook", "Grafana", "holi.example.com")
	w.Look("account-usable-apps")
	w.Open(h.AuthorizeURL(closed, nil))
	w.Reads("main", "You may not use Minutes of the board", "board@example.com")
	w.Look("no-access")
	w.Press("#other")
	w.WaitFor("!!document.querySelector('#password')")
}
