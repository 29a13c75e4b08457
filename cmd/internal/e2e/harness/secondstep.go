package harness

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

var (
	shownSecret = regexp.MustCompile(`id="secret">([A-Z2-7 ]+)<`)
	shownID     = regexp.MustCompile(`name="id" value="([^"]+)"`)
	// ShownBackupCode finds the backup codes on the page that shows them.
	ShownBackupCode = regexp.MustCompile(`<code>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</code>`)
)

// TOTPCode is what an authenticator app shows, as another library has it. A code works once, so that a test has three:
// of the step before, of this one and of the next.
func TOTPCode(t testing.TB, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// AddAuthenticator adds an authenticator app by the pages, with the code of the step before, and returns its secret and
// what comes next. more is the query of the page, such as continue.
func (b *Browser) AddAuthenticator(t testing.TB, more string) (secret string, next Page) {
	t.Helper()
	shown := b.Get(t, "/account/totps/new"+more)
	match := shownSecret.FindStringSubmatch(shown.Text)
	if match == nil {
		t.Fatalf("no secret at %s: %s\n%s", shown.Request.URL, shown.Status, shown.Text)
	}
	secret = strings.ReplaceAll(match[1], " ", "")
	form := url.Values{
		"id": {shownID.FindStringSubmatch(shown.Text)[1]}, "continue": {shown.Continue()}, "then": {shown.Then()}, "name": {"My phone"},
	}
	form.Set("code", "000000")
	wrong := b.Post(t, "/account/totps/confirm", form)
	if wrong.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(wrong.Text, match[1]) {
		t.Errorf("a wrong code: %s\n%s", wrong.Status, wrong.Text)
	}
	form.Set("code", TOTPCode(t, secret, -1))
	return secret, b.Post(t, "/account/totps/confirm", form)
}

// AnswerSecondStep answers the page that asks for a second step.
func (b *Browser) AnswerSecondStep(t testing.TB, shown Page, code string) Page {
	t.Helper()
	return b.Post(t, "/second-step", url.Values{
		"code": {code}, "continue": {shown.Continue()}, "then": {shown.Then()},
	})
}

// AsksForCode tells whether a page asks for a second step.
func AsksForCode(shown Page) bool { return strings.Contains(shown.Text, `id="code"`) }

// SignInClaims are the claims of an ID token that say how somebody signed in.
type SignInClaims struct {
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	Session  string   `json:"sid"`
}

// IDClaims returns the claims of an ID token that came fresh from the token endpoint.
func IDClaims(t testing.TB, tokens Answer) (claims SignInClaims) {
	t.Helper()
	parts := strings.Split(tokens.Text("id_token"), ".")
	if len(parts) != 3 {
		t.Fatalf("no ID token: %v", tokens.JSON)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// ReachApp takes a browser that is past its sign-in through consent to the app, and returns what the ID token says.
func (b *Browser) ReachApp(t testing.TB, client Client, shown Page) SignInClaims {
	t.Helper()
	if strings.Contains(shown.Text, `id="allow"`) {
		shown = b.Allow(t, shown)
	}
	location, err := shown.Location()
	if err != nil || location.Query().Get("code") == "" {
		t.Fatalf("no way to the app: %s at %s\n%s", shown.Status, shown.Request.URL, shown.Text)
	}
	return IDClaims(t, b.Server.Redeem(t, client, location.Query().Get("code")))
}
