package protocol

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)

// verdict is what an authorization request came to: "page" where only the person hears of it, a path of our own,
// "code", or an error code. It checks what every answer must keep to.
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
	case location != "" && strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//") &&
		!strings.HasPrefix(location, "/\\"):
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
			if rest, ok := strings.CutPrefix(location, registered); ok && strings.ContainsAny(rest[:1], "?&#") &&
				len(registered) > len(to) {
				to = registered
			}
		}
		if native := "http://127.0.0.1:50123/callback"; strings.HasPrefix(location, native+"?") &&
			slices.Contains(client.RedirectURIs, "http://127.0.0.1/callback") {
			to = native
		}
	case response.StatusCode == http.StatusOK && strings.Contains(response.Text, `name="iss"`):
		if action := formAction.FindStringSubmatch(response.Text); action != nil &&
			slices.Contains(client.RedirectURIs, html.UnescapeString(action[1])) {
			to = action[1]
		}
		parameters = url.Values{}
		for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(response.Text, -1) {
			parameters.Add(field[1], html.UnescapeString(field[2]))
		}
	default:
		if response.StatusCode < 400 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			t.Errorf(
				"neither a redirect nor a page that says what is wrong: %s %s", response.Status,
				response.Header.Get("Content-Type"),
			)
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

// spoiledAuthorization says what a spoiled parameter of an authorization request comes to: "code" where it does no
// harm, "page" where only the person is told, because it is not known whose the redirect URI is; else the error at the
// app.
//
//   - OpenID Connect wants a redirect_uri always, RFC 6749 only where several are registered.
//   - RFC 6749, section 3.1: parameters must not be sent twice.
//   - A code_challenge in other case is a digest too; a number has no case; scopes that nobody knows are left out.
//   - A machine has no redirect URI to go back to.
var spoiledAuthorization = readOutcomes(`
                      left_out        doubled         unreadable new_line                   wrong_type    other_case
client_id             page            page            page       page                       "             "
redirect_uri          invalid_request page            page       page                       "             "
redirect_uri@several  page            page            page       page                       "             "
response_type         invalid_request invalid_request page       unsupported_response_type  "             "
response_mode         code            invalid_request page       invalid_request            "             "
scope                 code            invalid_request page       code                       invalid_scope "
state                 code            invalid_request page       code                       "             "
nonce                 code            invalid_request page       code                       "             "
prompt                code            invalid_request page       invalid_request            "             "
max_age               code            invalid_request page       invalid_request            "             code
login_hint            code            invalid_request page       code                       "             "
id_token_hint         code            invalid_request page       invalid_request            "             "
acr_values            code            invalid_request page       code                       "             "
code_challenge        invalid_request invalid_request page       invalid_request            "             code
code_challenge_method invalid_request invalid_request page       invalid_request            "             "
display               code            invalid_request page       code                       "             "
ui_locales            code            invalid_request page       code                       "             "
claims                code            invalid_request page       invalid_request            code          "
unknown               code            invalid_request page       code                       "             "
request               code            invalid_request page       invalid_request_object     "             "
request_uri           code            invalid_request page       invalid_request_uri        "             "
registration          code            invalid_request page       registration_not_supported "             "
*@machine             page            page            page       page                       "             "
`)

func TestSpoiledAuthorizationRequests(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds, b := clientKinds(t, h), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		hint := h.Redeem(t, kinds["post"].Client, b.Code(t, kinds["post"].Client, nil)).Text("id_token")
		for kind, client := range kinds {
			right := url.Values{
				"client_id": {client.ID}, "redirect_uri": {harness.RedirectURI}, "response_type": {"code"},
				"response_mode": {"query"}, "scope": {"openid profile"},
				"state": {"The State"}, "nonce": {"n"}, "prompt": {"consent"}, "max_age": {"10000"}, "login_hint": {"alice"},
				"id_token_hint": {hint}, "acr_values": {"x y"},
				"code_challenge": {harness.CodeChallenge}, "code_challenge_method": {"S256"}, "display": {"popup"},
				"ui_locales": {"de en"}, "claims": {"{}"}, "unknown": {"u"},
			}
			if kind == "native" {
				right.Set("redirect_uri", "http://127.0.0.1:50123/callback")
			}
			ask := func(t *testing.T, form url.Values) string {
				t.Helper()
				shown := b.Get(t, oidc.PathAuthorize+"?"+form.Encode())
				if strings.Contains(shown.Text, `id="allow"`) { // of those for whom another program could pass
					shown = b.Allow(t, shown)
				}
				if strings.Contains(shown.Text, `id="continue-to-app"`) {
					shown = b.ContinueToApp(t, shown)
				}
				return verdict(t, client.Client, shown, form["state"])
			}
			t.Run(kind, func(t *testing.T) {
				want := "code"
				if kind == "machine" {
					want = "page"
				}
				if got := ask(t, right); got != want {
					t.Fatalf("what is in order: %s, want %s", got, want)
				}
				for _, parameter := range append(slices.Collect(maps.Keys(right)), "request", "request_uri", "registration") {
					for name, how := range spoilings {
						form := maps.Clone(right)
						form[parameter] = how.values(right.Get(parameter))
						if !right.Has(parameter) && (name == "doubled" || name == "other case") {
							form[parameter] = how.values("Xy")
						}
						t.Run(parameter+" "+name, func(t *testing.T) {
							if got, want := ask(t, form), spoiledAuthorization.of(t, parameter, how, kind); got != want {
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
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true }), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for _, mode := range []string{"query", "fragment", "form_post"} {
			for want, change := range map[string]url.Values{
				"code": {}, "invalid_scope": {"scope": {"nonsense"}}, "invalid_request": {"prompt": {"none login"}},
				"unsupported_response_type": {"response_type": {"token"}},
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
				if byForm := location == ""; byForm != (mode == "form_post") || !byForm &&
					strings.Contains(location, "#") != (mode == "fragment") {
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
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		for want, change := range map[string]url.Values{
			"/sign-in": {}, "login_required": {"prompt": {"none"}}, "invalid_request": {"max_age": {"soon"}},
			"page": {"redirect_uri": {"https://evil.example/"}},
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
	t.Parallel()
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
			if shown.StatusCode != c.status || shown.Header.Get("Location") != "" ||
				!strings.HasPrefix(shown.Header.Get("Content-Type"), "text/html") {
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
