package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// spoilings are the ways in which a parameter goes wrong. Each makes the values to send from the one that would be right.
var spoilings = map[string]func(right string) []string{
	"missing":    func(string) []string { return nil },
	"empty":      func(string) []string { return []string{""} },
	"doubled":    func(right string) []string { return []string{right, right} },
	"endless":    func(string) []string { return []string{strings.Repeat("a", 10<<10)} },
	"charset":    func(right string) []string { return []string{right + "\xff"} },
	"NUL":        func(right string) []string { return []string{right + "\x00"} },
	"new line":   func(right string) []string { return []string{right + "\r\nX-Evil: 1"} },
	"wrong type": func(string) []string { return []string{`{"a":[1]}`} },
	"other case": func(right string) []string { return []string{swapCase(right)} },
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// clientKind is a way to be a client.
type clientKind struct {
	harness.Client
	key *ecdsa.PrivateKey // of private_key_jwt
}

// clientKinds registers a client of every kind. They are trusted, so that what is in order ends in a code and not at a
// page.
func clientKinds(t testing.TB, h *harness.Server) map[string]clientKind {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]clientKind{}
	for name, change := range map[string]func(*clients.Client){
		"post":    func(*clients.Client) {},
		"basic":   func(c *clients.Client) { c.AuthMethod = clients.AuthBasic },
		"public":  func(c *clients.Client) { c.AuthMethod = clients.AuthNone },
		"signing": func(c *clients.Client) { c.AuthMethod, c.JWKS = clients.AuthPrivateKeyJWT, jwks },
		"several": func(c *clients.Client) {
			c.RedirectURIs = []string{harness.RedirectURI, harness.RedirectURI + "?tenant=1", "https://app.example.com/cb"}
		},
		"native": func(c *clients.Client) {
			c.AuthMethod, c.RedirectURIs = clients.AuthNone, []string{"http://127.0.0.1/callback"}
		},
		"machine": func(c *clients.Client) { c.GrantTypes, c.RedirectURIs = []string{oidc.GrantClientCredentials}, nil },
	} {
		client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true; change(c) })
		kinds[name] = clientKind{client, key}
	}
	return kinds
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)

// verdict is what an authorization request came to: "page" where only the person hears of it, a path of our own, "code",
// or an error code. It checks what every answer must keep to.
func verdict(t testing.TB, client harness.Client, response harness.Page, state []string) string {
	t.Helper()
	if response.StatusCode >= 500 {
		t.Errorf("%s\n%s", response.Status, response.Text)
	}
	location := response.Header.Get("Location")
	if strings.ContainsAny(location, "\r\n") || response.Header.Get("X-Evil") != "" {
		t.Errorf("a header was split: %q", location)
	}
	var to string
	var parameters url.Values
	switch {
	case location != "" && strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//") && !strings.HasPrefix(location, "/\\"):
		path, _, _ := strings.Cut(location, "?")
		return path
	case location != "":
		parsed, err := url.Parse(location)
		if err != nil {
			t.Fatalf("redirect to %q: %v", location, err)
		}
		text := parsed.RawQuery
		if parsed.Fragment != "" {
			text = parsed.EscapedFragment()
		}
		if parameters, err = url.ParseQuery(text); err != nil {
			t.Fatalf("redirect to %q: %v", location, err)
		}
		for _, registered := range client.RedirectURIs { // the longest that fits
			if rest, ok := strings.CutPrefix(location, registered); ok && strings.ContainsAny(rest[:1], "?&#") && len(registered) > len(to) {
				to = registered
			}
		}
		if native := "http://127.0.0.1:50123/callback"; strings.HasPrefix(location, native+"?") && slices.Contains(client.RedirectURIs, "http://127.0.0.1/callback") {
			to = native
		}
	case response.StatusCode == http.StatusOK && strings.Contains(response.Text, `name="iss"`):
		if action := formAction.FindStringSubmatch(response.Text); action != nil && slices.Contains(client.RedirectURIs, html.UnescapeString(action[1])) {
			to = action[1]
		}
		parameters = url.Values{}
		for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(response.Text, -1) {
			parameters.Add(field[1], html.UnescapeString(field[2]))
		}
	default:
		if response.StatusCode < 400 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			t.Errorf("neither a redirect nor a page that says what is wrong: %s %s", response.Status, response.Header.Get("Content-Type"))
		}
		return "page"
	}
	if to == "" {
		t.Errorf("sent to %q, which is not registered", location)
	}
	if len(parameters["iss"]) != 1 || parameters.Get("iss") == "" {
		t.Errorf("iss %q: RFC 9207", parameters["iss"])
	}
	if len(state) == 1 && state[0] != "" && !slices.Equal(parameters["state"], state) {
		t.Errorf("state %q came back as %q", state, parameters["state"])
	}
	if (len(state) == 0 || state[0] == "") && parameters.Has("state") {
		t.Errorf("a state %q that nobody sent", parameters["state"])
	}
	if text := parameters.Get("error_description"); !isErrorText(text) {
		t.Errorf("error_description %q: RFC 6749, section 4.1.2.1", text)
	}
	if parameters.Get("error") != "" {
		if parameters.Has("code") {
			t.Error("an error and a code")
		}
		return parameters.Get("error")
	}
	if parameters.Get("code") == "" {
		t.Errorf("neither a code nor an error: %v", parameters)
	}
	return "code"
}

// isErrorText tells whether text is made of the characters that RFC 6749 allows in error_description.
func isErrorText(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) < 0
}

