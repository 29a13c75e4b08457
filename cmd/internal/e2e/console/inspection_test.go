package console

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/audit"
)

// recorded is how many lines the audit trail has of somebody who was looked at in the console.
func recorded(t *testing.T, h *harness.Server, action string, userID uuid.UUID) int64 {
	t.Helper()
	n, err := h.Database.Reader().NewSelect().Table("audit_trail").
		Where("action = ? AND user_id = ? AND via = ?", action, userID, audit.ViaConsole).Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What an app is told of a person is shown as the app gets it, and not unseen.
func TestClaimsPreviewInTheConsole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		app := h.AddClient(t, func(c *clients.Client) { c.ID, c.Access = "payroll", access.Listed })
		support := administrator(t, h, administrators.Support)
		page := "/console/apps/app/preview?id=" + app.ID
		if shown := support.Get(t, page); shown.StatusCode != http.StatusOK || strings.Contains(shown.Text, `id="told"`) {
			t.Errorf("of nobody: %s\n%s", shown.Status, shown.Text)
		}
		if shown := support.Get(t, page+"&who=nobody-at-all"); shown.StatusCode != http.StatusUnprocessableEntity ||
			strings.Contains(shown.Text, `id="told"`) {
			t.Errorf("of somebody who is not there: %s", shown.Status)
		}
		if n := recorded(t, h, "previewed", h.User.ID); n != 0 {
			t.Fatalf("%d lines before anybody has looked", n)
		}
		all := support.Get(t, page+"&who="+harness.Username)
		if !strings.Contains(all.Text, "alice@example.com") || !strings.Contains(all.Text, h.User.ID.String()) ||
			!strings.Contains(all.Text, "They may not use this app") {
			t.Errorf("all of it: %s\n%s", all.Status, all.Text)
		}
		some := support.Get(t, page+"&scope=openid&who="+harness.Username)
		_, told, _ := strings.Cut(some.Text, `id="told"`)
		if strings.Contains(told, "alice@example.com") || !strings.Contains(told, h.User.ID.String()) {
			t.Errorf("with one scope: %s\n%s", some.Status, told)
		}
		if n := recorded(t, h, "previewed", h.User.ID); n != 2 {
			t.Errorf("%d lines after two looks", n)
		}
	})
}

// The link of a test is a whole sign-in, and gives the app nothing that it could use.
func TestTrialOfASignIn(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		app := h.AddClient(t, func(c *clients.Client) {
			c.IsTrusted, c.InitiateLoginURI = true, "https://app.example/login?tenant=1"
		})
		manager := administrator(t, h, administrators.AppManager)
		shown := manager.Get(t, "/console/apps/app/test?id="+app.ID)
		if open := shown.Attributes(`a class="button small" id="open-app`, "href"); len(open) != 1 ||
			open[0] != "https://app.example/login?tenant=1&"+(url.Values{"iss": {h.Issuer}}).Encode() {
			t.Errorf("the app begins at %v", open)
		}
		link := shown.Attributes(`a class="button small" id="try`, "href")
		if len(link) != 1 {
			t.Fatalf("no link: %s\n%s", shown.Status, shown.Text)
		}
		location, err := manager.Get(t, link[0]).Location()
		if err != nil || !strings.HasPrefix(location.String(), harness.RedirectURI) || location.Query().Get("code") == "" ||
			!strings.HasPrefix(location.Query().Get("state"), "wicket-test-") {
			t.Fatalf("it leads to %s: %v", location, err)
		}
		for name, verifier := range map[string]string{"no verifier": "", "one": harness.CodeVerifier} {
			code := location.Query().Get("code")
			if name == "one" { // of another request: the first is used up
				if location, err = manager.Get(t, link[0]).Location(); err != nil {
					t.Fatal(err)
				}
				code = location.Query().Get("code")
			}
			form := url.Values{"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI}}
			if verifier != "" {
				form.Set("code_verifier", verifier)
			}
			if got := h.Call(t, oidc.PathToken, app, form); got.Status != http.StatusBadRequest ||
				got.Text("error") != "invalid_grant" {
				t.Errorf("redeemed with %s: %d %v", name, got.Status, got.JSON)
			}
		}
		if seen := manager.Get(t, "/console/apps/app?id="+app.ID); !strings.Contains(seen.Text, ">some-app-manager</a>") {
			t.Errorf("the app's page does not list the sign-in: %s", seen.Text)
		}
		for id, change := range map[string]func(*clients.Client){
			"People do not come to this app": func(c *clients.Client) {
				c.RedirectURIs, c.GrantTypes, c.PostLogoutRedirectURIs = nil, []string{oidc.GrantClientCredentials}, nil
			},
			"must push its requests": func(c *clients.Client) { c.RequirePAR = true },
		} {
			other := h.AddClient(t, change)
			seen := manager.Get(t, "/console/apps/app/test?id="+other.ID)
			if !strings.Contains(html.UnescapeString(seen.Text), id) || strings.Contains(seen.Text, `id="try"`) {
				t.Errorf("%s: %s\n%s", id, seen.Status, seen.Text)
			}
		}
	})
}

