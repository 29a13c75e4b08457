package management

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Keys, and invitations of administrators, are good no longer than who made them could make them, be it by way of
// another key.
func TestWhatAnAdministratorMadeEndsWithTheirRole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		carol := h.Register(t, identity.NewUser{Username: "carol", Password: harness.Password})
		for _, user := range []*identity.User{h.User, carol} {
			_, err := h.Manage.Administrators.Grant(t.Context(), administrators.Person(user.ID), administrators.Owner, nil)
			if err != nil {
				t.Fatal(err)
			}
		}
		by, err := h.Manage.BySession(t.Context(), h.Reauthenticated(t, h.User).Proven())
		if err != nil {
			t.Fatal(err)
		}
		made, err := h.Manage.CreateKey(audit.AsNamed(t.Context(), h.User.Actor()), by, manage.NewAPIKey{
			Name: "alice's", Role: administrators.Owner, ExpiresAt: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		key := caller{h, made.Key}
		child := key.must(t, http.StatusCreated, http.MethodPost, "/api/v1/api-keys", map[string]any{
			"name": "its child", "role": "auditor", "expires_at": time.Now().Add(30 * time.Minute),
		})
		grandchild := caller{h, child.JSON["key"].(string)}
		invitation := key.must(t, http.StatusCreated, http.MethodPost, "/api/v1/invitations", map[string]any{
			"administrative_role": "support", "days": 7,
		})
		plain := key.must(t, http.StatusCreated, http.MethodPost, "/api/v1/invitations", map[string]any{"days": 7})
		operators := keyFor(t, h, administrators.Auditor)

		works := func(want bool, why string) {
			t.Helper()
			status := http.StatusUnauthorized
			if want {
				status = http.StatusOK
			}
			for name, c := range map[string]caller{"the key": key, "its child": grandchild} {
				if got := c.call(t, http.MethodGet, "/api/v1/me", nil); got.Status != status {
					t.Errorf("%s: %s: %d", why, name, got.Status)
				}
			}
			if got := operators.call(t, http.MethodGet, "/api/v1/me", nil); got.Status != http.StatusOK {
				t.Errorf("%s: an operator's key: %d", why, got.Status)
			}
			shown := h.NewBrowser(t).Get(t, strings.TrimPrefix(invitation.JSON["link"].(string), h.Issuer))
			if opens := shown.StatusCode == http.StatusOK; opens != want {
				t.Errorf("%s: the invitation: %s", why, shown.Status)
			}
		}
		works(true, "with the role")
		if err := h.Identity.Users().SetActive(t.Context(), h.User.ID, false); err != nil {
			t.Fatal(err)
		}
		works(false, "disabled")
		if err := h.Identity.Users().SetActive(t.Context(), h.User.ID, true); err != nil {
			t.Fatal(err)
		}
		works(true, "enabled")
		alice := administrators.Person(h.User.ID)
		if err := h.Manage.Administrators.Revoke(t.Context(), alice, administrators.Owner); err != nil {
			t.Fatal(err)
		}
		works(false, "revoked")
		if _, err := h.Manage.Administrators.Grant(t.Context(), alice, administrators.Administrator, nil); err != nil {
			t.Fatal(err)
		}
		if got := key.call(t, http.MethodGet, "/api/v1/me", nil); got.Status != http.StatusUnauthorized {
			t.Errorf("an owner's key of an administrator: %d", got.Status)
		}
		// What is sent by somebody who has opened the page before is refused as well; an invitation of no administrator
		// is not.
		link := func(of answer) string {
			parsed, err := url.Parse(of.JSON["link"].(string))
			if err != nil {
				t.Fatal(err)
			}
			return parsed.Query().Get("token")
		}
		accept := func(of answer, username string) harness.Page {
			return h.NewBrowser(t).Post(t, "/register", url.Values{
				"token": {link(of)}, "username": {username}, "email": {username + "@example.com"}, "password": {"a long enough password"}, "name": {"Somebody"},
			})
		}
		if shown := accept(invitation, "mallory"); shown.StatusCode == http.StatusOK {
			t.Errorf("accepted: %s at %s", shown.Status, shown.Path())
		}
		if roles, _, err := h.Manage.Administrators.Held(t.Context(), alice); err != nil || len(roles) != 1 {
			t.Errorf("alice's roles: %v, %v", roles, err)
		}
		if shown := accept(plain, "newcomer"); shown.Path() != "/account" {
			t.Errorf("a plain invitation: %s at %s", shown.Status, shown.Path())
		}
	})
}

// What gives is what the permissions allow.
func TestWhoGivesWhichRole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, held := range administrators.Names {
			user := h.Register(t, identity.NewUser{Username: "the-" + held})
			if _, err := h.Manage.Administrators.Grant(t.Context(), administrators.Person(user.ID), held, nil); err != nil {
				t.Fatal(err)
			}
			by, err := h.Manage.BySession(t.Context(), h.Reauthenticated(t, user).Proven())
			if err != nil {
				t.Fatal(err)
			}
			for _, role := range administrators.Names {
				if gives := administrators.Gives([]string{held}, role); gives != by.MayGrant(role) {
					t.Errorf("%s gives %s: %t, and the permissions say otherwise", held, role, gives)
				}
			}
		}
	})
}