// authorizeSpoiled says what a spoiled parameter of an authorization request comes to. What is not named works.
func authorizeSpoiled(kind, parameter, spoiling string) string {
	if kind == "machine" { // it has no redirect URI, so there is nobody to tell
		return "page"
	}
	left := spoiling == "missing" || spoiling == "empty"
	switch {
	case spoiling == "endless" || spoiling == "charset" || spoiling == "NUL":
		return "page"
	case parameter == "client_id":
		return "page"
	case parameter == "redirect_uri" && left && kind == "several":
		return "page"
	case parameter == "redirect_uri" && left:
		return "invalid_request" // OpenID Connect wants it always
	case parameter == "redirect_uri":
		return "page"
	case spoiling == "doubled":
		return "invalid_request" // RFC 6749, section 3.1
	}
	switch parameter {
	case "response_type":
		if left {
			return "invalid_request"
		}
		return "unsupported_response_type"
	case "code_challenge":
		if spoiling == "other case" { // is a digest too
			return "code"
		}
		return "invalid_request"
	case "code_challenge_method":
		return "invalid_request"
	case "response_mode", "prompt", "id_token_hint":
		if !left {
			return "invalid_request"
		}
	case "max_age":
		if !left && spoiling != "other case" { // a number has none
			return "invalid_request"
		}
	case "scope":
		if spoiling == "new line" { // what is before it is a scope still; what nobody knows is left out
			return "code"
		}
		if !left {
			return "invalid_scope"
		}
	case "claims":
		if spoiling == "new line" { // then it is no JSON
			return "invalid_request"
		}
	case "request", "request_uri", "registration":
		if !left {
			return parameter + "_not_supported"
		}
	}
	return "code"
}

func TestSpoiledAuthorizationRequests(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds, b := clientKinds(t, h), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		hint := h.Redeem(t, kinds["post"].Client, b.Code(t, kinds["post"].Client, nil)).Text("id_token")
		for kind, client := range kinds {
			right := url.Values{
				"client_id": {client.ID}, "redirect_uri": {harness.RedirectURI}, "response_type": {"code"}, "response_mode": {"query"}, "scope": {"openid profile"},
				"state": {"The State"}, "nonce": {"n"}, "prompt": {"consent"}, "max_age": {"10000"}, "login_hint": {"alice"}, "id_token_hint": {hint}, "acr_values": {"x y"},
				"code_challenge": {harness.CodeChallenge}, "code_challenge_method": {"S256"}, "display": {"popup"}, "ui_locales": {"de en"}, "claims": {"{}"}, "unknown": {"u"},
			}
			if kind == "native" {
				right.Set("redirect_uri", "http://127.0.0.1:50123/callback")
			}
			ask := func(t *testing.T, form url.Values) string {
				t.Helper()
				response, err := b.WithoutRedirects().Get(h.Issuer + oidc.PathAuthorize + "?" + form.Encode())
				return verdict(t, client.Client, harness.ReadPage(t, response, err), form["state"])
			}
			t.Run(kind, func(t *testing.T) {
				if got, want := ask(t, right), authorizeSpoiled(kind, "", ""); got != want {
					t.Fatalf("what is in order: %s, want %s", got, want)
				}
				for _, parameter := range append(slices.Collect(maps.Keys(right)), "request", "request_uri", "registration") {
					for spoiling, spoil := range spoilings {
						form := maps.Clone(right)
						form[parameter] = spoil(right.Get(parameter))
						if !right.Has(parameter) && (spoiling == "doubled" || spoiling == "other case") {
							form[parameter] = spoil("Xy")
						}
						t.Run(parameter+" "+spoiling, func(t *testing.T) {
							if got, want := ask(t, form), authorizeSpoiled(kind, parameter, spoiling); got != want {
								t.Errorf("%s, want %s", got, want)
							}
						})
					}
				}
			})
		}
	})
}

// Each response mode carries refusals as it carries codes, and what is posted is read as what is asked for by a link.
func TestRefusalsTravelInTheResponseModeThatWasAskedFor(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true }), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for _, mode := range []string{"query", "fragment", "form_post"} {
			for want, change := range map[string]url.Values{
				"code": {}, "invalid_scope": {"scope": {"nonsense"}}, "invalid_request": {"prompt": {"none login"}}, "unsupported_response_type": {"response_type": {"token"}},
			} {
				change.Set("response_mode", mode)
				asked, err := url.Parse(h.AuthorizeURL(client, change))
				if err != nil {
					t.Fatal(err)
				}
				shown := b.Get(t, asked.String())
				if got := verdict(t, client, shown, []string{"the-state"}); got != want {
					t.Errorf("%s: %s, want %s", mode, got, want)
				}
				location := shown.Header.Get("Location")
				if byForm := location == ""; byForm != (mode == "form_post") || !byForm && strings.Contains(location, "#") != (mode == "fragment") {
					t.Errorf("%s: travels as %q", mode, location)
				}
				if got := verdict(t, client, b.Post(t, oidc.PathAuthorize, asked.Query()), []string{"the-state"}); got != want {
					t.Errorf("%s, posted: %s, want %s", mode, got, want)
				}
			}
		}
	})
}

