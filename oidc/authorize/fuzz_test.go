package authorize_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// fuzzClients are the clients that a fuzzed authorization request may name.
func fuzzClients() []*clients.Client {
	return []*clients.Client{
		{ID: "web", Name: "Web", AuthMethod: clients.AuthPost, RedirectURIs: []string{
			"https://app.example.com/cb", "https://app.example.com/cb?tenant=1",
		}},
		{ID: "spa", Name: "SPA", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://spa.example.com/"}},
		{ID: "native", Name: "Native", AuthMethod: clients.AuthNone, RedirectURIs: []string{
			"http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/oauth",
		}},
		{ID: "machine", Name: "Machine", AuthMethod: clients.AuthPost, GrantTypes: []string{oidc.GrantClientCredentials}},
	}
}

// isRegistered tells, without the code under test, whether a URI is a registered one but for a loopback port.
func isRegistered(uri string, client *clients.Client) bool {
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
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	registered := map[string]*clients.Client{}
	for _, client := range fuzzClients() {
		h.Add(f, client)
		registered[client.ID] = client
	}
	hint, err := h.Keys.Sign(jose.ES256, tokens.IDTokenType, tokens.IDClaims{
		Issuer: oidctest.TestIssuer, Subject: "018f4c00-0000-7000-8000-00000000000a", Audience: "web",
	})
	if err != nil {
		f.Fatal(err)
	}
	const challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
	const web = "client_id=web&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&response_type=code&scope=openid"
	for _, seed := range []string{
		"", "client_id=web", web, web + challenge,
		web + "&state=s&nonce=n&prompt=login+consent&max_age=0&login_hint=a&acr_values=x+y&display=popup",
		web + "&prompt=none", web + "&prompt=none+login", web + "&max_age=-1", web + "&max_age=99999999999999999999",
		web + "&id_token_hint=" + hint, web + "&id_token_hint=x.y.z",
		web + "&response_mode=form_post", web + "&response_mode=fragment", web + "&response_mode=query.jwt",
		web + "&request=x", web + "&request_uri=urn:x", web + "&scope=profile",
		web + "&state=%00", web + "&state=%ff", web + "&a%0d%0ab=1&a%0d%0ab=2", web + "&resource=a&resource=b",
		web + "&claims=%7B%7D", strings.Replace(web, "openid", "%0a", 1),
		"client_id=web&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%3Ftenant%3D1&response_type=code&scope=openid+email&state=x",
		"client_id=spa&redirect_uri=https%3A%2F%2Fspa.example.com%2F&response_type=code&scope=openid" + challenge,
		"client_id=spa&response_type=code&scope=profile" + challenge,
		"client_id=spa&redirect_uri=https%3A%2F%2Fevil.example%2F&response_type=code&scope=openid" + challenge,
		"client_id=spa&client_id=web&response_type=code",
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A50123%2Fcb&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A50123%2Fcb&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A50123%2Fcb%23&response_type=code&scope=openid" + challenge,
		"client_id=native&redirect_uri=com.example.app%3A%2Foauth&response_type=code&scope=openid" + challenge,
		"client_id=machine&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&response_type=code",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		a, err := h.Authorize.Read(t.Context(), form)
		var refused *authorize.Refusal
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
		client := registered[form.Get("client_id")]
		if client == nil || !isRegistered(a.RedirectURI, client) {
			t.Fatalf("an answer to %q, which is not registered for %q", a.RedirectURI, form.Get("client_id"))
		}
		if refused != nil {
			response, err := h.Authorize.Refuse(t.Context(), a, refused.Reason)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(a.ResponseMode, ".jwt") {
				if len(response.Parameters) != 1 || response.Parameters.Get("response") == "" {
					t.Fatalf("told in the clear: %v", response.Parameters)
				}
				return
			}
			if !strings.HasPrefix(response.URL(), a.RedirectURI) || !slices.Contains(oidc.ResponseModes, response.Mode) ||
				response.Parameters.Get("iss") != oidctest.TestIssuer || response.Parameters.Get("state") != form.Get("state") {
				t.Fatalf("refused to %s with %v", response.URL(), response.Parameters)
			}
			if text := response.Parameters.Get("error_description"); !isErrorText(text) {
				t.Fatalf("error_description %q", text) // RFC 6749, section 4.1.2.1
			}
			return
		}
		if client.ID == "machine" || client.AuthMethod == clients.AuthNone && form.Get("code_challenge") == "" {
			t.Fatalf("accepted %q", query)
		}
		for _, scope := range a.Scopes {
			if !slices.Contains(client.Scopes, scope) {
				t.Fatalf("scope %q was accepted", scope)
			}
		}
		a.Selected = true
		resumed, err := h.Authorize.Resume(t.Context(), h.Authorize.Suspend(a, "browser"), "browser")
		if err != nil {
			t.Fatalf("not taken up again: %v", err)
		}
		a.Forget()
		resumed.Forget()
		if !resumed.BeganAt.Equal(a.BeganAt) || !reflect.DeepEqual(a, resumed) {
			t.Fatalf("was %+v\nnow %+v", a, resumed)
		}
	})
}

