package oidc

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// fuzzClients are the clients that a fuzzed authorization request may name.
func fuzzClients() []*Client {
	return []*Client{
		{ID: "web", Name: "Web", AuthMethod: AuthPost, RedirectURIs: []string{"https://app.example.com/cb", "https://app.example.com/cb?tenant=1"}},
		{ID: "spa", Name: "SPA", AuthMethod: AuthNone, RedirectURIs: []string{"https://spa.example.com/"}},
		{ID: "native", Name: "Native", AuthMethod: AuthNone, RedirectURIs: []string{"http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/oauth"}},
		{ID: "machine", Name: "Machine", AuthMethod: AuthPost, GrantTypes: []string{GrantClientCredentials}},
	}
}

// isRegistered tells, without the code under test, whether a URI is a registered one but for a loopback port.
func isRegistered(uri string, client *Client) bool {
	if slices.Contains(client.RedirectURIs, uri) {
		return true
	}
	for _, registered := range client.RedirectURIs {
		for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
			path, loopback := strings.CutPrefix(registered, host)
			rest, same := strings.CutPrefix(uri, host)
			if loopback && same && strings.HasSuffix(rest, path) && isPort(strings.TrimSuffix(rest, path)) {
				return true
			}
		}
	}
	return false
}

// isPort tells whether text is what may stand between a host and a path: a colon and a number.
func isPort(text string) bool {
	digits, ok := strings.CutPrefix(text, ":")
	return ok && digits != "" && len(digits) <= 5 && strings.Trim(digits, "0123456789") == ""
}

// Any query at all: no panic, no fault, no answer to an address that was not registered; and what was accepted is the
// same request after its way through the pages.
func FuzzReadAuthorization(f *testing.F) {
	h := newTestHouse(f, storagetest.Open(f, storage.SQLite))
	clients := map[string]*Client{}
	for _, client := range fuzzClients() {
		h.add(f, client)
		clients[client.ID] = client
	}
	hint, err := h.Keys.Sign(jose.ES256, idTokenType, idClaims{Issuer: testIssuer, Subject: "018f4c00-0000-7000-8000-00000000000a", Audience: "web"})
	if err != nil {
		f.Fatal(err)
	}
	const challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	const web = "client_id=web&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&response_type=code&scope=openid"
	for _, seed := range []string{
		"", "client_id=web", web, web + challenge, web + "&state=s&nonce=n&prompt=login+consent&max_age=0&login_hint=a&acr_values=x+y&display=popup",
		web + "&prompt=none", web + "&prompt=none+login", web + "&max_age=-1", web + "&max_age=99999999999999999999", web + "&id_token_hint=" + hint, web + "&id_token_hint=x.y.z",
		web + "&response_mode=form_post", web + "&response_mode=fragment", web + "&response_mode=query.jwt", web + "&request=x", web + "&request_uri=urn:x", web + "&scope=profile",
		web + "&state=%00", web + "&state=%ff", web + "&a%0d%0ab=1&a%0d%0ab=2", web + "&resource=a&resource=b", web + "&claims=%7B%7D", strings.Replace(web, "openid", "%0a", 1),
		"client_id=web&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%3Ftenant%3D1&response_type=code&scope=openid+email&state=x",
		"client_id=spa&redirect_uri=https%3A%2F%2Fspa.example.com%2F&response_type=code&scope=openid" + challenge, "client_id=spa&response_type=code&scope=profile" + challenge,
		"client_id=spa&redirect_uri=https%3A%2F%2Fevil.example%2F&response_type=code&scope=openid" + challenge, "client_id=spa&client_id=web&response_type=code",
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A50123%2Fcb&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A50123%2Fcb&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A50123%2Fcb%23&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=com.example.app%3A%2Foauth&response_type=code&scope=openid" + challenge, "client_id=machine&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&response_type=code",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		a, err := h.ReadAuthorization(t.Context(), form)
		var refused *Refusal
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("a fault: %v", err)
			}
			if refused.Reason.Code == "server_error" || refused.Reason.Status >= 500 {
				t.Fatalf("a fault: %v", refused.Reason)
			}
			if refused.Authorization == nil {
				return
			}
			a = refused.Authorization
		}
		client := clients[form.Get("client_id")]
		if client == nil || !isRegistered(a.RedirectURI, client) {
			t.Fatalf("an answer to %q, which is not registered for %q", a.RedirectURI, form.Get("client_id"))
		}
		if refused != nil {
			response := h.Refuse(a, refused.Reason)
			if !strings.HasPrefix(response.URL(), a.RedirectURI) || !slices.Contains(ResponseModes, response.Mode) || response.Parameters.Get("iss") != testIssuer || response.Parameters.Get("state") != form.Get("state") {
				t.Fatalf("refused to %s with %v", response.URL(), response.Parameters)
			}
			if text := response.Parameters.Get("error_description"); !isErrorText(text) {
				t.Fatalf("error_description %q", text) // RFC 6749, section 4.1.2.1
			}
			return
		}
		if client.ID == "machine" || client.AuthMethod == AuthNone && form.Get("code_challenge") == "" {
			t.Fatalf("accepted %q", query)
		}
		for _, scope := range a.Scopes {
			if !slices.Contains(client.Scopes, scope) {
				t.Fatalf("scope %q was accepted", scope)
			}
		}
		a.Selected = true
		resumed, err := h.Resume(t.Context(), h.Suspend(a, "browser"), "browser")
		if err != nil {
			t.Fatalf("not taken up again: %v", err)
		}
		a.accepted, resumed.accepted = nil, nil // fosite's view: made anew
		if !resumed.BeganAt.Equal(a.BeganAt) || !reflect.DeepEqual(a, resumed) {
			t.Fatalf("was %+v\nnow %+v", a, resumed)
		}
	})
}