func TestWhoIsNotSignedInHearsTheSameOfABadRequest(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		for want, change := range map[string]url.Values{
			"/sign-in": {}, "login_required": {"prompt": {"none"}}, "invalid_request": {"max_age": {"soon"}}, "page": {"redirect_uri": {"https://evil.example/"}},
		} {
			response, err := h.NewBrowser(t).WithoutRedirects().Get(h.AuthorizeURL(client, change))
			if got := verdict(t, client, harness.ReadPage(t, response, err), []string{"the-state"}); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
}

// What arrives at /authorize in a shape that is no request at all.
func TestAuthorizationRequestsThatCannotBeRead(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		valid := strings.TrimPrefix(h.AuthorizeURL(client, nil), h.Issuer+oidc.PathAuthorize+"?")
		send := func(method, query, kind, body string) harness.Page {
			request, err := http.NewRequest(method, h.Issuer+oidc.PathAuthorize, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.URL.RawQuery = query
			request.Header.Set("Content-Type", kind)
			response, err := h.NewBrowser(t).WithoutRedirects().Do(request)
			return harness.ReadPage(t, response, err)
		}
		const form = "application/x-www-form-urlencoded"
		for name, c := range map[string]struct {
			method, query, kind, body string
			status                    int
		}{
			"half an escape":         {"GET", valid + "&x=%", "", "", 400},
			"a bad escape":           {"GET", valid + "&x=%zz", "", "", 400},
			"a semicolon":            {"GET", valid + ";x=1", "", "", 400},
			"a forged interaction":   {"GET", "interaction=" + strings.Repeat("A", 200), "", "", 400},
			"no base64":              {"GET", "interaction=***", "", "", 400},
			"JSON":                   {"POST", "", "application/json", `{"client_id":"x"}`, 400},
			"a multipart form":       {"POST", "", "multipart/form-data; boundary=x", "--x--", 400},
			"no content type":        {"POST", "", "", valid, 400},
			"a body that is too big": {"POST", "", form, valid + "&x=" + strings.Repeat("a", 70<<10), 400},
			"the query of a POST":    {"POST", valid, form, "", 400}, // only the body counts
			"PUT":                    {"PUT", valid, form, "", 405},
			"DELETE":                 {"DELETE", valid, "", "", 405},
		} {
			shown := send(c.method, c.query, c.kind, c.body)
			if shown.StatusCode != c.status || shown.Header.Get("Location") != "" || !strings.HasPrefix(shown.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: %s to %q", name, shown.Status, shown.Header.Get("Location"))
			}
		}
		// A suspended request is good as it is or not at all.
		response, err := h.NewBrowser(t).WithoutRedirects().Get(h.AuthorizeURL(client, nil))
		shown := harness.ReadPage(t, response, err)
		location, err := shown.Location()
		if err != nil {
			t.Fatal(err)
		}
		sealed := []byte(location.Query().Get("continue"))
		if got := send("GET", "interaction="+string(sealed), "", ""); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("a suspended request is not taken up: %s", got.Status)
		}
		for _, i := range []int{0, len(sealed) / 2, len(sealed) - 3} {
			changed := slices.Clone(sealed)
			changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
			for _, path := range []string{"/authorize?interaction=", "/sign-in?continue=", "/consent?continue=", "/select-account?continue="} {
				if got := h.NewBrowser(t).Get(t, path+string(changed)); got.StatusCode != http.StatusBadRequest {
					t.Errorf("%s with byte %d changed: %s", path, i, got.Status)
				}
			}
		}
	})
}

// prove makes a request's proof of who the client is: parameters and the header Authorization.
func (k clientKind) prove(t testing.TB, issuer string, form url.Values) (header string) {
	t.Helper()
	switch k.AuthMethod {
	case clients.AuthBasic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(k.ID+":"+k.Secret))
	case clients.AuthPost:
		form.Set("client_id", k.ID)
		form.Set("client_secret", k.Secret)
	case clients.AuthNone:
		form.Set("client_id", k.ID)
	case clients.AuthPrivateKeyJWT:
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.key, KeyID: "k"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: k.ID, Subject: k.ID, Audience: jwt.Audience{issuer}, ID: rand.Text(), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute))}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", signed)
	}
	return ""
}

// postForm posts a form to an endpoint for apps and checks what every answer of one must keep to.
func postForm(t testing.TB, h *harness.Server, path, authorization string, form url.Values) harness.Answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	return answerOf(t, h, request)
}

func answerOf(t testing.TB, h *harness.Server, request *http.Request) harness.Answer {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	shown := harness.ReadPage(t, response, err)
	got := harness.Answer{Status: shown.StatusCode, Header: shown.Header}
	if shown.StatusCode >= 500 {
		t.Errorf("%s: %s", shown.Status, shown.Text)
	}
	if shown.Header.Get("Location") != "" || shown.Header.Get("Set-Cookie") != "" {
		t.Errorf("an app is redirected to %q or given a cookie %q", shown.Header.Get("Location"), shown.Header.Get("Set-Cookie"))
	}
	if cache := shown.Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("%s: Cache-Control %q", request.URL.Path, cache)
	}
	if shown.Text == "" {
		return got
	}
	if kind := shown.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("%s: Content-Type %q", request.URL.Path, kind)
	}
	if err := json.Unmarshal([]byte(shown.Text), &got.JSON); err != nil {
		t.Errorf("%s: %v in %q", request.URL.Path, err, shown.Text)
	}
	if text := got.Text("error_description"); !isErrorText(text) {
		t.Errorf("error_description %q: RFC 6749, section 5.2", text)
	}
	if (got.Text("error") == "") != (got.Status < 400) {
		t.Errorf("%d with the error %q", got.Status, got.Text("error"))
	}
	return got
}

// tokenSpoiled says what a spoiled parameter of a token request comes to; "" is success.
func tokenSpoiled(kind, grant, parameter, spoiling string) string {
	left := spoiling == "missing" || spoiling == "empty"
	switch {
	case spoiling == "endless" || spoiling == "charset" || spoiling == "NUL" || spoiling == "doubled":
		return "invalid_request"
	case parameter == "grant_type" && left:
		return "invalid_request"
	case parameter == "grant_type":
		return "unsupported_grant_type"
	case parameter == "client_id" && (kind == "basic" || kind == "signing") && left:
		return ""
	case parameter == "client_id" || parameter == "client_assertion" || parameter == "client_assertion_type":
		return "invalid_client"
	case parameter == "client_secret" && left && kind != "post":
		return ""
	case parameter == "client_secret":
		return "invalid_client"
	case (parameter == "code" || parameter == "refresh_token") && left:
		return "invalid_request"
	case parameter == "code" || parameter == "refresh_token" || parameter == "redirect_uri" || parameter == "code_verifier":
		return "invalid_grant"
	case parameter == "scope" && !left && grant != oidc.GrantCode: // a code has its scopes
		return "invalid_scope"
	}
	return ""
}

