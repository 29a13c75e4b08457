package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// call posts a form to an endpoint as client does.
func (h *openHouse) call(t testing.TB, path string, client testClient, form url.Values) answer {
	t.Helper()
	form.Set("client_id", client.ID)
	if client.secret != "" {
		form.Set("client_secret", client.secret)
	}
	response, err := http.PostForm(h.issuer+path, form)
	page := read(t, response, err)
	result := answer{status: page.StatusCode, header: page.Header}
	if strings.TrimSpace(page.body) != "" {
		if err := json.Unmarshal([]byte(page.body), &result.json); err != nil {
			t.Fatalf("%s: %s\n%s", path, err, page.body)
		}
	}
	return result
}

func (h *openHouse) redeem(t testing.TB, client testClient, code string) answer {
	t.Helper()
	return h.call(t, oidc.PathToken, client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {testRedirect}, "code_verifier": {testVerifier},
	})
}

func (h *openHouse) refresh(t testing.TB, client testClient, token string) answer {
	t.Helper()
	return h.call(t, oidc.PathToken, client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (h *openHouse) userinfo(t testing.TB, accessToken string) answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, h.issuer+oidc.PathUserinfo, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := http.DefaultClient.Do(request)
	page := read(t, response, err)
	result := answer{status: page.StatusCode, header: page.Header}
	if err := json.Unmarshal([]byte(page.body), &result.json); err != nil {
		t.Fatal(err)
	}
	return result
}
