package management

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
)

// Administrators add, choose and remove the addresses of people, who are told at those that they had.
func TestEmailsOfPeople(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		bob := h.Register(t, identity.NewUser{Username: "bob", Email: "bob@old.example", EmailVerified: true})
		carol := h.Register(t, identity.NewUser{Username: "carol", Email: "carol@example.com", EmailVerified: true})
		support := keyFor(t, h, administrators.Support)
		manager := keyFor(t, h, administrators.UserManager)
		of := "/api/v1/users/" + bob.ID.String()

		// To be verified by mail, or verified by who answers for it: that is a way into the account.
		claimed := manager.must(t, http.StatusCreated, http.MethodPost, of+"/emails", map[string]any{
			"address": "bob@claimed.example",
		})
		if claimed.JSON["verified"] != false {
			t.Errorf("claimed: %s", claimed.Text)
		}
		if link, _ := h.Mail(t, "Verify your email address"); link == "" {
			t.Error("no mail with a link")
		}
		takesBack, told := h.Mail(t, "An email address was added to your account")
		if told.To != "bob@old.example" || takesBack == "" {
			t.Errorf("told: %v", told)
		}
		verified := map[string]any{"address": "bob@new.example", "verified": true}
		if got := support.call(t, http.MethodPost, of+"/emails", verified); got.Status != http.StatusForbidden {
			t.Errorf("support writes no people: %d", got.Status)
		}
		writer := keyFor(t, h, administrators.UserManager, func(k *manage.NewAPIKey) {
			k.Permissions = []manage.Permission{manage.ReadUsers, manage.WriteUsers}
		})
		if got := writer.call(t, http.MethodPost, of+"/emails", verified); got.Status != http.StatusForbidden {
			t.Errorf("a key that recovers nobody makes a way in: %d", got.Status)
		}
		added := manager.must(t, http.StatusCreated, http.MethodPost, of+"/emails", verified)
		if again := manager.call(t, http.MethodPost, of+"/emails", verified); again.code() != "email.listed" {
			t.Errorf("twice: %s", again.Text)
		}
		theirs := map[string]any{"address": "carol@example.com", "verified": true}
		if got := manager.call(t, http.MethodPost, of+"/emails", theirs); got.code() != "email.taken" {
			t.Errorf("somebody else's: %d %s", got.Status, got.Text)
		}
		if found, err := h.Identity.Users().ByLogin(t.Context(), "bob@new.example"); err != nil || found.ID != bob.ID {
			t.Errorf("by the new address: %v, %v", found, err)
		}

		email := of + "/emails/" + added.JSON["id"].(string)
		support.must(t, http.StatusNoContent, http.MethodPost, email+"/actions/make-primary", nil)
		unverified := of + "/emails/" + claimed.JSON["id"].(string)
		support.must(t, http.StatusNotFound, http.MethodPost, unverified+"/actions/make-primary", nil)
		primary := func() (address string) {
			t.Helper()
			list := support.must(t, http.StatusOK, http.MethodGet, of+"/addresses", nil)
			for _, one := range list.JSON["emails"].([]any) {
				if one := one.(map[string]any); one["is_primary"] == true {
					address += one["address"].(string)
				}
			}
			return address
		}
		if primary() != "bob@new.example" {
			t.Errorf("the primary one: %q", primary())
		}
		// What its owner has had for longest is the way back, as long as no other address is old enough to be one.
		held := support.must(t, http.StatusOK, http.MethodGet, of+"/addresses", nil).JSON["emails"].([]any)
		for _, one := range held {
			if one := one.(map[string]any); one["address"] == "bob@old.example" {
				got := support.call(t, http.MethodDelete, of+"/emails/"+one["id"].(string), nil)
				if got.code() != "email.too_new" {
					t.Errorf("the owner's way back: %d %s", got.Status, got.Text)
				}
			}
		}
		// Where the primary one goes, another verified one takes its place.
		support.must(t, http.StatusNoContent, http.MethodDelete, email, nil)
		if primary() != "bob@old.example" {
			t.Errorf("the primary one then: %q", primary())
		}
		if _, err := h.Identity.Users().ByLogin(t.Context(), "bob@new.example"); err == nil {
			t.Error("the address that was removed still signs in")
		}
		// Whoever reads what was sent to the old address can take it all back.
		b := h.NewBrowser(t)
		opened := b.Get(t, takesBack)
		token := harness.HiddenToken.FindStringSubmatch(opened.Text)
		if token == nil {
			t.Fatalf("the link leads to %s\n%s", opened.Path(), opened.Text)
		}
		manager.must(t, http.StatusCreated, http.MethodPost, of+"/emails", map[string]any{
			"address": "mallory@example.com", "verified": true,
		})
		b.Post(t, "/not-me", url.Values{"token": {token[1]}})
		if _, err := h.Identity.Users().ByLogin(t.Context(), "mallory@example.com"); err == nil {
			t.Error("an address that an administrator was made to add stays")
		}
		other := "/api/v1/users/" + carol.ID.String() + "/emails/" + claimed.JSON["id"].(string)
		support.must(t, http.StatusNotFound, http.MethodDelete, other, nil)
	})
}
