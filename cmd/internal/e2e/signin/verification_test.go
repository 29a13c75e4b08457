package signin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/storage"
)

// addWaysIn gives a person a passkey and an account at a provider, and returns the ids of both.
func addWaysIn(t testing.TB, h *harness.Server, userID uuid.UUID) (passkey, linked uuid.UUID) {
	t.Helper()
	now := identity.Clock()
	key := &factor.Passkey{Authenticator: factor.Authenticator{
		ID: storage.NewID(), UserID: userID, Name: "Mallory's phone", RPID: "localhost", CredentialID: []byte(storage.NewSecret()),
		PublicKey: []byte{1}, Transports: []string{}, Attestation: []byte("{}"), CreatedAt: now,
	}}
	account := &identity.ExternalAccount{
		ID: storage.NewID(), UserID: userID, Provider: "acme", Issuer: "https://acme.example", Subject: storage.NewSecret(),
		Label: "mallory@acme.example", Profile: []byte("{}"), LastUsedAt: now, CreatedAt: now, ModifiedAt: now,
	}
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, keyErr := tx.NewInsert().Model(key).Exec(ctx)
		_, accountErr := tx.NewInsert().Model(account).Exec(ctx)
		return errors.Join(keyErr, accountErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return key.ID, account.ID
}

// waysIn counts the passkeys and linked accounts of a person.
func waysIn(t testing.TB, h *harness.Server, userID uuid.UUID) (passkeys, linked int) {
	t.Helper()
	keys, err := h.Factors.Passkeys().List(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return len(keys), len(h.Linked(t, &identity.User{ID: userID}))
}

// Somebody makes an account with another's address. Its owner, who gets the link, cannot verify the address without a
// sign-in to that account: whatever they press, it belongs to nobody.
func TestAddressIsVerifiedInTheAccountAlone(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		mallory := h.NewBrowser(t)
		mallory.Post(t, "/register", harness.SignUpForm(url.Values{"email": {"victim@example.com"}}))
		link, _ := h.Mail(t, "Verify your email address")
		token := url.Values{"token": {strings.SplitN(link, "token=", 2)[1]}}

		signedOut := h.NewBrowser(t)
		if shown := signedOut.Get(t, link); shown.Path() != "/sign-in" {
			t.Errorf("who is not signed in is shown %s", shown.Request.URL)
		}
		if shown := signedOut.Post(t, "/verify-email", token); shown.Path() != "/sign-in" {
			t.Errorf("who is not signed in and presses the button: %s %s", shown.Status, shown.Request.URL)
		}
		other := h.NewBrowser(t)
		other.SignIn(t, harness.Page{})
		for name, shown := range map[string]harness.Page{
			"sees": other.Get(t, link), "presses the button": other.Post(t, "/verify-email", token),
		} {
			if shown.StatusCode != http.StatusConflict || !strings.Contains(shown.Text, "Sign in to the account carol") {
				t.Errorf("who is signed in to another account %s: %s\n%s", name, shown.Status, shown.Text)
			}
		}
		if _, err := h.Identity.Users().Find(t.Context(), "victim@example.com"); err == nil {
			t.Error("the address is verified")
		}
		// Whoever signs in on the way comes back to the link.
		phone := h.NewBrowser(t)
		page := phone.Get(t, link)
		shown := phone.Post(t, "/sign-in", url.Values{
			"username": {"carol"}, "password": {harness.NewPassword}, "then": {page.Request.URL.Query().Get("then")},
		})
		if !strings.Contains(shown.Text, `id="confirm"`) {
			t.Errorf("after the sign-in: %s\n%s", shown.Request.URL, shown.Text)
		}
		if shown := phone.Post(t, "/verify-email", token); shown.StatusCode != http.StatusOK {
			t.Errorf("verifying in the account: %s", shown.Status)
		}
		if _, err := h.Identity.Users().Find(t.Context(), "victim@example.com"); err != nil {
			t.Errorf("the address is not verified: %v", err)
		}
	})
}