func TestSpoiledTokenRequests(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds, b := clientKinds(t, h), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for _, kind := range []string{"post", "basic", "public", "signing"} {
			client := kinds[kind]
			// What is needed to be right is made when the last one is used up.
			var code, refreshToken string
			right := func(grant string) (string, url.Values) {
				form := url.Values{"grant_type": {grant}, "unknown": {"u"}}
				switch grant {
				case oidc.GrantCode:
					if code == "" {
						code = b.Code(t, client.Client, nil)
					}
					form["code"], form["redirect_uri"], form["code_verifier"] = []string{code}, []string{harness.RedirectURI}, []string{harness.CodeVerifier}
				case oidc.GrantRefreshToken:
					if refreshToken == "" {
						form := url.Values{"grant_type": {oidc.GrantCode}, "code": {b.Code(t, client.Client, nil)}, "redirect_uri": {harness.RedirectURI}, "code_verifier": {harness.CodeVerifier}}
						header := client.prove(t, h.Issuer, form)
						refreshToken = postForm(t, h, oidc.PathToken, header, form).Text("refresh_token")
					}
					form["refresh_token"], form["scope"] = []string{refreshToken}, []string{"openid"}
				case oidc.GrantClientCredentials:
					form["scope"] = []string{"profile"}
				}
				return client.prove(t, h.Issuer, form), form
			}
			for _, grant := range client.GrantTypes {
				header, form := right(grant)
				if got := postForm(t, h, oidc.PathToken, header, form); got.Status != http.StatusOK {
					t.Fatalf("%s, %s, what is in order: %d %v", kind, grant, got.Status, got.JSON)
				}
				code, refreshToken = "", ""
				parameters := slices.Collect(maps.Keys(form))
				for _, parameter := range append(parameters, "client_id", "client_secret", "scope") {
					for spoiling, spoil := range spoilings {
						t.Run(fmt.Sprintf("%s %s %s %s", kind, grant, parameter, spoiling), func(t *testing.T) {
							header, form := right(grant)
							value := form.Get(parameter)
							if value == "" {
								value = "Xy"
							}
							form[parameter] = spoil(value)
							got, want := postForm(t, h, oidc.PathToken, header, form), tokenSpoiled(kind, grant, parameter, spoiling)
							status := http.StatusBadRequest
							switch want {
							case "":
								status, code, refreshToken = http.StatusOK, "", ""
							case "invalid_client":
								status = http.StatusUnauthorized
							}
							if got.Text("error") != want || got.Status != status {
								t.Errorf("%d %v, want %d %q", got.Status, got.JSON, status, want)
								code, refreshToken = "", ""
							}
						})
					}
				}
			}
		}
	})
}

// A mistake at the token endpoint costs nothing: the code still works for who sends it rightly.
func TestARefusedCodeIsNotUsedUp(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, nil)
		code := h.NewBrowser(t).Code(t, client, nil)
		right := url.Values{"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI}, "code_verifier": {harness.CodeVerifier}}
		for name, c := range map[string]struct {
			client harness.Client
			change url.Values
		}{
			"another client":         {other, nil},
			"another redirect_uri":   {client, url.Values{"redirect_uri": {harness.RedirectURI + "/"}}},
			"no redirect_uri":        {client, url.Values{"redirect_uri": nil}},
			"another verifier":       {client, url.Values{"code_verifier": {strings.Repeat("x", 43)}}},
			"no verifier":            {client, url.Values{"code_verifier": nil}},
			"the challenge itself":   {client, url.Values{"code_verifier": {harness.CodeChallenge}}},
			"a verifier that is cut": {client, url.Values{"code_verifier": {harness.CodeVerifier[:42]}}},
		} {
			form := maps.Clone(right)
			maps.Copy(form, c.change)
			if got := h.Call(t, oidc.PathToken, c.client, form); got.Text("error") != "invalid_grant" || got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
		if got := h.Redeem(t, client, code); got.Status != http.StatusOK {
			t.Errorf("after the mistakes of others: %d %v", got.Status, got.JSON)
		}
	})
}

func TestTokenRequestsThatCannotBeRead(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		body := url.Values{"grant_type": {oidc.GrantClientCredentials}, "client_id": {client.ID}, "client_secret": {client.Secret}}.Encode()
		const form = "application/x-www-form-urlencoded"
		for _, path := range []string{oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke} {
			for name, c := range map[string]struct{ kind, query, body string }{
				"JSON":                {"application/json", "", `{"grant_type":"client_credentials"}`},
				"a multipart form":    {"multipart/form-data; boundary=x", "", "--x--"},
				"no content type":     {"", "", body},
				"a bad content type":  {";;;", "", body},
				"too much":            {form, "", body + "&x=" + strings.Repeat("a", 70<<10)},
				"a bad escape":        {form, "", body + "&x=%zz"},
				"a semicolon":         {form, "", body + ";x=1"},
				"a name that is NUL":  {form, "", body + "&%00=1"},
				"an endless name":     {form, "", body + "&" + strings.Repeat("a", 300) + "=1"},
				"lines in a name":     {form, "", body + "&a%0d%0ab=" + strings.Repeat("a", 9000)},
				"lines in a doubled":  {form, "", body + "&a%0d%0ab=1&a%0d%0ab=2"},
				"quotes in a doubled": {form, "", body + "&%22=1&%22=2"},
			} {
				request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", c.kind)
				if got := answerOf(t, h, request); got.Status != http.StatusBadRequest || got.Text("error") != "invalid_request" {
					t.Errorf("%s, %s: %d %v", path, name, got.Status, got.JSON)
				}
			}
			// Secrets in a URL end up in logs: RFC 6749, section 2.3.1.
			request, err := http.NewRequest(http.MethodPost, h.Issuer+path+"?"+body, strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", form)
			if got := answerOf(t, h, request); got.Status < 400 {
				t.Errorf("%s takes the query for a body: %d", path, got.Status)
			}
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
				request, err := http.NewRequest(method, h.Issuer+path+"?"+body, nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := http.DefaultClient.Do(request)
				if shown := harness.ReadPage(t, response, err); shown.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(shown.Header.Get("Allow"), "POST") {
					t.Errorf("%s %s: %s, Allow %q", method, path, shown.Status, shown.Header.Get("Allow"))
				}
			}
		}
	})
}

