package protocol

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// spoiledToken says what a spoiled parameter of a token request comes to: "ok", or an error. Who proves itself by the
// header or by an assertion needs no client_id, and a code has its scopes already.
var spoiledToken = readOutcomes(`
                         left_out        doubled         unreadable      new_line               wrong_type other_case
grant_type               invalid_request invalid_request invalid_request unsupported_grant_type "          "
unknown                  ok              invalid_request invalid_request ok                     "          "
code                     invalid_request invalid_request invalid_request invalid_grant          "          "
redirect_uri             invalid_grant   invalid_request invalid_request invalid_grant          "          "
code_verifier            invalid_grant   invalid_request invalid_request invalid_grant          "          "
refresh_token            invalid_request invalid_request invalid_request invalid_grant          "          "
scope                    ok              invalid_request invalid_request invalid_scope          "          "
scope@authorization_code ok              invalid_request invalid_request ok                     "          "
device_code              invalid_request invalid_request invalid_request invalid_grant          "          "
scope@urn:ietf:params:oauth:grant-type:device_code ok invalid_request invalid_request ok        "          "
client_id                invalid_client  invalid_request invalid_request invalid_client         "          "
client_id@basic          ok              invalid_request invalid_request invalid_client         "          "
client_id@signing        ok              invalid_request invalid_request invalid_client         "          "
client_secret            invalid_client  invalid_request invalid_request invalid_client         "          "
client_secret@basic      ok              invalid_request invalid_request invalid_client         "          "
client_secret@public     ok              invalid_request invalid_request invalid_client         "          "
client_secret@signing    ok              invalid_request invalid_request invalid_client         "          "
client_assertion         invalid_client  invalid_request invalid_request invalid_client         "          "
client_assertion_type    invalid_client  invalid_request invalid_request invalid_client         "          "
`)

func TestSpoiledTokenRequests(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		kinds, b := clientKinds(t, h), h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for _, kind := range []string{"post", "basic", "public", "signing"} {
			client := kinds[kind]
			// What is needed to be right is made when the last one is used up.
			var code, refreshToken, deviceCode string
			right := func(grant string) (string, url.Values) {
				form := url.Values{"grant_type": {grant}, "unknown": {"u"}}
				switch grant {
				case oidc.GrantCode:
					if code == "" {
						code = b.Code(t, client.Client, nil)
					}
					form["code"], form["redirect_uri"] = []string{code}, []string{harness.RedirectURI}
					form["code_verifier"] = []string{harness.CodeVerifier}
				case oidc.GrantRefreshToken:
					if refreshToken == "" {
						form := url.Values{
							"grant_type": {oidc.GrantCode}, "code": {b.Code(t, client.Client, nil)}, "redirect_uri": {harness.RedirectURI},
							"code_verifier": {harness.CodeVerifier},
						}
						header := client.prove(t, h.Issuer, form)
						refreshToken = postForm(t, h, oidc.PathToken, header, form).Text("refresh_token")
					}
					form["refresh_token"], form["scope"] = []string{refreshToken}, []string{"openid"}
				case oidc.GrantClientCredentials:
					form["scope"] = []string{"profile"}
				case oidc.GrantDeviceCode:
					if deviceCode == "" {
						form := url.Values{"scope": {"openid"}}
						header := client.prove(t, h.Issuer, form)
						asked := postForm(t, h, oidc.PathDeviceRequest, header, form)
						b.DecideDevice(t, b.Get(t, asked.Text("verification_uri_complete")), "approve")
						deviceCode = asked.Text("device_code")
					}
					form["device_code"] = []string{deviceCode}
				}
				return client.prove(t, h.Issuer, form), form
			}
			for _, grant := range client.GrantTypes {
				header, form := right(grant)
				if got := postForm(t, h, oidc.PathToken, header, form); got.Status != http.StatusOK {
					t.Fatalf("%s, %s, what is in order: %d %v", kind, grant, got.Status, got.JSON)
				}
				code, refreshToken, deviceCode = "", "", ""
				parameters := slices.Collect(maps.Keys(form))
				for _, parameter := range append(parameters, "client_id", "client_secret", "scope") {
					for name, how := range spoilings {
						t.Run(fmt.Sprintf("%s %s %s %s", kind, grant, parameter, name), func(t *testing.T) {
							header, form := right(grant)
							value := form.Get(parameter)
							if value == "" {
								value = "Xy"
							}
							form[parameter] = how.values(value)
							got, want := postForm(t, h, oidc.PathToken, header, form), spoiledToken.of(t, parameter, how, kind, grant)
							status := http.StatusBadRequest
							switch want {
							case "ok":
								want, status, code, refreshToken, deviceCode = "", http.StatusOK, "", "", ""
							case "invalid_client":
								status = http.StatusUnauthorized
							}
							if got.Text("error") != want || got.Status != status {
								t.Errorf("%d %v, want %d %q", got.Status, got.JSON, status, want)
								code, refreshToken, deviceCode = "", "", ""
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
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, nil)
		code := h.NewBrowser(t).Code(t, client, nil)
		right := url.Values{
			"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
			"code_verifier": {harness.CodeVerifier},
		}
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
			if got := h.Call(t, oidc.PathToken, c.client, form); got.Text("error") != "invalid_grant" ||
				got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
		if got := h.Redeem(t, client, code); got.Status != http.StatusOK {
			t.Errorf("after the mistakes of others: %d %v", got.Status, got.JSON)
		}
	})
}

func TestTokenRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		body := url.Values{
			"grant_type": {oidc.GrantClientCredentials}, "client_id": {client.ID}, "client_secret": {client.Secret},
		}.Encode()
		const form = "application/x-www-form-urlencoded"
		for _, path := range []string{oidc.PathPAR, oidc.PathToken, oidc.PathIntrospect, oidc.PathRevoke} {
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
				if shown := harness.ReadPage(t, response, err); shown.StatusCode != http.StatusMethodNotAllowed ||
					!strings.Contains(shown.Header.Get("Allow"), "POST") {
					t.Errorf("%s %s: %s, Allow %q", method, path, shown.Status, shown.Header.Get("Allow"))
				}
			}
		}
	})
}

