package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Somebody connects a television, and another device by its address with the code, which they deny.
func TestDeviceInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	client := h.AddClient(t, func(c *clients.Client) {
		c.Name, c.ClientURI, c.PolicyURI = "Harbour Television", "https://harbour.example/", "https://harbour.example/privacy"
	})
	asked := h.BeginDevice(t, client, "openid profile email offline_access")
	w.Open(asked.Text("verification_uri"))
	w.Look("device")
	w.Do(chromedp.SendKeys(chromedp.CSS("#user-code"), "bbbb bbbb"))
	w.Press("#next")
	w.Reads("#failure", "No device is waiting with this code")
	w.Look("device-refused")
	w.Do(
		chromedp.SetValue(chromedp.CSS("#user-code"), strings.ToLower(strings.ReplaceAll(asked.Text("user_code"), "-", " "))),
	)
	w.Press("#next")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "Harbour Television wants to sign in on a device", asked.Text("user_code"), "on a device in front of you",
		"See your email address", harness.Email)
	w.Look("device-request")
	w.Press("#approve")
	w.Reads("main", "Your device is connected")
	w.Look("device-connected")
	if tokens := h.PollDevice(t, client, asked.Text("device_code")); tokens.Text("refresh_token") == "" {
		t.Errorf("no tokens but %d %v", tokens.Status, tokens.JSON)
	}
	w.Press("#next")
	w.Reads("ul.list", "Device with Harbour Television")
	w.Look("account-with-device")

	asked = h.BeginDevice(t, client, "openid")
	w.Open(asked.Text("verification_uri_complete"))
	w.Reads("#code", asked.Text("user_code"))
	w.Press("#deny")
	w.Reads("main", "The device was not connected")
	w.Look("device-denied")
	if told := h.PollDevice(t, client, asked.Text("device_code")); told.Text("error") != "access_denied" {
		t.Errorf("denied: %d %v", told.Status, told.JSON)
	}
}

// Who has a second factor shows it before a device gets anything, and the owner can take all of it back by mail.
func TestADeviceWantsEverythingThatThePersonHas(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		secret, _ := b.AddAuthenticator(t, "")
		other := h.NewBrowser(t) // knows the password alone
		asked := h.BeginDevice(t, client, "openid offline_access")
		shown := other.Get(t, asked.Text("verification_uri_complete"))
		if shown.Path() != "/sign-in" || shown.Then() != "/device?user_code="+asked.Text("user_code") {
			t.Fatalf("not asked to sign in but %s %s", shown.Path(), shown.Then())
		}
		shown = other.Post(t, "/sign-in", url.Values{
			"username": {harness.Username}, "password": {harness.Password}, "then": {shown.Then()},
		})
		if shown.Path() != "/second-step" {
			t.Fatalf("after the password: %s", shown.Path())
		}
		shown = other.AnswerSecondStep(t, shown, harness.TOTPCode(t, secret, 0))
		if shown.Path() != oidc.PathDevice || !strings.Contains(shown.Text, `id="approve"`) {
			t.Fatalf("after the second step: %s\n%s", shown.Path(), shown.Text)
		}
		if done := other.DecideDevice(t, shown, "approve"); !strings.Contains(done.Text, "Your device is connected") {
			t.Fatalf("%s\n%s", done.Status, done.Text)
		}
		tokens := h.PollDevice(t, client, asked.Text("device_code"))
		if acr := harness.TokenClaims(t, tokens.Text("id_token"))["acr"]; acr != "urn:wicket:acr:mfa" {
			t.Errorf("acr %v", acr)
		}
		link, mail := h.Mail(t, "A device was connected to your account")
		if !strings.Contains(mail.Text, client.Name) {
			t.Errorf("the mail says %s", mail.Text)
		}
		// It is about no session: the passkey or the account elsewhere by which the approver came must stay theirs.
		var proof identity.Proof
		token := harness.HiddenToken.FindStringSubmatch(h.NewBrowser(t).Get(t, link).Text)
		err := h.Database.Reader().NewSelect().Model(&proof).
			Where("secret_hash = ?", storage.Digest(token[1])).Scan(t.Context())
		if err != nil || proof.Purpose != identity.ProofNotMe || proof.SessionID.Valid {
			t.Errorf("the link is %+v, %v", proof, err)
		}
		b.FollowLink(t, link, nil)
		if again := h.Refresh(t, client, tokens.Text("refresh_token")); again.Text("error") != "invalid_grant" {
			t.Errorf("refreshed after it was disowned: %d %v", again.Status, again.JSON)
		}
	})
}

// What the page takes from nobody: another site, another session than it was shown to, what was made up, and a second
// answer.
func TestAnswersAboutDevicesThatDoNotCount(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		b, another := h.NewBrowser(t), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		another.SignIn(t, harness.Page{})
		asked := h.BeginDevice(t, client, "openid")
		shown := b.Get(t, asked.Text("verification_uri_complete"))
		form := url.Values{"token": {harness.HiddenToken.FindStringSubmatch(shown.Text)[1]}, "decision": {"approve"}}
		request, err := http.NewRequest(http.MethodPost, h.Issuer+oidc.PathDevice, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://evil.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := b.Do(request)
		if crossed := harness.ReadPage(t, response, err); crossed.StatusCode != http.StatusForbidden {
			t.Errorf("from another site: %s", crossed.Status)
		}
		if moved := another.DecideDevice(t, shown, "approve"); !strings.Contains(moved.Text, `id="approve"`) {
			t.Errorf("in another session it is not asked anew: %s\n%s", moved.Status, moved.Text)
		}
		for name, token := range map[string]string{"nothing": "", "made up": "AAAA", "the code": asked.Text("user_code")} {
			answer := b.Post(t, oidc.PathDevice, url.Values{"token": {token}, "decision": {"approve"}})
			if answer.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", name, answer.Status)
			}
		}
		if pending := h.PollDevice(t, client, asked.Text("device_code")); pending.Text("error") != "authorization_pending" {
			t.Fatalf("after all that: %d %v", pending.Status, pending.JSON)
		}
		if done := b.DecideDevice(t, shown, "deny"); done.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", done.Status, done.Text)
		}
		if again := b.DecideDevice(t, shown, "approve"); again.StatusCode != http.StatusBadRequest {
			t.Errorf("a second answer: %s", again.Status)
		}
		for name, typed := range map[string]string{
			"answered": asked.Text("user_code"), "short": "BBB", "other letters": "AEIO-UAEI", "a NUL": "BBBB\x00BBBB",
			"huge": strings.Repeat("B", 5000), "markup": `"><b>x`,
		} {
			page := b.Get(t, oidc.PathDevice+"?"+url.Values{"user_code": {typed}}.Encode())
			if page.StatusCode != http.StatusBadRequest || strings.Contains(page.Text, "<b>x") {
				t.Errorf("%s: %s", name, page.Status)
			}
		}
	})
}
