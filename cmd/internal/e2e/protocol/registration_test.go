package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// eachRegistering runs test with a server that lets apps register themselves, of each kind of database.
func eachRegistering(t *testing.T, mode registration.Mode, test func(t *testing.T, h *harness.Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		test(t, harness.Start(t, databaseURL, func(c *harness.Config) { c.ClientRegistration = mode }))
	})
}

// registers sends metadata to the registration endpoint, or to that of a client by its registration access token.
func registers(t *testing.T, h *harness.Server, method, path, token string, metadata any) harness.Answer {
	t.Helper()
	body, err := json.Marshal(metadata)
	if text, ok := metadata.(string); ok {
		body, err = []byte(text), nil
	}
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, h.Issuer+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := harness.Answer{Status: response.StatusCode, Header: response.Header}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer.JSON); err != nil {
			t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	return answer
}

type metadata = map[string]any

// RFC 7591 and RFC 7592: an app registers, signs somebody in, changes, and goes.
func TestAnAppRegistersItself(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		got := registers(t, h, http.MethodPost, oidc.PathClients, "", metadata{
			"client_name": "Notes", "redirect_uris": []string{harness.RedirectURI}, "trusted": true, "required_acr": "phr",
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials", "urn:unknown"},
			"scope":       "openid profile roles offline_access admin", "introspects_all": true, "unknown": 1,
			"client_id": "chosen", "contacts": []string{"me@example.com"}, "apis": []string{"https://secret.example"},
			"initiate_login_uri": "https://notes.example/in",
		})
		token, id := got.Text("registration_access_token"), got.Text("client_id")
		if got.Status != http.StatusCreated || id == "" || id == "chosen" || got.Text("client_secret") == "" ||
			got.JSON["client_secret_expires_at"] != 0.0 || token == "" ||
			got.Text("registration_client_uri") != h.Issuer+oidc.PathClients+"/"+id ||
			got.Text("application_type") != "native" || got.Text("scope") != "openid profile offline_access" ||
			fmt.Sprint(got.JSON["grant_types"]) != "[authorization_code refresh_token]" {
			t.Fatalf("%d %v", got.Status, got.JSON)
		}
		for _, name := range []string{"trusted", "required_acr", "introspects_all", "unknown", "apis"} {
			if value, told := got.JSON[name]; told {
				t.Errorf("%s: %v", name, value)
			}
		}
		client := harness.Client{Client: &clients.Client{ID: id}, Secret: got.Text("client_secret")}
		b := h.NewBrowser(t)
		page := b.SignIn(t, b.Get(t, h.AuthorizeURL(client, nil)))
		if !strings.Contains(page.Text, `id="stranger"`) {
			t.Errorf("the person is not told that nobody knows the app:\n%s", page.Text)
		}
		own := oidc.PathClients + "/" + id
		if read := registers(t, h, http.MethodGet, own, token, nil); read.Status != http.StatusOK ||
			read.Text("client_name") != "Notes" || read.Text("initiate_login_uri") != "https://notes.example/in" ||
			read.Text("registration_access_token") != token {
			t.Errorf("read: %d %v", read.Status, read.JSON)
		}
		changed := registers(t, h, http.MethodPut, own, token, metadata{
			"client_id": id, "client_secret": client.Secret, "client_name": "Notes 2", "scope": "openid roles",
			"redirect_uris": []string{harness.RedirectURI, "com.example.notes:/cb"}, "trusted": true,
		})
		if changed.Status != http.StatusOK || changed.Text("client_name") != "Notes 2" || changed.Text("scope") != "openid" ||
			changed.JSON["contacts"] == nil || len(changed.JSON["contacts"].([]any)) != 0 {
			t.Errorf("changed: %d %v", changed.Status, changed.JSON)
		}
		registered, err := h.Clients.ByID(t.Context(), id)
		if err != nil || registered.IsTrusted || registered.Name != "Notes 2" || len(registered.RedirectURIs) != 2 {
			t.Errorf("%+v, %v", registered, err)
		}
		for name, refused := range map[string]metadata{
			"another client":   {"client_id": "else", "redirect_uris": []string{harness.RedirectURI}},
			"no client":        {"redirect_uris": []string{harness.RedirectURI}},
			"a chosen secret":  {"client_id": id, "client_secret": "mine", "redirect_uris": []string{harness.RedirectURI}},
			"a bad redirect":   {"client_id": id, "redirect_uris": []string{"http://evil.example/"}},
			"nothing redirect": {"client_id": id},
			"an http login": {
				"client_id": id, "redirect_uris": []string{harness.RedirectURI}, "initiate_login_uri": "http://notes.example/in",
			},
		} {
			if got := registers(t, h, http.MethodPut, own, token, refused); got.Status != http.StatusBadRequest {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
		operators := h.AddClient(t, nil)
		for name, path := range map[string]string{
			"an operator's client": oidc.PathClients + "/" + operators.ID, "no client": oidc.PathClients + "/nobody",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				for _, with := range []string{token, "", "x"} {
					if got := registers(t, h, method, path, with, metadata{}); got.Status != http.StatusUnauthorized ||
						got.Text("error") != "invalid_token" || got.Header.Get("WWW-Authenticate") == "" {
						t.Errorf("%s %s with %q: %d %v", method, name, with, got.Status, got.JSON)
					}
				}
			}
		}
		if got := registers(t, h, http.MethodDelete, own, token, nil); got.Status != http.StatusNoContent {
			t.Errorf("delete: %d %v", got.Status, got.JSON)
		}
		if got := registers(t, h, http.MethodGet, own, token, nil); got.Status != http.StatusUnauthorized {
			t.Errorf("deleted, and read: %d %v", got.Status, got.JSON)
		}
	})
}

