package attack

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// A code works once, on whichever replica; when it comes again, what it gave is void.
func TestReplayedCode(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		code := to.code(t, to.signIn(t))
		tokens := to.redeem(t, code, nil)
		if tokens.Status != http.StatusOK {
			t.Fatalf("%d %v", tokens.Status, tokens.JSON)
		}
		if again := to.redeem(t, code, nil); again.Text("error") != "invalid_grant" {
			t.Errorf("the code worked again: %d", again.Status)
		}
		if info := to.Userinfo(t, tokens.Text("access_token")); info.Status != http.StatusUnauthorized {
			t.Errorf("the access token: %d", info.Status)
		}
		if again := to.Refresh(t, to.app, tokens.Text("refresh_token")); again.Text("error") != "invalid_grant" {
			t.Errorf("the refresh token: %d", again.Status)
		}
	})
}

// A refresh token that is two generations old is a copy in the wrong hands, and ends its family.
func TestReplayedRefreshToken(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		first := to.redeem(t, to.code(t, to.signIn(t)), nil).Text("refresh_token")
		second := to.Refresh(t, to.app, first).Text("refresh_token")
		third := to.Refresh(t, to.app, second).Text("refresh_token")
		if third == "" {
			t.Fatal("refreshing does not work: has the app the scope offline_access, and the grant refresh_token?")
		}
		for name, token := range map[string]string{"the copy": first} {
			if again := to.Refresh(t, to.app, token); again.Text("error") != "invalid_grant" {
				t.Errorf("%s: %d", name, again.Status)
			}
		}
		if again := to.Refresh(t, to.app, third); again.Text("error") != "invalid_grant" {
			t.Errorf("the family lives on: %d", again.Status)
		}
	})
}

// PKCE can be neither left out nor made weaker, and a code is of no use without its verifier.
func TestPKCEDowngrade(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		for name, change := range map[string]url.Values{
			"without":                         {"code_challenge": {""}, "code_challenge_method": {""}},
			"plain":                           {"code_challenge_method": {"plain"}},
			"no method, which would be plain": {"code_challenge_method": {""}},
			"an empty digest":                 {"code_challenge": {"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="}},
		} {
			if answer := to.answer(t, b, change); answer.Get("error") != "invalid_request" || answer.Has("code") {
				t.Errorf("%s: %v", name, answer)
			}
		}
		code := to.code(t, b)
		for name, verifier := range map[string]string{"left out": "", "another": strings.Repeat("wrong", 10)} {
			if a := to.redeem(t, code, url.Values{"code_verifier": {verifier}}); a.Status != http.StatusBadRequest {
				t.Errorf("verifier %s: %d", name, a.Status)
			}
		}
		if a := to.redeem(t, code, nil); a.Status != http.StatusOK {
			t.Errorf("who only guessed used the code up: %d %v", a.Status, a.JSON)
		}
	})
}

// Nobody is sent to an address that looks like a registered one.
func TestLookAlikeRedirectURIs(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		registered, err := url.Parse(to.redirectURI)
		if err != nil {
			t.Fatal(err)
		}
		host, path := registered.Host, registered.Path
		b := to.signIn(t)
		for _, uri := range []string{
			"https://evil.example/", to.redirectURI + "/", to.redirectURI + "?x=1", to.redirectURI + "#x", to.redirectURI + "x",
			to.redirectURI + "/../evil", to.redirectURI + "%2f..%2fevil", to.redirectURI + " ", to.redirectURI + "\t",
			strings.ToUpper(to.redirectURI), "https://" + host + ".evil.example" + path, "https://evil.example/" + host + path,
			"https://" + host + "@evil.example" + path, "https://evil.example\\@" + host + path, "//" + host + path,
			"https://" + host + ":8443" + path, "https://evil.example#" + host, "javascript:alert(1)//" + host,
			"data:text/html,x", "https://" + host + "./" + strings.TrimPrefix(path, "/"), path, "*", "https://*" + path,
		} {
			shown := b.Get(t, to.authorizeURL(url.Values{"redirect_uri": {uri}}))
			if shown.StatusCode != http.StatusBadRequest || shown.Header.Get("Location") != "" {
				t.Errorf("%q: %s to %q", uri, shown.Status, shown.Header.Get("Location"))
			}
			if strings.Contains(shown.Text, "evil.example") {
				t.Errorf("%q: the page repeats it", uri)
			}
		}
		code := to.code(t, b)
		again := to.redeem(t, code, url.Values{"redirect_uri": {"https://evil.example/"}})
		if again.Text("error") != "invalid_grant" {
			t.Errorf("redeemed with another redirect_uri: %d", again.Status)
		}
	})
}

// A request without a page learns nothing of whoever sits at the browser.
func TestSilentRequests(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		hint := to.redeem(t, to.code(t, b), nil).Text("id_token")
		silent := url.Values{"prompt": {"none"}}
		if answer := to.answer(t, to.NewBrowser(t), silent); answer.Get("error") != "login_required" {
			t.Errorf("nobody is signed in: %v", answer)
		}
		silent.Set("id_token_hint", hint)
		if answer := to.answer(t, to.NewBrowser(t), silent); answer.Get("error") != "login_required" {
			t.Errorf("nobody is signed in, with a hint: %v", answer)
		}
		silent.Set("id_token_hint", hint[:len(hint)-3])
		if answer := to.answer(t, b, silent); answer.Has("code") {
			t.Error("a forged hint brings a code")
		}
		silent = url.Values{"prompt": {"none"}, "claims": {`{"id_token":{"sub":{"value":"018f4c00-0000-7000-8000-00000000000a"}}}`}}
		if answer := to.answer(t, b, silent); answer.Has("code") {
			t.Error("somebody else was asked for, and a code came")
		}
	})
}

// What OAuth 2.1 has left behind is not there.
func TestGrantsOfThePast(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		b := to.signIn(t)
		for _, kind := range []string{"token", "id_token", "id_token token", "code token", "code id_token", "none"} {
			for _, mode := range []string{"query", "fragment"} {
				shown := b.Get(t, to.authorizeURL(url.Values{"response_type": {kind}, "response_mode": {mode}}))
				location := shown.Header.Get("Location")
				if !strings.Contains(location, "unsupported_response_type") || strings.Contains(location, "token=") {
					t.Errorf("response_type=%s: %s to %s", kind, shown.Status, location)
				}
			}
		}
		asked := to.Call(t, oidc.PathToken, to.app, url.Values{
			"grant_type": {"password"}, "username": {to.username}, "password": {to.password},
		})
		if asked.Text("error") != "unsupported_grant_type" {
			t.Errorf("the password grant: %d %v", asked.Status, asked.JSON)
		}
		asked = to.Call(t, oidc.PathToken, to.app, url.Values{"grant_type": {oidc.GrantClientCredentials}})
		if !slices.Contains([]string{"unauthorized_client", "invalid_client", "invalid_grant"}, asked.Text("error")) {
			t.Errorf("a public client by itself: %d %v", asked.Status, asked.JSON)
		}
	})
}
