package account

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestPersonTakesTheirDataAlongAndIsErased(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		b.Code(t, client, nil)
		subject, err := h.Tokens.Subject(t.Context(), &clients.Client{Sector: "app.example"}, h.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		file := b.Post(t, "/account/download", url.Values{})
		if file.StatusCode != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("download: %s %v", file.Status, file.Header)
		}
		var kept struct {
			Account struct{ Username string }
			Profile struct{ Name string }
			Emails  []struct{ Address string }
			Apps    []struct {
				ClientID string `json:"client_id"`
			}
			Grants []struct {
				ClientID  string `json:"client_id"`
				SessionID string `json:"session_id"`
			}
			Subjects   []struct{ Sector, Sub string }
			Sessions   []any
			Attempts   []any `json:"login_attempts"`
			AuditTrail []any `json:"audit_trail"`
		}
		if err := json.Unmarshal([]byte(file.Text), &kept); err != nil {
			t.Fatal(err)
		}
		if kept.Account.Username != harness.Username || kept.Profile.Name != "Alice Example" ||
			kept.Emails[0].Address != harness.Email || kept.Apps[0].ClientID != client.ID ||
			len(kept.Subjects) != 1 || kept.Subjects[0] != struct{ Sector, Sub string }{"app.example", subject} ||
			len(kept.Grants) != 1 || kept.Grants[0].ClientID != client.ID || kept.Grants[0].SessionID == "" ||
			len(kept.Sessions) != 1 || len(kept.Attempts) != 1 || len(kept.AuditTrail) < 3 {
			t.Errorf("the file holds %+v", kept)
		}
		if user, err := h.Identity.Users().ByID(t.Context(), h.User.ID); err != nil ||
			strings.Contains(file.Text, user.PasswordHash) {
			t.Errorf("the password hash is in the file (%v)", err)
		}
		if shown := b.Post(t, "/account/erase", url.Values{}); !strings.Contains(shown.Text, `id="erase"`) {
			t.Errorf("erased without being sure: %s", shown.Status)
		}
		if shown := b.Post(t, "/account/erase", url.Values{"sure": {"yes"}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("erase: %s", shown.Status)
		}
		h.Mail(t, "Your account will be deleted")
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("still signed in")
		}
		shown := b.SignIn(t, harness.Page{})
		if shown.Path() != "/account/kept" || !strings.Contains(shown.Text, "your account stays") {
			t.Errorf("signing in undoes it without a word: at %s\n%s", shown.Path(), shown.Text)
		}
		if user, err := h.Identity.Users().ByID(t.Context(), h.User.ID); err != nil || user.EraseAt != nil {
			t.Errorf("signing in did not undo it: %v, %v", user.EraseAt, err)
		}
		lines, err := audit.Entries(t.Context(), h.Database, audit.Filter{
			UserID: h.User.ID, Entity: "user", Action: "erasure_cancelled", Limit: 5,
		})
		if err != nil || len(lines) != 1 || lines[0].Actor != h.User.Actor() {
			t.Errorf("the audit trail says of it: %+v, %v", lines, err)
		}
		h.Mail(t, "Your account will not be deleted")
		if shown := b.Post(t, "/account/kept", nil); shown.Path() != "/account" {
			t.Errorf("keep it: at %s", shown.Path())
		}
		if shown := b.Get(t, "/account/kept"); shown.Path() != "/account" {
			t.Errorf("asked twice: at %s", shown.Path())
		}
		visitor := h.NewBrowser(t).Post(t, "/account/download", url.Values{})
		if strings.Contains(visitor.Text, harness.Email) {
			t.Error("a visitor downloads her data")
		}
	})
}

// The last owner of a server cannot leave it without one, be it from their own account.
func TestLastOwnerStays(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		grant := func(user *identity.User) {
			t.Helper()
			_, err := h.Manage.Administrators.Grant(t.Context(), administrators.Person(user.ID), administrators.Owner, nil)
			if err != nil {
				t.Fatal(err)
			}
		}
		grant(h.User)
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		shown := b.Post(t, "/account/erase", url.Values{"sure": {"yes"}})
		if shown.StatusCode != http.StatusConflict || !strings.Contains(shown.Text, "This is the last owner") {
			t.Fatalf("%s at %s\n%s", shown.Status, shown.Path(), shown.Text)
		}
		if shown := b.Get(t, "/account"); shown.Path() != "/account" {
			t.Errorf("they were signed out: at %s", shown.Path())
		}
		grant(h.Register(t, identity.NewUser{Username: "carol"}))
		if shown := b.Post(t, "/account/erase", url.Values{"sure": {"yes"}}); shown.StatusCode != http.StatusOK {
			t.Errorf("with another owner: %s", shown.Status)
		}
	})
}