func TestClientAuthenticationThatIsWrong(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds := clientKinds(t, h)
		post, basic, public, signing := kinds["post"], kinds["basic"], kinds["public"], kinds["signing"]
		header := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
		good := header(basic.ID + ":" + basic.Secret)
		token := url.Values{"grant_type": {oidc.GrantClientCredentials}, "token": {"x"}}
		type attempt struct {
			authorization string
			form          url.Values
			challenge     bool
		}
		wrong := map[string]attempt{
			"nobody":                              {"", url.Values{}, false},
			"another scheme":                      {"Digest x", url.Values{}, false},
			"Basic of nothing":                    {"Basic ", url.Values{}, true},
			"Basic that is no base64":             {"Basic ***", url.Values{}, true},
			"Basic without a colon":               {header("x"), url.Values{}, true},
			"Basic with a bad escape":             {header("%zz:x"), url.Values{}, true},
			"Basic with a NUL":                    {header("%00:x"), url.Values{}, true},
			"Basic that is not UTF-8":             {header("\xff:x"), url.Values{}, true},
			"Basic of nobody":                     {header(":x"), url.Values{}, true},
			"Basic with a wrong secret":           {header(basic.ID + ":wrong"), url.Values{}, true},
			"Basic without a secret":              {header(basic.ID + ":"), url.Values{}, true},
			"Basic of an unknown client":          {header("unknown:wrong"), url.Values{}, true},
			"Basic for a client that posts":       {header(post.ID + ":" + post.Secret), url.Values{}, true},
			"Basic for a public client":           {header(public.ID + ":"), url.Values{}, true},
			"Basic for a client that signs":       {header(signing.ID + ":x"), url.Values{}, true},
			"Basic and client_id of another":      {good, url.Values{"client_id": {post.ID}}, true},
			"Basic and a secret":                  {good, url.Values{"client_secret": {basic.Secret}}, true},
			"Basic and an assertion":              {good, url.Values{"client_assertion": {"x"}, "client_assertion_type": {"y"}}, true},
			"a wrong secret":                      {"", url.Values{"client_id": {post.ID}, "client_secret": {"wrong"}}, false},
			"no secret":                           {"", url.Values{"client_id": {post.ID}}, false},
			"an unknown client":                   {"", url.Values{"client_id": {"unknown"}, "client_secret": {"wrong"}}, false},
			"an unknown client without a secret":  {"", url.Values{"client_id": {"unknown"}}, false},
			"a secret of nobody":                  {"", url.Values{"client_secret": {post.Secret}}, false},
			"another's secret":                    {"", url.Values{"client_id": {post.ID}, "client_secret": {basic.Secret}}, false},
			"posted by a client for Basic":        {"", url.Values{"client_id": {basic.ID}, "client_secret": {basic.Secret}}, false},
			"posted by a public client":           {"", url.Values{"client_id": {public.ID}, "client_secret": {"x"}}, false},
			"an assertion that is none":           {"", url.Values{"client_assertion": {"x"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}, false},
			"an assertion and a secret":           {"", url.Values{"client_id": {post.ID}, "client_secret": {post.Secret}, "client_assertion": {"x"}}, false},
			"a client that signs, with no proof":  {"", url.Values{"client_id": {signing.ID}}, false},
			"a client that signs, with a secret":  {"", url.Values{"client_id": {signing.ID}, "client_secret": {"x"}}, false},
			"the digest of a secret, as a secret": {"", url.Values{"client_id": {post.ID}, "client_secret": {string(base64.RawURLEncoding.EncodeToString(storage.Digest(post.Secret)))}}, false},
		}
		for _, path := range []string{oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke} {
			answers := map[string]string{}
			for name, c := range wrong {
				form := maps.Clone(token)
				maps.Copy(form, c.form)
				got := postForm(t, h, path, c.authorization, form)
				if got.Status != http.StatusUnauthorized || got.Text("error") != "invalid_client" {
					t.Errorf("%s, %s: %d %v", path, name, got.Status, got.JSON)
				}
				if challenge := got.Header.Get("WWW-Authenticate"); strings.HasPrefix(challenge, "Basic ") != c.challenge {
					t.Errorf("%s, %s: WWW-Authenticate %q: RFC 6749, section 5.2", path, name, challenge)
				}
				answers[name] = fmt.Sprint(got.JSON)
			}
			for _, pair := range [][2]string{{"a wrong secret", "an unknown client"}, {"Basic with a wrong secret", "Basic of an unknown client"}} {
				if answers[pair[0]] != answers[pair[1]] {
					t.Errorf("%s: %s and %s are told apart: %s, %s", path, pair[0], pair[1], answers[pair[0]], answers[pair[1]])
				}
			}
			form := maps.Clone(token)
			form.Set("client_id", basic.ID) // repeating it does no harm
			if got := postForm(t, h, path, good, form); got.Status != http.StatusOK {
				t.Errorf("%s, in order: %d %v", path, got.Status, got.JSON)
			}
			// Secrets are form-encoded in the header, schemes mind no case.
			if got := postForm(t, h, path, "bAsIc "+strings.TrimPrefix(header(strings.ReplaceAll(basic.ID, "-", "%2D")+":"+basic.Secret), "Basic "), maps.Clone(token)); got.Status != http.StatusOK {
				t.Errorf("%s, encoded: %d %v", path, got.Status, got.JSON)
			}
		}
		// A grant that a client is not registered for is refused once it is known who asks.
		machine := kinds["machine"]
		if got := h.Call(t, oidc.PathToken, machine.Client, url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {"x"}}); got.Text("error") != "unauthorized_client" || got.Status != 400 {
			t.Errorf("another grant: %d %v", got.Status, got.JSON)
		}
		if got := h.Call(t, oidc.PathToken, public.Client, url.Values{"grant_type": {oidc.GrantClientCredentials}}); got.Text("error") != "unauthorized_client" || got.Status != 400 {
			t.Errorf("a public client's own credentials: %d %v", got.Status, got.JSON)
		}
	})
}