// Nothing that can be posted to /token is a fault of ours.
func FuzzTokenForm(f *testing.F) {
	h := harness.Start(f, storagetest.URL(f, storage.SQLite))
	const secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	client := &clients.Client{
		ID: "app", Name: "App", AuthMethod: clients.AuthPost, GrantTypes: oidc.GrantTypes,
		RedirectURIs: []string{harness.RedirectURI},
	}
	if err := h.Clients.CreateClientWithSecret(f.Context(), client, secret); err != nil {
		f.Fatal(err)
	}
	who := "client_id=app&client_secret=" + secret
	for _, seed := range []string{
		"", "&", "=", "%", "grant_type=client_credentials&" + who, "grant_type=client_credentials&scope=openid+%22&" + who,
		"grant_type=client_credentials&scope=profile&audience=x&resource=y&resource=z&" + who,
		"grant_type=authorization_code&code=x&redirect_uri=y&code_verifier=z&" + who,
		"grant_type=authorization_code&code=%00&" + who, "grant_type=refresh_token&refresh_token=x&scope=openid&" + who,
		"grant_type=refresh_token&refresh_token=%ff&" + who, "grant_type=password&username=a&password=b&" + who,
		"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x&" + who,
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhcHAiLCJzdWIiOiJhcHAifQ.AAAA",
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c",
		"a%0d%0ab=1&a%0d%0ab=2", "grant_type=authorization_code&code=x&code=y&" + who,
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
		if recorder.Code >= 500 || (recorder.Code == http.StatusOK) != (got.AccessToken != "") ||
			(recorder.Code == http.StatusOK) != (got.Error == "") || !isErrorText(got.Description) {
			t.Fatalf("%d %q", recorder.Code, recorder.Body)
		}
		if form, err := url.ParseQuery(body); got.AccessToken != "" && (err != nil || form.Get("client_secret") != secret) {
			t.Fatalf("tokens for %q (%v)", body, err)
		}
	})
}