// isErrorText tells whether text is made of the characters that RFC 6749 allows in error_description.
func isErrorText(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) < 0
}

// What the parameter claims asks for is what it says, as texts of its own, and survives the pages; what is no JSON is
// refused.
func FuzzClaimsParameter(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	h.Add(f, fuzzClients()[0])
	for _, claims := range []string{
		"{}", "null", "[]", "7", "{", `{"id_token":null}`, `{"id_token":{"acr":null}}`, `{"id_token":{"acr":{"essential":true,"values":["a","b"]}}}`,
		`{"id_token":{"acr":{"value":"a"},"sub":{"value":"018f4c00-0000-7000-8000-00000000000a"}}}`, `{"id_token":{"acr":{"essential":"true"}}}`, `{"id_token":{"acr":{"essential":true,"value":""}}}`,
		`{"id_token":{"acr":{"value":"a"}},"id_token":{"acr":{"essential":true}}}`, `{"userinfo":{"email":{"essential":true}}}`, `{"id_token":{"sub":{"values":["\u0000","x"]}}}`, `{"ID_TOKEN":{"ACR":{"VALUE":"a"}}}`,
		`{"id_token":{"acr":{"values":[null,"a"]}}}`, `{"id_token":{"acr":{"value":"\ud800"}}}`, `{"x":` + strings.Repeat("[", 20_000), `{"userinfo":{"name#de":{"values":["\u0000",{"a":[1e2]}]}},"id_token":{"email":{"value":"\ud800"}}}`, `{"id_token":{"acr":{"values":["` + strings.Repeat(`a","`, 1000) + `"]}}}`,
	} {
		f.Add(claims, false)
		f.Add(claims, true)
	}
	f.Fuzz(func(t *testing.T, claims string, silent bool) {
		form := url.Values{
			"client_id": {"web"}, "redirect_uri": {"https://app.example.com/cb"}, "response_type": {"code"}, "scope": {"openid"},
			"state": {"s"}, "acr_values": {"asked"}, "claims": {claims},
		}
		if silent {
			form.Set("prompt", "none")
		}
		a, err := h.Authorize.Read(t.Context(), form)
		if err != nil {
			var refused *authorize.Refusal
			if !errors.As(err, &refused) || refused.Reason.Status >= 500 || refused.Reason.Code == "server_error" {
				t.Fatalf("%q: a fault: %v", claims, err)
			}
			return
		}
		var root map[string]any
		if claims != "" && json.Unmarshal([]byte(claims), &root) != nil {
			t.Fatalf("%q is accepted and no JSON object", claims)
		}
		said := append(textsOf(claims), "asked", "")
		for _, text := range slices.Concat(a.ACRValues, a.EssentialACR, []string{a.HintSubject}) {
			if !slices.Contains(said, text) {
				t.Fatalf("%q asks for %q", claims, text)
			}
		}
		for _, name := range a.Claims.Names() {
			if oidc.ScopeOf(name) == "" || !strings.Contains(strings.Join(textsOf(claims), " "), name) {
				t.Fatalf("%q asks for the claim %q", claims, name)
			}
		}
		if kept, err := json.Marshal(a.Claims); err != nil || bytes.Contains(kept, []byte{0}) {
			t.Fatalf("%q is kept as %q, %v", claims, kept, err)
		}
		if len(a.EssentialACR) > 0 && !strings.Contains(strings.ToLower(claims), "essential") {
			t.Fatalf("%q makes %q essential", claims, a.EssentialACR)
		}
		if a.AsksSubject != (a.HintSubject != "") && !slices.Contains(textsOf(claims), "") {
			t.Fatalf("%q asks for the subject %q", claims, a.HintSubject)
		}
		resumed, err := h.Authorize.Resume(t.Context(), h.Authorize.Suspend(a, "browser"), "browser")
		if err != nil || !slices.Equal(resumed.ACRValues, a.ACRValues) ||
			!slices.Equal(resumed.EssentialACR, a.EssentialACR) ||
			!reflect.DeepEqual(resumed.Claims, a.Claims) || resumed.HintSubject != a.HintSubject ||
			resumed.AsksSubject != a.AsksSubject {
			t.Fatalf("%q is %+v, and after the pages %+v, %v", claims, a, resumed, err)
		}
	})
}