// RFC 7662 and RFC 7009: who asks about what.
func TestIntrospectionAndRevocationOfBadTokens(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, nil)
		public := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil))
		access, refreshToken, id := tokens.Text("access_token"), tokens.Text("refresh_token"), tokens.Text("id_token")
		if got := h.Call(t, oidc.PathIntrospect, public, url.Values{"token": {access}}); got.Status != http.StatusUnauthorized || got.Text("error") != "invalid_client" {
			t.Errorf("a public client asks: %d %v", got.Status, got.JSON)
		}
		for name, token := range map[string]string{
			"nonsense": "nonsense", "an ID token": id, "a changed token": access[:len(access)-6] + "AAAAAA", "no signature": access[:strings.LastIndexByte(access, '.')+1],
			"another's refresh token": "", "lines": "a\r\nb", "dots": "..",
		} {
			asker := client
			if name == "another's refresh token" {
				asker, token = other, refreshToken
			}
			if got := h.Call(t, oidc.PathIntrospect, asker, url.Values{"token": {token}}); got.Status != http.StatusOK || fmt.Sprint(got.JSON) != "map[active:false]" {
				t.Errorf("introspect %s: %d %v", name, got.Status, got.JSON)
			}
		}
		for _, path := range []string{oidc.PathIntrospect, oidc.PathRevoke} {
			for name, values := range map[string][]string{"missing": nil, "empty": {""}, "doubled": {access, access}, "endless": {strings.Repeat("a", 10<<10)}, "charset": {"\xff"}, "NUL": {"a\x00"}} {
				if got := h.Call(t, path, client, url.Values{"token": values}); got.Status != http.StatusBadRequest || got.Text("error") != "invalid_request" {
					t.Errorf("%s, token %s: %d %v", path, name, got.Status, got.JSON)
				}
			}
		}
		for name, token := range map[string]string{"an access token": access, "a refresh token": refreshToken} {
			if got := h.Call(t, oidc.PathRevoke, other, url.Values{"token": {token}}); got.Status != http.StatusBadRequest || got.Text("error") != "invalid_grant" {
				t.Errorf("another client revokes %s: %d %v", name, got.Status, got.JSON)
			}
		}
		for _, token := range []string{"nonsense", id, "a\r\nb"} { // revoked, as far as anyone can tell
			if got := h.Call(t, oidc.PathRevoke, client, url.Values{"token": {token}, "token_type_hint": {"nonsense"}}); got.Status != http.StatusOK || len(got.JSON) != 0 {
				t.Errorf("revoke %.20q: %d %v", token, got.Status, got.JSON)
			}
		}
		if got := h.Call(t, oidc.PathIntrospect, other, url.Values{"token": {access}, "token_type_hint": {"refresh_token"}}); got.JSON["active"] != true {
			t.Errorf("after all that the access token is void: %v", got.JSON)
		}
		if got := h.Refresh(t, client, refreshToken); got.Status != http.StatusOK {
			t.Errorf("after all that the refresh token is void: %v", got.JSON)
		}
	})
}

func TestUserinfoTakesATokenInItsPlaceOnly(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil))
		access := tokens.Text("access_token")
		machine := h.Call(t, oidc.PathToken, client, url.Values{"grant_type": {oidc.GrantClientCredentials}}).Text("access_token")
		const form = "application/x-www-form-urlencoded"
		body := url.Values{"access_token": {access}}.Encode()
		for name, c := range map[string]struct {
			method, query, authorization, kind, body string
			status                                   int
			challenge                                string
		}{
			"header":                   {"GET", "", "Bearer " + access, "", "", 200, ""},
			"header, other case":       {"GET", "", "bEARER " + access, "", "", 200, ""},
			"header of a POST":         {"POST", "", "Bearer " + access, "", "", 200, ""},
			"header of a POSTed form":  {"POST", "", "Bearer " + access, form, "x=1", 200, ""},
			"body":                     {"POST", "", "", form, body, 200, ""},
			"query":                    {"GET", body, "", "", "", 401, "Bearer"},
			"query of a POST":          {"POST", body, "", form, "", 401, "Bearer"},
			"query of a POST, a form":  {"POST", body, "", form, "x=1", 401, "Bearer"},
			"body of a GET":            {"GET", "", "", form, body, 401, "Bearer"},
			"nowhere":                  {"GET", "", "", "", "", 401, "Bearer"},
			"header and body":          {"POST", "", "Bearer " + access, form, body, 400, ""},
			"header and another body":  {"POST", "", "Bearer " + access, form, "access_token=x", 400, ""},
			"twice in the body":        {"POST", "", "", form, body + "&" + body, 400, ""},
			"Basic":                    {"GET", "", "Basic " + access, "", "", 401, "Bearer"},
			"no scheme":                {"GET", "", access, "", "", 401, "Bearer"},
			"the scheme alone":         {"GET", "", "Bearer", "", "", 401, "Bearer"},
			"nothing after the scheme": {"GET", "", "Bearer  ", "", "", 401, "Bearer"},
			"nonsense":                 {"GET", "", "Bearer nonsense", "", "", 401, `Bearer error="invalid_token"`},
			"two tokens":               {"GET", "", "Bearer " + access + " " + access, "", "", 401, `Bearer error="invalid_token"`},
			"a comma":                  {"GET", "", "Bearer " + access + ",x", "", "", 401, `Bearer error="invalid_token"`},
			"an ID token":              {"GET", "", "Bearer " + tokens.Text("id_token"), "", "", 401, `Bearer error="invalid_token"`},
			"a refresh token":          {"GET", "", "Bearer " + tokens.Text("refresh_token"), "", "", 401, `Bearer error="invalid_token"`},
			"an app's own token":       {"GET", "", "Bearer " + machine, "", "", 403, `Bearer error="insufficient_scope", scope="openid"`},
			"JSON":                     {"POST", "", "", "application/json", `{"access_token":"x"}`, 400, ""},
			"NUL in the body":          {"POST", "", "", form, "access_token=%00", 401, `Bearer error="invalid_token"`},
			"charset in the body":      {"POST", "", "", form, "access_token=%ff", 401, `Bearer error="invalid_token"`},
			"too much":                 {"POST", "", "", form, "access_token=" + strings.Repeat("a", 70<<10), 400, ""},
		} {
			request, err := http.NewRequest(c.method, h.Issuer+oidc.PathUserinfo, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.URL.RawQuery = c.query
			for header, value := range map[string]string{"Authorization": c.authorization, "Content-Type": c.kind} {
				if value != "" {
					request.Header.Set(header, value)
				}
			}
			got := answerOf(t, h, request)
			if got.Status != c.status || got.Status == 200 && got.Text("sub") != h.User.ID.String() || got.Status != 200 && got.Text("sub") != "" {
				t.Errorf("%s: %d %v, want %d", name, got.Status, got.JSON, c.status)
			}
			if challenge := got.Header.Get("WWW-Authenticate"); challenge != c.challenge {
				t.Errorf("%s: WWW-Authenticate %q, want %q", name, challenge, c.challenge)
			}
		}
	})
}

