package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A sign-in that was begun in one browser is nothing in another: who is there has done nothing for it.
func TestSuspendedRequestBelongsToItsBrowser(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client := h.client(t, func(c *clients.Client) { c.IsTrusted = true })
		theirs, mine := h.browser(t), h.browser(t)
		begun := theirs.get(t, h.authorizeURL(client, url.Values{"prompt": {"login"}})).held()
		mine.signIn(t, page{}) // for my own ends, after theirs began
		shown := mine.get(t, "/authorize?interaction="+begun)
		if !strings.Contains(shown.body, `id="sign-in"`) {
			t.Fatalf("a sign-in for something else counts: %s %s", shown.Status, shown.Header.Get("Location"))
		}
		// In the browser where it began, signing in for it does count.
		done := theirs.signIn(t, theirs.get(t, "/authorize?interaction="+begun))
		if location, err := done.Location(); err != nil || location.Query().Get("code") == "" {
			t.Errorf("in its own browser: %s, %v", done.Status, err)
		}
	})
}

// What takes an account over, step by step: a borrowed browser adds an address, and the owner puts things right.
func TestOwnerGetsATakenAccountBack(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		thief := h.browser(t)
		thief.signIn(t, page{})
		thief.post(t, "/account/emails/add", url.Values{"address": {"thief@example.net"}})
		link, _ := h.mail(t, "Verify your email address")
		warned, letter := h.mail(t, "An email address was added to your account")
		if letter.To != testEmail {
			t.Fatalf("the warning went to %s", letter.To)
		}
		thief.follow(t, link, nil)
		emails, err := h.Identity.Emails().List(t.Context(), h.user.ID)
		if err != nil || len(emails) != 2 {
			t.Fatal(emails, err)
		}
		thief.post(t, "/account/emails/primary", url.Values{"id": {emails[1].ID.String()}})
		thief.post(t, "/account/emails/remove", url.Values{"id": {emails[0].ID.String()}})
		thief.post(t, "/forgot-password", url.Values{"login": {testUsername}})
		stolen, letter := h.mail(t, "Choose a new password")
		if letter.To != "thief@example.net" {
			t.Fatalf("the reset went to %s", letter.To)
		}
		owner := h.browser(t)
		shown := owner.follow(t, warned, nil)
		if !strings.Contains(shown.body, `id="choose"`) {
			t.Fatalf("the owner cannot disown it: %s\n%s", shown.Status, shown.body)
		}
		if again := thief.follow(t, stolen, url.Values{"password": {"the thief has this one"}}); again.StatusCode == 200 {
			t.Error("the thief's reset link still works")
		}
		token := hiddenToken.FindStringSubmatch(shown.body)[1]
		owner.post(t, "/reset-password", url.Values{"token": {token}, "password": {newPassword}})
		after, err := h.Identity.Emails().List(t.Context(), h.user.ID)
		if err != nil || len(after) != 2 || after[0].Address != testEmail || !after[0].IsPrimary || after[1].VerifiedAt != nil {
			t.Errorf("the addresses afterwards: %+v, %v", after, err)
		}
	})
}

// The address that a thief has just added is written to, but no link in what it gets proves anything; and whoever was the
// owner a week ago gets the account back even after the thief has used theirs.
func TestNewAddressProvesNothing(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		thief := h.browser(t)
		thief.signIn(t, page{})
		thief.post(t, "/account/emails/add", url.Values{"address": {"thief@example.net"}})
		link, _ := h.mail(t, "Verify your email address")
		thief.follow(t, link, nil)
		emails, err := h.Identity.Emails().List(t.Context(), h.user.ID)
		if err != nil || len(emails) != 2 || emails[1].VerifiedAt == nil {
			t.Fatal(emails, err)
		}
		thief.post(t, "/account/emails/primary", url.Values{"id": {emails[1].ID.String()}})
		thief.post(t, "/forgot-password", url.Values{"login": {testUsername}})
		stolen, _ := h.mail(t, "Choose a new password")
		thief.follow(t, stolen, url.Values{"password": {"the thief has this one"}})
		h.mail(t, "Your password was changed")
		links := make(map[string]string)
		storagetest.Eventually(t, 10*time.Second, "both addresses are told", func() bool {
			for _, letter := range h.Config().Outbox.Messages() {
				if letter.Subject == "Your password was changed" {
					links[letter.To] = mailedLink.FindString(letter.Text)
				}
			}
			return len(links) == 2
		})
		if links["thief@example.net"] != "" || links[testEmail] == "" {
			t.Fatalf("links went to %v", links)
		}
		if shown := h.browser(t).follow(t, links[testEmail], nil); !strings.Contains(shown.body, `id="choose"`) {
			t.Fatalf("the owner cannot disown it: %s", shown.Status)
		}
		after, err := h.Identity.Emails().List(t.Context(), h.user.ID)
		if err != nil || len(after) != 2 || after[0].Address != testEmail || !after[0].IsPrimary || after[1].VerifiedAt != nil {
			t.Errorf("the addresses afterwards: %+v, %v", after, err)
		}
	})
}