// textsOf are the texts in JSON, and "" where there is a null, which Go reads as one.
func textsOf(encoded string) (texts []string) {
	decoder := json.NewDecoder(strings.NewReader(encoded))
	for {
		token, err := decoder.Token()
		if err != nil {
			return texts
		}
		if text, ok := token.(string); ok {
			texts = append(texts, text)
		}
		if token == nil {
			texts = append(texts, "")
		}
	}
}

// A request is taken up again only as it was sealed, and what was answered meanwhile counts in its browser alone. %R is
// such a request.
func FuzzResume(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	h.Add(f, fuzzClients()[0])
	a, err := h.Authorize.Read(f.Context(), url.Values{
		"client_id": {"web"}, "redirect_uri": {"https://app.example.com/cb"}, "response_type": {"code"}, "scope": {"openid"},
	})
	if err != nil {
		f.Fatal(err)
	}
	a.Selected = true
	sealed := h.Authorize.Suspend(a, "browser")
	want, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		"", "%R", "%R=", " %R", "%RA", "%R%R", "%R\n", "AAAA", "%r", "\xff", strings.Repeat("A", 100_000),
	} {
		f.Add(text, "browser")
	}
	f.Add("%R", "")
	f.Add("%R", "Browser")
	f.Fuzz(func(t *testing.T, recipe, browser string) {
		text := strings.ReplaceAll(recipe, "%R", sealed)
		resumed, err := h.Authorize.Resume(t.Context(), text, browser)
		if err != nil {
			if !errors.Is(err, authorize.ErrInteraction) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		got, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || !bytes.Equal(got, want) || resumed.RedirectURI != a.RedirectURI ||
			resumed.Selected != (browser == "browser") {
			t.Fatalf("%q of the browser %q is taken up as %+v", text, browser, resumed)
		}
	})
}

// Anything encrypted for us, and anything at all with four dots: no fault, and nothing is taken that the client has not
// signed by the algorithm that it is registered for.
func FuzzEncryptedRequestObject(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	key, _ := signingApp(f, h, "app", func(c *clients.Client) {
		c.RequestObjectAlg, c.RequestEncryption.Alg, c.RequestEncryption.Enc = "ES256", "ECDH-ES", "A128GCM"
	})
	plain := string(asked(f, h, "app", nil))
	good := encryptedFor(f, h, jose.ECDH_ES, jose.A128GCM, "JWT", signed(f, key, "", []byte(plain)))
	for _, content := range []string{
		plain, "", "{}", "..", "....", unsigned(`{"alg":"none"}`, []byte(plain)), unsigned(`{"alg":"HS256"}`, []byte(plain)), good,
	} {
		f.Add(content, "JWT", 0)
		f.Add(content, "", 1)
		f.Add(good, content, 2)
	}
	f.Add(plain, "oauth-authz-req+jwt", 1)
	header, rest, _ := strings.Cut(good, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		f.Fatal(err)
	}
	for _, change := range []string{`{"zip":"DEF",`, `{"kid":"",`, `{"epk":{},`, `{"alg":"dir",`, `{"enc":"A256GCM",`, `{"crit":["x"],`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(change+string(decoded[1:])))+"."+rest, "", 2)
	}
	f.Fuzz(func(t *testing.T, content, typ string, how int) {
		var object string
		switch how {
		case 0: // the app encrypts what it has signed
			object = encryptedFor(t, h, jose.ECDH_ES, jose.A128GCM, "JWT", signed(t, key, typ, []byte(content)))
		case 1: // anybody encrypts anything
			object = encryptedFor(t, h, jose.ECDH_ES, jose.A128GCM, typ, content)
		default: // somebody changes what was encrypted
			object = content
		}
		a, err := h.Authorize.Read(t.Context(), url.Values{"client_id": {"app"}, "request": {object}})
		if err == nil {
			if how != 0 && object != good || a.RedirectURI != "https://app.example.com/" {
				t.Fatalf("taken: %+v", a)
			}
			return
		}
		if code, _ := told(t, err); code == "server_error" || code == "" {
			t.Fatalf("a fault: %v", err)
		}
	})
}