// With the first verified address of an account all ends that was there before, but for what its owner keeps.
func TestFirstVerifiedAddressEndsWhatWasBefore(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner, elsewhere := h.NewBrowser(t), h.NewBrowser(t)
		owner.Post(t, "/register", harness.SignUpForm(nil))
		elsewhere.Post(t, "/sign-in", url.Values{"username": {"carol"}, "password": {harness.NewPassword}})
		carol, err := h.Identity.Users().Find(t.Context(), "carol")
		if err != nil {
			t.Fatal(err)
		}
		_, account := addWaysIn(t, h, carol.ID)
		link, _ := h.Mail(t, "Verify your email address")
		shown := owner.Get(t, link)
		for _, want := range []string{"Mallory&#39;s phone", "mallory@acme.example", `name="keep"`} {
			if !strings.Contains(shown.Text, want) {
				t.Errorf("the page lacks %q:\n%s", want, shown.Text)
			}
		}
		if strings.Contains(shown.Text, " checked") {
			t.Error("ways in are kept unless somebody looks")
		}
		h.SQL(t, "UPDATE users SET password_hash = NULL WHERE username = 'carol'")
		if shown := owner.Get(t, link); strings.Count(shown.Text, " checked") != 2 {
			t.Error("who has no password loses their ways in unless they look")
		}
		shown = owner.FollowLink(t, link, url.Values{"keep": {account.String(), "nonsense"}})
		if shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		if passkeys, linked := waysIn(t, h, carol.ID); passkeys != 0 || linked != 1 {
			t.Errorf("%d passkeys and %d linked accounts are left", passkeys, linked)
		}
		_, mail := h.Mail(t, "Other ways to sign in to your account were removed")
		if !strings.Contains(mail.Text, "A passkey, added on") || strings.Contains(mail.Text, "Mallory") {
			t.Errorf("the mail does not say what went, or repeats a name:\n%s", mail.Text)
		}
		if shown := elsewhere.Get(t, "/account"); shown.Path() != "/sign-in" {
			t.Errorf("a session from before lives on: %s", shown.Request.URL)
		}
		if shown := owner.Get(t, "/account"); shown.Path() != "/account" {
			t.Errorf("the session that verified has ended: %s", shown.Request.URL)
		}
		// A second address changes nothing of that kind.
		addWaysIn(t, h, carol.ID)
		owner.Post(t, "/account/emails/add", url.Values{"address": {"carol@work.example"}})
		second := h.LinkTo(t, "Verify your email address", "carol@work.example")
		if shown := owner.FollowLink(t, second, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify another: %s\n%s", shown.Status, shown.Text)
		}
		if passkeys, linked := waysIn(t, h, carol.ID); passkeys != 1 || linked != 2 {
			t.Errorf("%d passkeys and %d linked accounts are left after a second address", passkeys, linked)
		}
	})
}

// The passkey with which somebody has signed in to verify stays without a tick; the password, which they have not
// typed, does not. A sign-in that is not fresh any more is asked for again.
func TestPasskeyOfTheVerifyingSessionStays(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.SQL(t, "UPDATE emails SET verified_at = NULL")
		passkey, b := h.AddPasskey(t), h.NewBrowser(t)
		b.Post(t, "/sign-in/passkey", passkey.Show(t, b))
		emails, err := h.Identity.Emails().List(t.Context(), h.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		b.Post(t, "/account/emails/resend", url.Values{"id": {emails[0].ID.String()}})
		link, _ := h.Mail(t, "Verify your email address")
		h.SQL(t, "UPDATE sessions SET auth_time = ?", identity.Clock().Add(-time.Hour))
		again := b.Get(t, link)
		if again.Path() != "/sign-in" {
			t.Fatalf("a sign-in of an hour ago is enough: %s", again.Request.URL)
		}
		form := passkey.Show(t, b)
		form.Set("then", again.Request.URL.Query().Get("then"))
		shown := b.Post(t, "/sign-in/passkey", form)
		if !strings.Contains(shown.Text, `value="password"`) || strings.Contains(shown.Text, "Passkey") {
			t.Errorf("the page should list the password, and not the passkey: %s\n%s", shown.Request.URL, shown.Text)
		}
		if shown := b.FollowLink(t, link, nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("verify: %s", shown.Status)
		}
		owner, err := h.Identity.Users().ByID(t.Context(), h.User.ID)
		if passkeys, _ := waysIn(t, h, h.User.ID); err != nil || passkeys != 1 || owner.PasswordHash != "" {
			t.Errorf("%d passkeys are left, and a password %t, %v", passkeys, owner.PasswordHash != "", err)
		}
	})
}

// Who chooses another password by mail sees what else signs in to the account, and removes what is not theirs.
func TestResetShowsOtherWaysIn(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		passkey, _ := addWaysIn(t, h, h.User.ID)
		b.Post(t, "/forgot-password", url.Values{"login": {harness.Email}})
		link, _ := h.Mail(t, "Choose a new password")
		if shown := b.Get(t, link); !strings.Contains(shown.Text, "Mallory&#39;s phone") ||
			!strings.Contains(shown.Text, "mallory@acme.example") {
			t.Errorf("the page does not list them:\n%s", shown.Text)
		}
		remove := []string{passkey.String()}
		weak := b.FollowLink(t, link, url.Values{"password": {"short"}, "remove": remove})
		if !strings.Contains(weak.Text, `value="`+passkey.String()+`" checked`) {
			t.Errorf("what was ticked is forgotten:\n%s", weak.Text)
		}
		if passkeys, _ := waysIn(t, h, h.User.ID); passkeys != 1 {
			t.Error("a refused password removes the passkey")
		}
		shown := b.FollowLink(t, link, url.Values{"password": {harness.NewPassword}, "remove": remove})
		if shown.StatusCode != http.StatusOK {
			t.Fatalf("reset: %s", shown.Status)
		}
		if passkeys, linked := waysIn(t, h, h.User.ID); passkeys != 0 || linked != 1 {
			t.Errorf("%d passkeys and %d linked accounts are left", passkeys, linked)
		}
	})
}
