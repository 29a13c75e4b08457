package tokens_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// payloadOf is the payload of an ID token that the provider signs for change's idea of it.
func payloadOf(t *testing.T, h *oidctest.Stack, change func(*tokens.IDToken)) (map[string]any, int) {
	t.Helper()
	idToken := tokens.IDToken{
		Client: &clients.Client{ID: "web", IDTokenAlg: string(jose.ES256), IDTokenClaims: clients.IDTokenScopes},
		Grant:  &oidc.Grant{UserID: uuid.New(), SessionID: uuid.New(), AuthTime: h.Clock},
		Scopes: []string{"openid", "profile", "email", "address", "roles"}, Person: alice(), AccessToken: "x",
	}
	change(&idToken)
	signed, err := h.Tokens.SignIDToken(t.Context(), idToken, h.Clock)
	if err != nil {
		t.Fatal(err)
	}
	payload, _, err := h.Keys.Verify(signed, tokens.IDTokenType, jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	if hint, err := h.Tokens.ReadIDTokenHint(signed); err != nil || hint.Subject != idToken.Grant.UserID.String() {
		t.Errorf("as a hint: %+v, %v", hint, err)
	}
	return claims, len(payload)
}

func TestWhatIDTokensTellOfPeople(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	minimal := func(t *tokens.IDToken) { t.Client.IDTokenClaims = clients.IDTokenMinimal }
	byName := func(t *tokens.IDToken) {
		t.Grant.Claims = &oidc.ClaimsRequest{
			Userinfo: oidc.NamedClaims{"nickname": nil}, IDToken: oidc.NamedClaims{"birthdate": nil, "locale": {`"fr"`}},
		}
	}
	for name, c := range map[string]struct {
		change      []func(*tokens.IDToken)
		tells, keep []string
	}{
		"what scopes give":              {nil, []string{"name", "email", "address", "roles", "at_hash"}, []string{"phone_number"}},
		"of fewer scopes":               {[]func(*tokens.IDToken){func(t *tokens.IDToken) { t.Scopes = []string{"openid", "email"} }}, []string{"email"}, []string{"name"}},
		"nothing of who was not read":   {[]func(*tokens.IDToken){func(t *tokens.IDToken) { t.Person = nil }}, nil, []string{"name", "updated_at"}},
		"minimal":                       {[]func(*tokens.IDToken){minimal}, nil, []string{"name", "email", "roles"}},
		"minimal, and claims by name":   {[]func(*tokens.IDToken){minimal, byName}, []string{"birthdate"}, []string{"name", "nickname", "locale"}},
		"claims by name":                {[]func(*tokens.IDToken){byName}, []string{"name", "birthdate", "nickname"}, []string{"locale"}},
		"minimal, with no access token": {[]func(*tokens.IDToken){minimal, func(t *tokens.IDToken) { t.AccessToken = "" }}, []string{"name", "email"}, []string{"at_hash"}},
	} {
		claims, _ := payloadOf(t, h, func(t *tokens.IDToken) {
			for _, change := range c.change {
				change(t)
			}
		})
		for _, claim := range append(c.tells, "iss", "sub", "aud", "exp", "iat", "auth_time", "sid") {
			if claims[claim] == nil {
				t.Errorf("%s: %s is not told", name, claim)
			}
		}
		for _, claim := range c.keep {
			if claims[claim] != nil {
				t.Errorf("%s: %s is %v", name, claim, claims[claim])
			}
		}
	}
}

// Apps keep ID tokens in cookies and send them as hints: what a person writes of themself does not make them too long,
// and does not drive anything else out, such as a role.
func TestLongProfilesDoNotMakeLongIDTokens(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	url := "https://example.com/" + strings.Repeat("x", 1980)
	for name, c := range map[string]struct {
		change func(*tokens.Person)
		gone   []string
	}{
		"as it is":          {func(*tokens.Person) {}, nil},
		"a long address":    {func(who *tokens.Person) { who.Address.Formatted = strings.Repeat("é", 2500) }, []string{"address"}},
		"one long link":     {func(who *tokens.Person) { who.Picture = url }, nil},
		"three long links":  {func(who *tokens.Person) { who.Picture, who.Website, who.Profile.Profile = url, url, url }, []string{"address", "website", "profile"}},
		"escaped long name": {func(who *tokens.Person) { who.Name, who.Picture = strings.Repeat("<", 200), url }, nil},
	} {
		claims, size := payloadOf(t, h, func(t *tokens.IDToken) { c.change(t.Person) })
		for _, claim := range []string{"name", "picture", "website", "profile", "address", "email", "roles"} {
			if told := claims[claim] != nil; told == slices.Contains(c.gone, claim) {
				t.Errorf("%s: %s is told: %t", name, claim, told)
			}
		}
		if size > 5<<10 {
			t.Errorf("%s: the payload has %d bytes: %v", name, size, slices.Sorted(maps.Keys(claims)))
		}
	}
}
