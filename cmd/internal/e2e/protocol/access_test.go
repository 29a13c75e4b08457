package protocol

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
)

// contains tells whether a text has all of these parts.
func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// forStaff registers an app that is for the group staff alone.
func forStaff(t *testing.T, h *harness.Server, change func(*clients.Client)) harness.Client {
	t.Helper()
	return h.AddClient(t, func(c *clients.Client) {
		c.Access, c.AccessGroups = access.Listed, []string{"staff"}
		if change != nil {
			change(c)
		}
	})
}

// isActive tells whether introspection says that a token is good.
func isActive(t testing.TB, h *harness.Server, client harness.Client, token string) bool {
	t.Helper()
	return h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {token}}).JSON["active"] == true
}

// Who may not use an app is told so before they are asked for anything, and whom to ask; the app is told too.
func TestWhoMayNotUseAnAppIsToldSo(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		store := h.Identity.Groups()
		if _, err := store.Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password})
		if err := store.Add(t.Context(), "staff", bob.ID); err != nil {
			t.Fatal(err)
		}
		client := forStaff(t, h, func(c *clients.Client) { c.Name, c.Contacts = "Payroll", []string{"payroll@example.com"} })
		trusted := forStaff(t, h, func(c *clients.Client) { c.IsTrusted = true })

		b := h.NewBrowser(t)
		shown := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, nil)))
		if shown.Path() != "/no-access" || shown.StatusCode != http.StatusForbidden ||
			!contains(shown.Text, "You may not use Payroll", "payroll@example.com", "Alice Example") {
			t.Fatalf("%s at %s\n%s", shown.Status, shown.Path(), shown.Text)
		}
		back := b.Post(t, "/no-access", url.Values{"choice": {"back"}, "continue": {shown.Continue()}})
		location, err := back.Location()
		if err != nil || !strings.HasPrefix(location.String(), harness.RedirectURI) ||
			location.Query().Get("error") != "access_denied" || location.Query().Get("state") != "the-state" {
			t.Errorf("back to the app: %v, %v", location, err)
		}
		for name, refused := range map[string]harness.Page{
			"a trusted app":    b.Get(t, h.AuthorizeURL(trusted, nil)),
			"a pushed request": b.Get(t, h.PushedURL(t, client, nil)),
			// Who wants consent without having been asked to anything is not let past by it.
			"the consent page": b.Post(t, "/consent", url.Values{
				"decision": {"allow"}, "continue": {shown.Continue()}, "scope": {"profile"},
			}),
		} {
			if refused.Path() != "/no-access" || refused.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %s at %s", name, refused.Status, refused.Request.URL)
			}
		}
		silent := b.Get(t, h.AuthorizeURL(client, url.Values{"prompt": {"none"}}))
		if location, err := silent.Location(); err != nil || location.Query().Get("error") != "access_denied" {
			t.Errorf("prompt=none: %v, %v", location, err)
		}

		// Somebody else in the same browser gets in.
		other := b.Post(t, "/no-access", url.Values{"choice": {"other"}, "continue": {shown.Continue()}})
		if other.Path() != "/sign-in" {
			t.Fatalf("another account: at %s", other.Path())
		}
		asked := b.Post(t, "/sign-in", url.Values{
			"username": {"bob"}, "password": {harness.Password}, "continue": {other.Continue()},
		})
		if asked.Path() != "/consent" {
			t.Errorf("bob: at %s\n%s", asked.Path(), asked.Text)
		}
	})
}