// What a person sees is shown without their session and without a way to do anything, and why they may use which app.
func TestViewAsAPerson(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password, Email: "bob@example.com"})
		for _, slug := range []string{"board", "staff", "team"} {
			if _, err := h.Identity.Groups().Create(t.Context(), slug, "The "+slug); err != nil {
				t.Fatal(err)
			}
		}
		for _, slug := range []string{"board", "staff", "team"}[1:] {
			if err := h.Identity.Groups().Add(t.Context(), slug, bob.ID); err != nil {
				t.Fatal(err)
			}
		}
		add := func(name string, change func(*clients.Client)) {
			h.AddClient(t, func(c *clients.Client) {
				c.ID, c.Name, c.ClientURI = strings.ToLower(name), name, "https://app.example/"
				change(c)
			})
		}
		add("Wiki", func(*clients.Client) {})
		add("Hidden", func(c *clients.Client) { c.ClientURI = "" })
		add("Staffapp", func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"staff", "board"} })
		add("Boardapp", func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"board"} })
		add("Nobodys", func(c *clients.Client) { c.Access = access.Listed })
		add("Stopped", func(c *clients.Client) { c.IsDisabled = true })
		support := administrator(t, h, administrators.Support)
		page := "/console/people/" + bob.ID.String() + "/view"
		shown := support.Get(t, page)
		text := plainText(shown.Text)
		for _, want := range []string{
			"Wiki It is for everyone", "Hidden It is for everyone · not in their list", "Staffapp By the group The staff",
			"Boardapp May not use it Only for people of The board", "Nobodys May not use it For people of groups, and it names none",
			"Stopped May not use it The app is disabled", "bob@example.com",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("not there: %s\n%s", want, text)
			}
		}
		list, _, _ := strings.Cut(text, "Which apps they may use")
		if !strings.Contains(list, "Wiki") || !strings.Contains(list, "Staffapp") || strings.Contains(list, "Boardapp") ||
			strings.Contains(list, "Hidden") || strings.Contains(list, "Stopped") {
			t.Errorf("their apps: %s", list)
		}
		if strings.Contains(shown.Text, `method="post"`) || recorded(t, h, "viewed", bob.ID) != 1 {
			t.Errorf("a form on the page, or %d lines in the audit trail", recorded(t, h, "viewed", bob.ID))
		}
		if sessions, err := h.SignIns.Sessions().List(t.Context(), bob.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%d sessions of theirs: %v", len(sessions), err)
		}
		if none := support.Get(t, "/console/people/"+uuid.NewString()+"/view"); none.StatusCode != http.StatusNotFound {
			t.Errorf("of nobody: %s", none.Status)
		}
		h.SQL(t, "UPDATE users SET is_active = FALSE WHERE username = 'bob'")
		text = plainText(support.Get(t, page).Text)
		if !strings.Contains(text, "Wiki May not use it The account is disabled") {
			t.Errorf("disabled: %s", text)
		}
		people := plainText(support.Get(t, "/console/people").Text)
		if !strings.Contains(people, "bob@example.com The staff, The team") {
			t.Errorf("the list of people does not name the groups: %s", people)
		}
	})
}

// plainText is what a page says, without its elements.
func plainText(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	var text strings.Builder
	inside := true
	for _, r := range page {
		switch {
		case r == '<':
			inside = true
			text.WriteByte(' ')
		case r == '>':
			inside = false
		case !inside:
			text.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(html.UnescapeString(text.String())), " ")
}
