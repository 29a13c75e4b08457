package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
)

// upstream is a provider elsewhere, npm oidc-provider, and what Wicket knows of it.
type upstream struct {
	*federation.Provider
	origin string
}

const (
	upstreamSecret = "the secret that we have upstream"
	upstreamTenant = "11111111-2222-3333-4444-555555555555"
)

// startUpstream starts a provider of a kind in a Node.js process of its own, which ends with the test.
func startUpstream(t testing.TB, h *openHouse, p federation.Provider, settings ...string) *upstream {
	t.Helper()
	npmPackages(t)
	node, err := exec.LookPath("node")
	if err != nil {
		leaveOut(t, "Node.js is not installed (Debian: apt-get install nodejs)")
	}
	if p.ID == "" {
		p.ID = p.Kind
	}
	up := &upstream{Provider: &p, origin: fmt.Sprintf("http://localhost:%d", freePort(t))}
	_, port, _ := strings.Cut(strings.TrimPrefix(up.origin, "http://"), ":")
	process := exec.Command(node, "--no-warnings", "upstream.mjs")
	process.Dir = clientsFolder
	process.Env = append(os.Environ(), append([]string{
		"PORT=" + port, "SHAPE=" + p.Kind, "CLIENT_ID=wicket", "CLIENT_SECRET=" + upstreamSecret, "TENANT=" + upstreamTenant,
		"REDIRECT_URI=" + h.Upstreams.Callback(p.ID), "LOGOUT_URI=" + h.Upstreams.LogoutURI(p.ID), "NO_COLOR=1",
	}, settings...)...)
	process.Stderr = testLog{t}
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
	up.ClientID, up.Secret = "wicket", upstreamSecret
	h.believe(t, up.Provider)
	return up
}

func (h *openHouse) believe(t testing.TB, p *federation.Provider) {
	t.Helper()
	if err := h.Upstreams.Add(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// traveller is the browser when it may leave Wicket, for providers upstream; an app's callback is still only looked at.
func (b *browser) traveller() *browser {
	client := *b.Client
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), testRedirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &browser{Client: &client, house: b.house, agent: b.agent}
}

// go to a provider from the page that is shown, by its button.
func (b *browser) toUpstream(t testing.TB, id string, shown page) page {
	t.Helper()
	return b.traveller().post(t, "/federation/"+id, url.Values{"continue": {shown.held()}})
}

// someone is the account upstream that claims describe, with changes.
func someone(sub string, change map[string]any) map[string]any {
	claims := map[string]any{"sub": sub, "email": sub + "@upstream.example", "email_verified": true, "name": "Carol Upstream", "preferred_username": sub}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

var askedUpstream = regexp.MustCompile(`<pre id="asked">([^<]*)</pre>`)

// askedOf is what Wicket has asked for, on the page of a provider upstream.
func askedOf(t testing.TB, p page) map[string]any {
	t.Helper()
	match := askedUpstream.FindStringSubmatch(p.body)
	if match == nil {
		t.Fatalf("this is not the page of the provider upstream: %s %s\n%s", p.Status, p.Request.URL, p.body)
	}
	asked := make(map[string]any)
	if err := json.Unmarshal([]byte(html.UnescapeString(match[1])), &asked); err != nil {
		t.Fatal(err)
	}
	return asked
}

// signInUpstream signs somebody in on the page of a provider upstream, and returns what comes in the end.
func signInUpstream(t testing.TB, b *browser, shown page, claims map[string]any) page {
	t.Helper()
	askedOf(t, shown)
	told, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return answerUpstream(t, b, shown, url.Values{"claims": {string(told)}})
}

func answerUpstream(t testing.TB, b *browser, shown page, form url.Values) page {
	t.Helper()
	response, err := b.traveller().PostForm(shown.Request.URL.String(), form)
	return read(t, response, err)
}

// signInFrom signs somebody in with a provider upstream, from Wicket's own sign-in page.
func signInFrom(t testing.TB, b *browser, id string, claims map[string]any) page {
	t.Helper()
	return signInUpstream(t, b, b.toUpstream(t, id, page{}), claims)
}

// at tells where a page is.
func (p page) at() string { return p.Request.URL.Path }

// linked returns the accounts of elsewhere that somebody signs in with.
func (h *openHouse) linked(t testing.TB, user *identity.User) []identity.ExternalAccount {
	t.Helper()
	accounts, err := h.Identity.ExternalAccounts().List(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

// oauthChallenge is the PKCE challenge of a verifier: RFC 7636, section 4.2.
func oauthChallenge(verifier string) string { return oauth2.S256ChallengeFromVerifier(verifier) }

// claimsOf reads the claims of a JWT, whoever signed it.
func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := make(map[string]any)
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// upstreamFields are the hidden fields of the provider's own pages.
var upstreamFields = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