// What cannot be registered is said with the code of RFC 7591, section 3.2.2, and leaves nothing behind.
func TestMetadataThatCannotBeRegistered(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		valid := func(change metadata) metadata {
			m := metadata{"client_name": "App", "redirect_uris": []string{"https://app.example/cb"}}
			for name, value := range change {
				m[name] = value
			}
			return m
		}
		for name, c := range map[string]struct {
			metadata any
			code     string
		}{
			"no JSON":                   {"{", "invalid_client_metadata"},
			"a list":                    {"[]", "invalid_client_metadata"},
			"a wrong type":              {valid(metadata{"redirect_uris": "https://app.example/cb"}), "invalid_client_metadata"},
			"no redirect":               {metadata{"client_name": "App"}, "invalid_client_metadata"},
			"http":                      {valid(metadata{"redirect_uris": []string{"http://app.example/cb"}}), "invalid_redirect_uri"},
			"a fragment":                {valid(metadata{"redirect_uris": []string{"https://app.example/cb#x"}}), "invalid_redirect_uri"},
			"script":                    {valid(metadata{"redirect_uris": []string{"javascript:alert(1)"}}), "invalid_redirect_uri"},
			"localhost below evil":      {valid(metadata{"redirect_uris": []string{"http://localhost.evil.example/"}}), "invalid_redirect_uri"},
			"a web app here":            {valid(metadata{"application_type": "web", "redirect_uris": []string{"http://localhost:1/"}}), "invalid_redirect_uri"},
			"an unknown type":           {valid(metadata{"application_type": "desktop"}), "invalid_client_metadata"},
			"only another's grant":      {valid(metadata{"grant_types": []string{"client_credentials"}}), "invalid_client_metadata"},
			"an unknown method":         {valid(metadata{"token_endpoint_auth_method": "client_secret_jwt"}), "invalid_client_metadata"},
			"keys for no method":        {valid(metadata{"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"},
			"an unknown algorithm":      {valid(metadata{"id_token_signed_response_alg": "none"}), "invalid_client_metadata"},
			"a software statement":      {valid(metadata{"software_statement": "x.y.z"}), "unapproved_software_statement"},
			"an endless name":           {valid(metadata{"client_name": strings.Repeat("n", 201)}), "invalid_client_metadata"},
			"NUL":                       {valid(metadata{"client_name": "a\x00b"}), "invalid_client_metadata"},
			"NUL in what it is made by": {valid(metadata{"software_id": "a\x00b"}), "invalid_client_metadata"},
			"a logo by http":            {valid(metadata{"logo_uri": "http://app.example/logo"}), "invalid_client_metadata"},
			"endless lists":             {valid(metadata{"contacts": slices.Repeat([]string{"x"}, 501)}), "invalid_client_metadata"},
		} {
			if got := registers(t, h, http.MethodPost, oidc.PathClients, "", c.metadata); got.Status != http.StatusBadRequest ||
				got.Text("error") != c.code {
				t.Errorf("%s: %d %v, want %s", name, got.Status, got.JSON, c.code)
			}
		}
		if list, err := h.Clients.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%d clients are left, %v", len(list), err)
		}
		for name, unnamed := range map[string]metadata{
			"by its address":  {"redirect_uris": []string{"https://app.example/cb"}},
			"by nothing":      {"redirect_uris": []string{"com.example.app:/cb"}},
			"null is nothing": {"redirect_uris": []string{"https://app.example/cb"}, "client_name": nil, "scope": nil},
		} {
			if got := registers(t, h, http.MethodPost, oidc.PathClients, "", unnamed); got.Status != http.StatusCreated ||
				got.Text("client_name") == "" {
				t.Errorf("%s: %d %v", name, got.Status, got.JSON)
			}
		}
	})
}

