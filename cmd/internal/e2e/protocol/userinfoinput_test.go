package protocol

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
)

func TestUserinfoTakesATokenInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil))
		access := tokens.Text("access_token")
		machine := h.Call(
			t, oidc.PathToken, client, url.Values{"grant_type": {oidc.GrantClientCredentials}},
		).Text("access_token")
		const challenges = `Bearer, DPoP algs="ES256 EdDSA PS256"`
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
			"query":                    {"GET", body, "", "", "", 401, challenges},
			"query of a POST":          {"POST", body, "", form, "", 401, challenges},
			"query of a POST, a form":  {"POST", body, "", form, "x=1", 401, challenges},
			"body of a GET":            {"GET", "", "", form, body, 401, challenges},
			"nowhere":                  {"GET", "", "", "", "", 401, challenges},
			"header and body":          {"POST", "", "Bearer " + access, form, body, 400, ""},
			"header and another body":  {"POST", "", "Bearer " + access, form, "access_token=x", 400, ""},
			"twice in the body":        {"POST", "", "", form, body + "&" + body, 400, ""},
			"Basic":                    {"GET", "", "Basic " + access, "", "", 401, challenges},
			"no scheme":                {"GET", "", access, "", "", 401, challenges},
			"the scheme alone":         {"GET", "", "Bearer", "", "", 401, challenges},
			"nothing after the scheme": {"GET", "", "Bearer  ", "", "", 401, challenges},
			"nonsense":                 {"GET", "", "Bearer nonsense", "", "", 401, `Bearer error="invalid_token"`},
			"two tokens": {"GET", "", "Bearer " + access + " " +
				access, "", "", 401, `Bearer error="invalid_token"`},
			"a comma": {"GET", "", "Bearer " + access + ",x", "", "", 401, `Bearer error="invalid_token"`},
			"an ID token": {"GET", "", "Bearer " +
				tokens.Text("id_token"), "", "", 401, `Bearer error="invalid_token"`},
			"a refresh token": {"GET", "", "Bearer " +
				tokens.Text("refresh_token"), "", "", 401, `Bearer error="invalid_token"`},
			"an app's own token": {"GET", "", "Bearer " +
				machine, "", "", 403, `Bearer error="insufficient_scope", scope="openid"`},
			"JSON":                {"POST", "", "", "application/json", `{"access_token":"x"}`, 400, ""},
			"NUL in the body":     {"POST", "", "", form, "access_token=%00", 401, `Bearer error="invalid_token"`},
			"charset in the body": {"POST", "", "", form, "access_token=%ff", 401, `Bearer error="invalid_token"`},
			"too much":            {"POST", "", "", form, "access_token=" + strings.Repeat("a", 70<<10), 400, ""},
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
			if got.Status != c.status || got.Status == 200 && got.Text("sub") != h.User.ID.String() || got.Status != 200 &&
				got.Text("sub") != "" {
				t.Errorf("%s: %d %v, want %d", name, got.Status, got.JSON, c.status)
			}
			if challenge := got.Header.Get("WWW-Authenticate"); challenge != c.challenge {
				t.Errorf("%s: WWW-Authenticate %q, want %q", name, challenge, c.challenge)
			}
		}
	})
}
