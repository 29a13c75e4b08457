package tokens_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Whatever is made of a token of ours, it is read as what we signed or not at all.
func FuzzVerifyToken(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	access, err := h.Tokens.SignAccessToken(f.Context(), tokens.AccessToken{
		Client: &clients.Client{ID: "web"}, Scopes: []string{"read"},
	}, h.Clock)
	if err != nil {
		f.Fatal(err)
	}
	want, err := h.Tokens.ReadAccessToken(access)
	if err != nil {
		f.Fatal(err)
	}
	payload, _, err := h.Keys.Verify(access, apis.TypeAccessToken, tokens.AccessTokenAlg)
	if err != nil {
		f.Fatal(err)
	}
	id, err := h.Keys.Sign(jose.EdDSA, tokens.IDTokenType, tokens.IDClaims{
		Issuer: oidctest.TestIssuer, Subject: "alice", Audience: "web",
	})
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(access, ".")
	// The token is new in each run, so the fuzzer changes a recipe: %A is the access token, %I an ID token, %H %P %S the
	// parts of the former.
	recipe := strings.NewReplacer("%A", access, "%I", id, "%H", parts[0], "%P", parts[1], "%S", parts[2])
	for _, seed := range []string{
		"%A", "%I", "", ".", "..", "...", "%H.%P.", "%H.%P", "%H..%S", ".%P.%S", "%A.", " %A", "%A\n", "%H.\n%P.%S", "%A%A",
		"%H.%P.%S.%S", "%P.%H.%S", "%H.%P.%SA", "%H.%PA.%S", "%HA.%P.%S", "%H.%P.%S=",
		`{"payload":"%P","protected":"%H","signature":"%S"}`,
		`{"payload":"%P","signatures":[{"protected":"%H","signature":"%S"}]}`,
		`{"payload":"%P","protected":"%H","header":{"typ":"at+jwt"},"signature":"%S"}`,
		`{"payload":"e30","signatures":[{"protected":"%H","signature":"%S"},{"protected":"%H","signature":"%S"}]}`,
		"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.%P.", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.%P.%S",
		"%H.eyJpc3MiOiJ4In0.%S", "eyJhbGciOiJFUzI1NiIsImtpZCI6IiIsInR5cCI6ImF0K2p3dCJ9.%P.%S",
		`{"payload":{},"protected":[],"signature":7}`, "{}", "null", `{"signatures":[]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token := recipe.Replace(text)
		got, kid, err := h.Keys.Verify(token, apis.TypeAccessToken, tokens.AccessTokenAlg)
		if err == nil && (string(got) != string(payload) || kid != want.KID()) {
			t.Fatalf("%q is read as %s", token, got)
		}
		if err == nil && strings.Count(token, ".") != 2 {
			t.Fatalf("%q is accepted", token)
		}
		claims, readErr := h.Tokens.ReadAccessToken(token)
		if (err == nil) != (readErr == nil) || readErr == nil && !reflect.DeepEqual(claims, want) {
			t.Fatalf("%q: verified %v, read %v as %+v", token, err, readErr, claims)
		}
		if hint, err := h.Tokens.ReadIDTokenHint(token); err == nil && (hint.Subject != "alice" || hint.Audience != "web") {
			t.Fatalf("%q is the hint %+v", token, hint)
		}
	})
}