// Of many that register at once by one token no more get in than it is good for; each is what the token allows.
func TestInitialAccessTokens(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Token, func(t *testing.T, h *harness.Server) {
		app := metadata{"client_name": "App", "redirect_uris": []string{"https://app.corp.example/cb"}}
		for _, token := range []string{"", "unknown"} {
			if got := registers(t, h, http.MethodPost, oidc.PathClients, token, app); got.Status != http.StatusUnauthorized {
				t.Errorf("with the token %q: %d %v", token, got.Status, got.JSON)
			}
		}
		if err := h.APIs.Create(t.Context(), &apis.API{
			Identifier: orders, Name: "Orders", Scopes: []apis.Scope{{Name: "read"}},
		}); err != nil {
			t.Fatal(err)
		}
		_, token, err := h.Registration.CreateToken(t.Context(), "CI", 3, time.Hour, registration.Policy{
			Hosts: []string{".corp.example"}, Scopes: []string{"admin"}, APIs: []string{orders}, MayActForItself: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := registers(t, h, http.MethodPost, oidc.PathClients, token, metadata{
			"redirect_uris": []string{"https://corp.example.evil.example/cb"},
		}); got.Status != http.StatusBadRequest {
			t.Errorf("another host: %d %v", got.Status, got.JSON)
		}
		created := 0
		for _, got := range harness.AtOnce(20, func() harness.Answer {
			return registers(t, h, http.MethodPost, oidc.PathClients, token, metadata{
				"redirect_uris": []string{"https://app.corp.example/cb"}, "scope": "openid admin other",
				"grant_types": []string{"client_credentials", "authorization_code"}, "token_endpoint_auth_method": "client_secret_post",
			})
		}) {
			switch {
			case got.Status == http.StatusCreated:
				created++
				client := harness.Client{Client: &clients.Client{ID: got.Text("client_id")}, Secret: got.Text("client_secret")}
				tokens := h.Call(t, oidc.PathToken, client, url.Values{"grant_type": {oidc.GrantClientCredentials}})
				if _, claims := claimsOf(t, tokens.Text("access_token")); fmt.Sprint(claims["aud"]) != "["+orders+"]" ||
					got.Text("scope") != "openid admin" {
					t.Errorf("%v, %v, %v", got.JSON, tokens.JSON, claims)
				}
				// A change is judged by the token's policy too.
				own := oidc.PathClients + "/" + got.Text("client_id")
				if got := registers(t, h, http.MethodPut, own, got.Text("registration_access_token"), metadata{
					"client_id": got.Text("client_id"), "redirect_uris": []string{"https://evil.example/cb"},
				}); got.Status != http.StatusBadRequest {
					t.Errorf("a change to another host: %d %v", got.Status, got.JSON)
				}
			case got.Status != http.StatusUnauthorized || got.Text("error") != "invalid_token":
				t.Errorf("%d %v", got.Status, got.JSON)
			}
		}
		if created != 3 {
			t.Errorf("%d of 3 apps registered", created)
		}
	})
}

// Who registers on and on is stopped, and what they registered goes when nobody uses it.
func TestRegistrationsAreBounded(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		app := metadata{"client_name": "App", "redirect_uris": []string{harness.RedirectURI}}
		created := 0
		for _, got := range harness.AtOnce(80, func() harness.Answer {
			return registers(t, h, http.MethodPost, oidc.PathClients, "", app)
		}) {
			if got.Status == http.StatusCreated {
				created++
			} else if got.Status != http.StatusTooManyRequests {
				t.Errorf("%d %v", got.Status, got.JSON)
			}
		}
		if created != 60 {
			t.Errorf("%d of 80 apps registered, want 60", created)
		}
		operators := h.AddClient(t, nil)
		list, err := h.Clients.List(t.Context())
		if err != nil || len(list) != 61 {
			t.Fatalf("%d clients, %v", len(list), err)
		}
		i := slices.IndexFunc(list, func(c clients.Client) bool { return c.Origin == clients.OriginOpen })
		used := harness.Client{Client: &list[i]}
		codeFor(t, h.NewBrowser(t), used, nil, "profile", "email", "offline_access")
		h.SQL(t, "UPDATE clients SET created_at = '2020-01-01 00:00:00+00:00'")
		// One that is deleted while the connection is cut is not counted.
		if deleted, err := h.Registration.Expire(t.Context()); err != nil || deleted["clients"] > 59 {
			t.Errorf("deleted %v, %v, want 59 clients", deleted, err)
		}
		if list, err := h.Clients.List(t.Context()); err != nil || len(list) != 2 {
			t.Errorf("%d clients are left, %v", len(list), err)
		}
		for _, id := range []string{operators.ID, used.ID} {
			if _, err := h.Clients.Fresh(t.Context(), id); err != nil {
				t.Errorf("a client that is an operator's, or in use: %v", err)
			}
		}
	})
}

// Where the operator has not chosen it there is nothing to register at.
func TestRegistrationIsOffByDefault(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		request, err := http.NewRequest(http.MethodPost, h.Issuer+oidc.PathClients, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if page := h.Send(t, request); page.StatusCode != http.StatusNotFound {
			t.Errorf("%d %s", page.StatusCode, page.Text)
		}
	})
}