// Who is taken out of a group is out of its apps at once: with codes, refresh tokens, access tokens and devices.
func TestAccessEndsAtOnce(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		store := inGroups(t, h, "staff")
		client := forStaff(t, h, nil)
		b := h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		code := b.Code(t, client, nil)
		approved := h.BeginDevice(t, client, "openid profile")
		b.DecideDevice(t, b.Get(t, approved.Text("verification_uri_complete")), "approve")
		waiting := h.BeginDevice(t, client, "openid profile")
		if !isActive(t, h, client, tokens.Text("access_token")) || !isActive(t, h, client, tokens.Text("refresh_token")) {
			t.Fatal("the tokens of somebody who may use the app are not active")
		}
		open := b.Get(t, waiting.Text("verification_uri_complete"))

		if err := store.Remove(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		for name, answer := range map[string]harness.Answer{
			"a code":    h.Redeem(t, client, code),
			"a refresh": h.Refresh(t, client, tokens.Text("refresh_token")),
		} {
			if answer.Text("error") != "invalid_grant" {
				t.Errorf("%s: %d %v", name, answer.Status, answer.JSON)
			}
		}
		if a := h.PollDevice(t, client, approved.Text("device_code")); a.Text("error") != "access_denied" {
			t.Errorf("a device code: %d %v", a.Status, a.JSON)
		}
		if a := h.Userinfo(t, tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo: %d %v", a.Status, a.JSON)
		}
		for _, name := range []string{"access_token", "refresh_token"} {
			if isActive(t, h, client, tokens.Text(name)) {
				t.Errorf("the %s is active", name)
			}
		}
		if shown := b.DecideDevice(t, open, "approve"); shown.StatusCode != http.StatusForbidden {
			t.Errorf("approving a device: %s at %s", shown.Status, shown.Path())
		}
		if a := h.PollDevice(t, client, waiting.Text("device_code")); a.Text("error") != "authorization_pending" {
			t.Errorf("the device that was not approved: %v", a.JSON)
		}

		// Nothing was ended: who is in the group again goes on.
		if err := store.Add(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		if a := h.Refresh(t, client, tokens.Text("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("a refresh by who may use the app again: %d %v", a.Status, a.JSON)
		}
		if err := store.Delete(t.Context(), "staff"); err != nil {
			t.Fatal(err)
		}
		if isActive(t, h, client, tokens.Text("access_token")) {
			t.Error("the access token is active though the group is deleted")
		}
		if _, err := store.Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		if err := store.Add(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		if isActive(t, h, client, tokens.Text("access_token")) {
			t.Error("another group of the same name opens the app")
		}
	})
}

// Closing an app to all but a group counts at once, too, though processes remember apps for a few seconds.
func TestClosingAnAppCountsAtOnce(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		client := h.AddClient(t, nil)
		b := h.NewBrowser(t)
		tokens := h.Redeem(t, client, b.Code(t, client, nil))
		elsewhere := h.Replica(t)
		if _, _, err := elsewhere.Clients.Update(t.Context(), client.ID, func(c *clients.Client) error {
			c.Access, c.AccessGroups = access.Listed, []string{"staff"}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if isActive(t, h, client, tokens.Text("access_token")) {
			t.Error("the access token is active")
		}
		if shown := b.Get(t, h.AuthorizeURL(client, nil)); shown.Path() != "/no-access" {
			t.Errorf("a new sign-in: %s at %s", shown.Status, shown.Request.URL)
		}
	})
}

// However memberships come and go, an answer of the token endpoint is one of two, and what counts in the end is who is
// in the group then.
func TestAccessUnderWay(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		store := inGroups(t, h, "staff")
		client := forStaff(t, h, nil)
		b := h.NewBrowser(t)
		families := make([]harness.Answer, 4)
		for i := range families {
			families[i] = h.Redeem(t, client, b.Code(t, client, nil))
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					add(t, store, h)
					if err := store.Remove(t.Context(), "staff", h.User.ID); err != nil && err != groups.ErrNotMember {
						t.Error(err)
					}
				}
			})
		}
		for i := range families {
			wg.Go(func() {
				for range 8 {
					answer := h.Refresh(t, client, families[i].Text("refresh_token"))
					if answer.Status == http.StatusOK {
						families[i] = answer
					} else if answer.Text("error") != "invalid_grant" {
						t.Errorf("a refresh: %d %v", answer.Status, answer.JSON)
					}
				}
			})
		}
		wg.Wait()
		if members, err := store.Members(t.Context(), "staff", [16]byte{}, 10); err != nil || len(members) != 0 {
			t.Fatalf("in the end %v are in the group, %v", members, err)
		}
		for _, family := range families {
			if isActive(t, h, client, family.Text("access_token")) {
				t.Error("the access token of somebody who is out is active")
			}
		}
		add(t, store, h)
		for _, family := range families {
			if answer := h.Refresh(t, client, family.Text("refresh_token")); answer.Status != http.StatusOK {
				t.Errorf("no family was ended by it, but one refresh is %d %v", answer.Status, answer.JSON)
			}
		}
	})
}

func add(t *testing.T, store groups.Store, h *harness.Server) {
	t.Helper()
	if err := store.Add(t.Context(), "staff", h.User.ID); err != nil && err != groups.ErrMember {
		t.Error(err)
	}
}