// isErrorText tells whether text is made of the characters that RFC 6749 allows in error_description.
func isErrorText(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) < 0
}

// Whatever matches a registered redirect URI leads to the same place, as a browser reads it.
func FuzzRedirectURI(f *testing.F) {
	for uri := range redirectSeeds {
		f.Add(uri, uri)
		f.Add(uri, "http://127.0.0.1/cb")
	}
	for _, requested := range []string{"http://127.0.0.1:50123/cb", "http://127.0.0.1:50123/cb#", "HTTP://127.0.0.1:1/cb", "http://127.0.0.1:/cb", "http://[127.0.0.1]/cb", "http://u@127.0.0.1/cb", "http://127.0.0.1:1/cb?", "http://127.0.0.1:1/%63b"} {
		f.Add(requested, "http://127.0.0.1/cb")
	}
	f.Add("http://[::1]:50123/a b", "http://[::1]/a%20b")
	f.Fuzz(func(t *testing.T, requested, registered string) {
		if checkRedirectURI(registered) != nil {
			return
		}
		to, err := url.Parse(registered)
		if err != nil || to.Scheme == "" || to.User != nil || to.Fragment != "" || strings.ContainsAny(registered, "#\r\n\x00 \\") || !utf8.ValidString(registered) {
			t.Fatalf("%q may be registered (%v)", registered, err)
		}
		if to.Scheme == "http" && !isLoopback(to) || slices.Contains(forbiddenSchemes, strings.ToLower(to.Scheme)) {
			t.Fatalf("%q may be registered", registered)
		}
		if (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() == "" {
			t.Fatalf("%q has no host and may be registered", registered)
		}
		if !matchesRedirectURI(registered, registered) {
			t.Fatalf("%q does not match itself", registered)
		}
		if !matchesRedirectURI(requested, registered) || requested == registered {
			return
		}
		from, err := url.Parse(requested)
		if err != nil {
			t.Fatalf("%q matches %q and is no URL: %v", requested, registered, err)
		}
		if !strings.HasPrefix(registered, "http://") || !isLoopback(to) || to.Hostname() == "localhost" {
			t.Fatalf("%q matches %q, which is no loopback address", requested, registered)
		}
		if from.Scheme != to.Scheme || from.Hostname() != to.Hostname() || from.EscapedPath() != to.EscapedPath() || from.RawQuery != to.RawQuery || from.User != nil {
			t.Fatalf("%q matches %q", requested, registered)
		}
		// All that may differ is the port, to the letter.
		strip := func(uri string, parsed *url.URL) string {
			if port := parsed.Port(); port != "" {
				return strings.Replace(uri, parsed.Host, strings.TrimSuffix(parsed.Host, ":"+port), 1)
			}
			return uri
		}
		if strip(requested, from) != strip(registered, to) {
			t.Fatalf("%q matches %q but for more than the port", requested, registered)
		}
	})
}

// Whatever is made of a token of ours, it is read as what we signed or not at all.
func FuzzVerifyToken(f *testing.F) {
	h := newTestHouse(f, storagetest.Open(f, storage.SQLite))
	access, err := h.signAccessToken(&Client{ID: "web"}, nil, []string{"read"}, h.clock)
	if err != nil {
		f.Fatal(err)
	}
	want, err := h.readAccessToken(access)
	if err != nil {
		f.Fatal(err)
	}
	payload, _, err := h.Keys.Verify(access, accessTokenType, accessTokenAlg)
	if err != nil {
		f.Fatal(err)
	}
	id, err := h.Keys.Sign(jose.EdDSA, idTokenType, idClaims{Issuer: testIssuer, Subject: "alice", Audience: "web"})
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(access, ".")
	// The token is new in each run, so the fuzzer changes a recipe: %A is the access token, %I an ID token, %H %P %S the
	// parts of the former.
	recipe := strings.NewReplacer("%A", access, "%I", id, "%H", parts[0], "%P", parts[1], "%S", parts[2])
	for _, seed := range []string{
		"%A", "%I", "", ".", "..", "...", "%H.%P.", "%H.%P", "%H..%S", ".%P.%S", "%A.", " %A", "%A\n", "%H.\n%P.%S", "%A%A", "%H.%P.%S.%S", "%P.%H.%S", "%H.%P.%SA", "%H.%PA.%S", "%HA.%P.%S", "%H.%P.%S=",
		`{"payload":"%P","protected":"%H","signature":"%S"}`, `{"payload":"%P","signatures":[{"protected":"%H","signature":"%S"}]}`,
		`{"payload":"%P","protected":"%H","header":{"typ":"at+jwt"},"signature":"%S"}`, `{"payload":"e30","signatures":[{"protected":"%H","signature":"%S"},{"protected":"%H","signature":"%S"}]}`,
		"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.%P.", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.%P.%S", "%H.eyJpc3MiOiJ4In0.%S", "eyJhbGciOiJFUzI1NiIsImtpZCI6IiIsInR5cCI6ImF0K2p3dCJ9.%P.%S",
		`{"payload":{},"protected":[],"signature":7}`, "{}", "null", `{"signatures":[]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token := recipe.Replace(text)
		got, kid, err := h.Keys.Verify(token, accessTokenType, accessTokenAlg)
		if err == nil && (string(got) != string(payload) || kid != want.kid) {
			t.Fatalf("%q is read as %s", token, got)
		}
		if err == nil && strings.Count(token, ".") != 2 {
			t.Fatalf("%q is accepted", token)
		}
		claims, readErr := h.readAccessToken(token)
		if (err == nil) != (readErr == nil) || readErr == nil && !reflect.DeepEqual(claims, want) {
			t.Fatalf("%q: verified %v, read %v as %+v", token, err, readErr, claims)
		}
		if hint, err := h.readIDTokenHint(token); err == nil && (hint.Subject != "alice" || hint.Audience != "web") {
			t.Fatalf("%q is the hint %+v", token, hint)
		}
	})
}