// Every bad combination ends at a page, and never at an address that came with it.
func TestLogoutThatMustNotBeFollowed(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, func(c *clients.Client) { c.PostLogoutRedirectURIs = []string{"https://other.example.com/bye"} })
		b := h.NewBrowser(t)
		hint := h.Redeem(t, client, b.Code(t, client, nil)).Text("id_token")
		parts := strings.Split(hint, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		for name, form := range map[string]url.Values{
			"an unregistered address":             {"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}},
			"a query added":                       {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "?x=1"}},
			"a path added":                        {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "x"}},
			"a fragment added":                    {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "#x"}},
			"other case":                          {"id_token_hint": {hint}, "post_logout_redirect_uri": {strings.ToUpper(harness.LogoutURI)}},
			"the sign-in's address":               {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.RedirectURI}},
			"another client's address":            {"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://other.example.com/bye"}},
			"another client's address and id":     {"id_token_hint": {hint}, "client_id": {other.ID}, "post_logout_redirect_uri": {"https://other.example.com/bye"}},
			"an unknown client":                   {"client_id": {"unknown"}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"nobody":                              {"post_logout_redirect_uri": {harness.LogoutURI}},
			"nobody, with a state":                {"post_logout_redirect_uri": {harness.LogoutURI}, "state": {"s"}},
			"a script":                            {"id_token_hint": {hint}, "post_logout_redirect_uri": {"javascript:alert(1)"}},
			"lines":                               {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "\r\nX-Evil: 1"}},
			"NUL":                                 {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "\x00"}},
			"charset":                             {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + "\xff"}},
			"endless":                             {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI + strings.Repeat("a", 9000)}},
			"twice":                               {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI, "https://evil.example/"}},
			"a hint twice":                        {"id_token_hint": {hint, hint}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a modified hint":                     {"id_token_hint": {parts[0] + "." + encode(strings.Replace(string(payload), client.ID, other.ID, 1)) + "." + parts[2]}, "post_logout_redirect_uri": {"https://other.example.com/bye"}},
			"a modified hint, the same client":    {"id_token_hint": {parts[0] + "." + encode(strings.Replace(string(payload), `"sid"`, `"x":1,"sid"`, 1)) + "." + parts[2]}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a hint without a signature":          {"id_token_hint": {parts[0] + "." + parts[1] + "."}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"alg none":                            {"id_token_hint": {encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + "."}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"alg none, with a key":                {"id_token_hint": {encode(`{"alg":"none","typ":"JWT","kid":"x"}`) + "." + parts[1] + "." + parts[2]}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"an access token as a hint":           {"id_token_hint": {h.Redeem(t, client, b.Code(t, client, nil)).Text("access_token")}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"nonsense as a hint":                  {"id_token_hint": {"nonsense"}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a hint that is not the client's own": {"id_token_hint": {hint}, "client_id": {other.ID}},
		} {
			for _, send := range []func() harness.Page{
				func() harness.Page { return b.Get(t, oidc.PathLogout+"?"+form.Encode()) },
				func() harness.Page { return b.Post(t, oidc.PathLogout, form) },
				func() harness.Page { return b.Post(t, "/logout/confirm", url.Values{"continue": {form.Encode()}}) },
				func() harness.Page { return h.NewBrowser(t).Get(t, oidc.PathLogout+"?"+form.Encode()) }, // nobody is signed in
			} {
				shown := send()
				if shown.StatusCode != http.StatusBadRequest || shown.Header.Get("Location") != "" || shown.Header.Get("X-Evil") != "" || strings.Contains(shown.Text, `href="https://evil`) || strings.Contains(shown.Text, `href="javascript`) {
					t.Errorf("%s: %s to %q", name, shown.Status, shown.Header.Get("Location"))
				}
			}
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, "Alice Example") {
			t.Error("after all that she is signed out")
		}
	})
}

