package authorize_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// OpenID Connect Core, section 5.5: what the parameter claims asks of a person.
func TestClaimsParameter(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	h.Add(t, &clients.Client{
		ID: "web", Name: "Web", RedirectURIs: []string{"https://app.example.com/cb"},
		Scopes: []string{"openid", "profile", "email", "of-an-api"},
	})
	read := func(scope, claims string) (*authorize.Request, error) {
		return h.Authorize.Read(t.Context(), url.Values{
			"client_id": {"web"}, "redirect_uri": {"https://app.example.com/cb"}, "response_type": {"code"},
			"scope": {scope}, "claims": {claims},
		})
	}
	for claims, want := range map[string]string{ // the request that is kept; empty: none
		`{}`:                            "",
		`{"userinfo":{},"id_token":{}}`: "",
		`{"userinfo":{"name":null}}`:    `{"userinfo":{"name":[]}}`,
		`{"id_token":{"name":{}}}`:      `{"id_token":{"name":[]}}`,
		`{"id_token":{"email":{"essential":true}},"userinfo":{"email":null}}`:  `{"userinfo":{"email":[]},"id_token":{"email":[]}}`,
		`{"userinfo":{"email":{"value":"a@x"}}}`:                               `{"userinfo":{"email":["\"a@x\""]}}`,
		`{"userinfo":{"email":{"value":"a@x","values":["b@x"]}}}`:              `{"userinfo":{"email":["\"a@x\"","\"b@x\""]}}`,
		`{"userinfo":{"updated_at":{"values":[ 1.0, {"b":1,"a":2} ]}}}`:        `{"userinfo":{"updated_at":["1","{\"a\":2,\"b\":1}"]}}`,
		`{"userinfo":{"email":{"essential":null,"value":null,"values":null}}}`: `{"userinfo":{"email":[]}}`,
		`{"userinfo":{"email":{"unheard-of":7}}}`:                              `{"userinfo":{"email":[]}}`,
		`{"userinfo":{"email":{"value":"\u0000"}}}`:                            `{"userinfo":{"email":["null"]}}`,
		// languages are answered in the one that there is
		`{"userinfo":{"name#de":null}}`:                                  `{"userinfo":{"name":[]}}`,
		`{"userinfo":{"name#de":{"value":"x"},"name":null}}`:             `{"userinfo":{"name":[]}}`,
		`{"userinfo":{"name#fr":{"value":"y"},"name#de":{"value":"x"}}}`: `{"userinfo":{"name":["\"x\""]}}`,
		// unknown, or not the client's to ask for, in whatever way
		`{"unheard-of":{"name":null},"userinfo":{"unheard-of":null}}`:                                               "",
		`{"userinfo":{"Name":null},"UserInfo":{"name":null}}`:                                                       "",
		`{"userinfo":{"phone_number":null,"address":{"essential":true}},"id_token":{"roles":null}}`:                 "",
		`{"userinfo":{"iss":null,"sub":null,"":null,"of-an-api":null},"id_token":{"auth_time":{"essential":true}}}`: "",
	} {
		a, err := read("openid", claims)
		if err != nil {
			t.Errorf("%s: %v", claims, err)
			continue
		}
		got := ""
		if a.Claims != nil {
			encoded, _ := json.Marshal(a.Claims)
			got = string(encoded)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", claims, got, want)
		}
		if a, err := read("of-an-api", claims); err != nil || a.Claims != nil {
			t.Errorf("%s without the scope openid: %+v, %v", claims, a, err)
		}
	}
	for _, claims := range []string{
		"null", "[]", "7", `"x"`, "{", "{}{}", `{"userinfo":null}`, `{"userinfo":[]}`, `{"id_token":7}`,
		`{"userinfo":{"name":true}}`, `{"userinfo":{"name":"x"}}`, `{"userinfo":{"name":[]}}`,
		`{"userinfo":{"unheard-of":7}}`, `{"userinfo":{"name":{"essential":"true"}}}`, `{"userinfo":{"name":{"values":"x"}}}`,
		`{"userinfo":{"name":{"values":{}}}}`, `{"id_token":{"acr":{"values":[7]}}}`, `{"id_token":{"acr":{"value":{}}}}`,
		`{"id_token":{"sub":{"value":""}}}`, `{"userinfo":{"sub":{"value":7}}}`,
		`{"userinfo":{"name":{"value":` + strings.Repeat("[", 4000) + `}}}`,
	} {
		_, err := read("openid", claims)
		var refused *authorize.Refusal
		if !errors.As(err, &refused) || refused.Reason.Code != "invalid_request" || refused.Authorization == nil {
			t.Errorf("%s: %v", claims, err)
		}
	}
	if a, err := read("openid email", `{"userinfo":{"email":null,"birthdate":null},"id_token":{"name":null,"birthdate":null}}`); err != nil ||
		strings.Join(a.NamedClaims(), " ") != "name birthdate" {
		t.Errorf("asked for by name, besides the scopes: %v, %v", a.NamedClaims(), err)
	}
	if a, err := read("openid", `{"userinfo":{"sub":{"value":"alice"}}}`); err != nil || a.HintSubject != "alice" ||
		!a.AsksSubject {
		t.Errorf("a subject for userinfo: %+v, %v", a, err)
	}
	if _, err := read("openid", `{"userinfo":{"sub":{"value":"alice"}},"id_token":{"sub":{"value":"bob"}}}`); err == nil {
		t.Error("one person for userinfo and another for the ID token")
	}
}

// What comes back from the database is what was asked for.
func TestClaimsRequestOnly(t *testing.T) {
	request := &oidc.ClaimsRequest{
		Userinfo: oidc.NamedClaims{"name": nil, "email": {`"x"`}}, IDToken: oidc.NamedClaims{"email": nil},
	}
	if got := request.Only([]string{"email"}); strings.Join(got.Names(), " ") != "email" ||
		len(got.Userinfo["email"]) != 1 {
		t.Errorf("%+v", got)
	}
	if got := request.Only([]string{"birthdate"}); got != nil {
		t.Errorf("%+v", got)
	}
	var none *oidc.ClaimsRequest
	if none.Only([]string{"name"}) != nil || none.Names() != nil || none.OfIDToken() != nil {
		t.Error("nothing asks for something")
	}
}
