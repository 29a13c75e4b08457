package upstream

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
)

// upstream is a provider elsewhere, npm oidc-provider, and what Wicket knows of it.
type upstream struct {
	*federation.Provider
	origin string
}

// startUpstream starts a provider of a kind in a Node.js process of its own, which ends with the test.
func startUpstream(t testing.TB, h *harness.Server, p federation.Provider, settings ...string) *upstream {
	t.Helper()
	harness.NeedNPMPackages(t)
	node, err := exec.LookPath("node")
	if err != nil {
		harness.LeaveOut(t, "Node.js is not installed (Debian: apt-get install nodejs)")
	}
	if p.ID == "" {
		p.ID = p.Kind
	}
	up := &upstream{Provider: &p, origin: fmt.Sprintf("http://localhost:%d", harness.FreePort(t))}
	_, port, _ := strings.Cut(strings.TrimPrefix(up.origin, "http://"), ":")
	process := exec.Command(node, "--no-warnings", "upstream.mjs")
	process.Dir = harness.ClientsFolder
	process.Env = append(os.Environ(), append([]string{
		"PORT=" + port, "SHAPE=" + p.Kind, "CLIENT_ID=wicket", "CLIENT_SECRET=" + harness.UpstreamSecret,
		"TENANT=" + harness.UpstreamTenant,
		"REDIRECT_URI=" + h.Upstreams.Callback(p.ID), "LOGOUT_URI=" + h.Upstreams.LogoutURI(p.ID), "NO_COLOR=1",
	}, settings...)...)
	process.Stderr = harness.LogWriter(t)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("the provider upstream does not start: %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if p.Issuer == "" {
		up.Issuer = up.origin
	}
	if p.Name == "" {
		up.Name = "Upstream"
	}
	up.ClientID, up.Secret = "wicket", harness.UpstreamSecret
	h.AddProvider(t, up.Provider)
	return up
}

// someone is the account upstream that claims describe, with changes.
func someone(sub string, change map[string]any) map[string]any {
	claims := map[string]any{
		"sub": sub, "email": sub + "@upstream.example", "email_verified": true, "name": "Carol Upstream",
		"preferred_username": sub,
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

var askedUpstream = regexp.MustCompile(`<pre id="asked">([^<]*)</pre>`)

// askedOf is what Wicket has asked for, on the page of a provider upstream.
func askedOf(t testing.TB, p harness.Page) map[string]any {
	t.Helper()
	match := askedUpstream.FindStringSubmatch(p.Text)
	if match == nil {
		t.Fatalf("this is not the page of the provider upstream: %s %s\n%s", p.Status, p.Request.URL, p.Text)
	}
	asked := make(map[string]any)
	if err := json.Unmarshal([]byte(html.UnescapeString(match[1])), &asked); err != nil {
		t.Fatal(err)
	}
	return asked
}

// signInUpstream signs somebody in on the page of a provider upstream, and returns what comes in the end.
func signInUpstream(t testing.TB, b *harness.Browser, shown harness.Page, claims map[string]any) harness.Page {
	t.Helper()
	askedOf(t, shown)
	told, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return answerUpstream(t, b, shown, url.Values{"claims": {string(told)}})
}

func answerUpstream(t testing.TB, b *harness.Browser, shown harness.Page, form url.Values) harness.Page {
	t.Helper()
	response, err := b.FollowingAll().PostForm(shown.Request.URL.String(), form)
	return harness.ReadPage(t, response, err)
}

// signInFrom signs somebody in with a provider upstream, from Wicket's own sign-in page.
func signInFrom(t testing.TB, b *harness.Browser, id string, claims map[string]any) harness.Page {
	t.Helper()
	return signInUpstream(t, b, b.ToUpstream(t, id, harness.Page{}), claims)
}

// oauthChallenge is the PKCE challenge of a verifier: RFC 7636, section 4.2.
func oauthChallenge(verifier string) string { return oauth2.S256ChallengeFromVerifier(verifier) }

// upstreamFields are the hidden fields of the provider's own pages.
var upstreamFields = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