func TestLogoutThatIsFollowed(t *testing.T) {
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		signedIn := func(b *harness.Browser) bool {
			t.Helper()
			return !strings.Contains(b.Get(t, "/account").Text, `id="sign-in"`)
		}
		// With a hint of this very session: at once, and back with the state.
		for name, c := range map[string]struct{ form, want string }{
			"with a state":    {"&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI) + "&state=a%26b%20%23", harness.LogoutURI + "?state=a%26b+%23"},
			"without a state": {"&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI), harness.LogoutURI},
			"to nowhere":      {"", ""},
		} {
			b := h.NewBrowser(t)
			tokens := h.Redeem(t, client, b.Code(t, client, nil))
			shown := b.Get(t, oidc.PathLogout+"?id_token_hint="+tokens.Text("id_token")+c.form)
			if location := shown.Header.Get("Location"); location != c.want || c.want == "" && shown.StatusCode != http.StatusOK {
				t.Errorf("%s: %s to %q, want %q", name, shown.Status, location, c.want)
			}
			if signedIn(b) {
				t.Errorf("%s: still signed in", name)
			}
			if got := h.Refresh(t, client, tokens.Text("refresh_token")); got.Text("error") != "invalid_grant" {
				t.Errorf("%s: the refresh token lives on: %v", name, got.JSON)
			}
		}
		// With a hint of another session of the same person, of another person, or without one: the person is asked.
		first, second := h.NewBrowser(t), h.NewBrowser(t)
		h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password})
		bob := h.NewBrowser(t)
		bob.Post(t, "/sign-in", url.Values{"username": {"bob"}, "password": {harness.Password}})
		firstHint := h.Redeem(t, client, first.Code(t, client, nil)).Text("id_token")
		second.Code(t, client, nil)
		back := "post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI) + "&state=s"
		for name, c := range map[string]struct {
			b     *harness.Browser
			query string
		}{
			"another session":          {second, "id_token_hint=" + firstHint + "&" + back},
			"another person":           {bob, "id_token_hint=" + firstHint + "&" + back},
			"no hint":                  {second, "client_id=" + client.ID + "&" + back},
			"no hint and no way back":  {second, "client_id=" + client.ID},
			"nothing at all":           {second, ""},
			"a state and nothing else": {second, "state=s"},
			"unknown parameters":       {second, "logout_hint=alice&ui_locales=de&x=1"},
		} {
			shown := c.b.Get(t, oidc.PathLogout+"?"+c.query)
			if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, `id="sign-out"`) {
				t.Errorf("%s: nobody is asked: %s to %q", name, shown.Status, shown.Header.Get("Location"))
			}
			if !signedIn(c.b) {
				t.Fatalf("%s: signed out without being asked", name)
			}
		}
		if !signedIn(first) {
			t.Error("a hint in another browser ended the session that it names")
		}
		// And the answer is kept to.
		shown := second.Get(t, oidc.PathLogout+"?client_id="+client.ID+"&"+back)
		shown = second.Post(t, "/logout/confirm", url.Values{"continue": {html.UnescapeString(shown.Continue())}})
		if shown.Header.Get("Location") != harness.LogoutURI+"?state=s" || signedIn(second) {
			t.Errorf("confirmed: %s to %q", shown.Status, shown.Header.Get("Location"))
		}
		// An expired hint names its session all the same; a visitor's browser with nothing sees a page.
		if shown := h.NewBrowser(t).Get(t, oidc.PathLogout); shown.StatusCode != http.StatusOK || shown.Header.Get("Location") != "" {
			t.Errorf("nobody and nothing: %s", shown.Status)
		}
	})
}

// Nothing that can be posted to /token is a fault of ours.
func FuzzTokenForm(f *testing.F) {
	h := harness.Start(f, storagetest.URL(f, storage.SQLite))
	const secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	client := &clients.Client{ID: "app", Name: "App", AuthMethod: clients.AuthPost, GrantTypes: oidc.GrantTypes, RedirectURIs: []string{harness.RedirectURI}}
	if err := h.Clients.CreateClientWithSecret(f.Context(), client, secret); err != nil {
		f.Fatal(err)
	}
	who := "client_id=app&client_secret=" + secret
	for _, seed := range []string{
		"", "&", "=", "%", "grant_type=client_credentials&" + who, "grant_type=client_credentials&scope=openid+%22&" + who, "grant_type=client_credentials&scope=profile&audience=x&resource=y&resource=z&" + who,
		"grant_type=authorization_code&code=x&redirect_uri=y&code_verifier=z&" + who, "grant_type=authorization_code&code=%00&" + who, "grant_type=refresh_token&refresh_token=x&scope=openid&" + who,
		"grant_type=refresh_token&refresh_token=%ff&" + who, "grant_type=password&username=a&password=b&" + who, "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x&" + who,
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhcHAiLCJzdWIiOiJhcHAifQ.AAAA",
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c", "a%0d%0ab=1&a%0d%0ab=2", "grant_type=authorization_code&code=x&code=y&" + who,
	} {
		f.Add(seed, "")
		f.Add(seed, "Basic "+base64.StdEncoding.EncodeToString([]byte("app:"+secret)))
	}
	f.Add("grant_type=client_credentials", "Basic Og==")
	f.Add("grant_type=client_credentials", "Basic ===")
	f.Fuzz(func(t *testing.T, body, authorization string) {
		request := httptest.NewRequest(http.MethodPost, oidc.PathToken, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", authorization)
		recorder := httptest.NewRecorder()
		h.Handler.ServeHTTP(recorder, request)
		var got struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
			t.Fatalf("%d: %v in %q", recorder.Code, err, recorder.Body)
		}
		if recorder.Code >= 500 || (recorder.Code == http.StatusOK) != (got.AccessToken != "") || (recorder.Code == http.StatusOK) != (got.Error == "") || !isErrorText(got.Description) {
			t.Fatalf("%d %q", recorder.Code, recorder.Body)
		}
		if form, err := url.ParseQuery(body); got.AccessToken != "" && (err != nil || form.Get("client_secret") != secret) {
			t.Fatalf("tokens for %q (%v)", body, err)
		}
	})
}
