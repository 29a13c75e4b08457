package protocol

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A sign-in that was begun in one browser is nothing in another: who is there has done nothing for it.
func TestSuspendedRequestBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		theirs, mine := h.NewBrowser(t), h.NewBrowser(t)
		begun := theirs.Get(t, h.AuthorizeURL(client, url.Values{"prompt": {"login"}})).Continue()
		mine.SignIn(t, harness.Page{}) // for my own ends, after theirs began
		shown := mine.Get(t, "/authorize?interaction="+begun)
		if !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Fatalf("a sign-in for something else counts: %s %s", shown.Status, shown.Header.Get("Location"))
		}
		// In the browser where it began, signing in for it does count.
		done := theirs.SignIn(t, theirs.Get(t, "/authorize?interaction="+begun))
		if location, err := done.Location(); err != nil || location.Query().Get("code") == "" {
			t.Errorf("in its own browser: %s, %v", done.Status, err)
		}
	})
}

// What takes an account over, step by step: a borrowed browser adds an address, and the owner puts things right.
func TestOwnerGetsATakenAccountBack(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		thief := h.NewBrowser(t)
		thief.SignIn(t, harness.Page{})
		thief.Post(t, "/account/emails/add", url.Values{"address": {"thief@example.net"}})
		link, _ := h.Mail(t, "Verify your email address")
		warned, mail := h.Mail(t, "An email address was added to your account")
		if mail.To != harness.Email {
			t.Fatalf("the warning went to %s", mail.To)
		}
		thief.FollowLink(t, link, nil)
		emails, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(emails) != 2 {
			t.Fatal(emails, err)
		}
		thief.Post(t, "/account/emails/primary", url.Values{"id": {emails[1].ID.String()}})
		thief.Post(t, "/account/emails/remove", url.Values{"id": {emails[0].ID.String()}})
		thief.Post(t, "/forgot-password", url.Values{"login": {harness.Username}})
		stolen, mail := h.Mail(t, "Choose a new password")
		if mail.To != "thief@example.net" {
			t.Fatalf("the reset went to %s", mail.To)
		}
		owner := h.NewBrowser(t)
		shown := owner.FollowLink(t, warned, nil)
		if !strings.Contains(shown.Text, `id="choose"`) {
			t.Fatalf("the owner cannot disown it: %s\n%s", shown.Status, shown.Text)
		}
		if again := thief.FollowLink(t, stolen, url.Values{"password": {"the thief has this one"}}); again.StatusCode == 200 {
			t.Error("the thief's reset link still works")
		}
		token := harness.HiddenToken.FindStringSubmatch(shown.Text)[1]
		owner.Post(t, "/reset-password", url.Values{"token": {token}, "password": {harness.NewPassword}})
		after, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(after) != 2 || after[0].Address != harness.Email || !after[0].IsPrimary ||
			after[1].VerifiedAt != nil {
			t.Errorf("the addresses afterwards: %+v, %v", after, err)
		}
	})
}

// The address that a thief has just added is written to, but no link in what it gets proves anything; and whoever was
// the owner a week ago gets the account back even after the thief has used theirs.
func TestNewAddressProvesNothing(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		thief := h.NewBrowser(t)
		thief.SignIn(t, harness.Page{})
		thief.Post(t, "/account/emails/add", url.Values{"address": {"thief@example.net"}})
		link, _ := h.Mail(t, "Verify your email address")
		thief.FollowLink(t, link, nil)
		emails, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(emails) != 2 || emails[1].VerifiedAt == nil {
			t.Fatal(emails, err)
		}
		thief.Post(t, "/account/emails/primary", url.Values{"id": {emails[1].ID.String()}})
		thief.Post(t, "/forgot-password", url.Values{"login": {harness.Username}})
		stolen, _ := h.Mail(t, "Choose a new password")
		thief.FollowLink(t, stolen, url.Values{"password": {"the thief has this one"}})
		h.Mail(t, "Your password was changed")
		links := make(map[string]string)
		storagetest.Eventually(t, 10*time.Second, "both addresses are told", func() bool {
			for _, mail := range h.Config().Outbox.Messages() {
				if mail.Subject == "Your password was changed" {
					links[mail.To] = harness.MailedLink.FindString(mail.Text)
				}
			}
			return len(links) == 2
		})
		if links["thief@example.net"] != "" || links[harness.Email] == "" {
			t.Fatalf("links went to %v", links)
		}
		if shown := h.NewBrowser(t).FollowLink(t, links[harness.Email], nil); !strings.Contains(shown.Text, `id="choose"`) {
			t.Fatalf("the owner cannot disown it: %s", shown.Status)
		}
		after, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil || len(after) != 2 || after[0].Address != harness.Email || !after[0].IsPrimary ||
			after[1].VerifiedAt != nil {
			t.Errorf("the addresses afterwards: %+v, %v", after, err)
		}
	})
}
