package attack

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// encode is a part of a JWT.
func encode(t *testing.T, part map[string]any) string {
	t.Helper()
	text, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// signed is a JWT with that header, signed by that key.
func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, header, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := token.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// header reads the header of a JWT.
func header(t *testing.T, token string) map[string]any {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	return harness.TokenClaims(t, "."+first+".")
}

// forge makes forgeries of a token that says what claims say, with kid and typ as the original has them: by no
// algorithm, by public keys as if they were secret, by keys of the attacker's own that the header offers.
func forge(t *testing.T, original map[string]any, public []byte, claims map[string]any) map[string]string {
	t.Helper()
	private, ownSet := harness.NewClientKey(t)
	var own jose.JSONWebKey
	if err := own.UnmarshalJSON([]byte(private)); err != nil {
		t.Fatal(err)
	}
	plain := jose.JSONWebKey{Key: own.Key} // without a kid that go-jose would write over ours
	with := func(more map[string]any) map[string]any {
		all := maps.Clone(original)
		delete(all, "alg")
		maps.Copy(all, more)
		return all
	}
	forged := map[string]string{}
	for _, none := range []string{"none", "None", "NONE", "", "nOnE"} {
		head := with(map[string]any{"alg": none})
		forged["alg "+none] = encode(t, head) + "." + encode(t, claims) + "."
		forged["alg "+none+", with a signature"] = forged["alg "+none] + "c2lnbmF0dXJl"
	}
	forged["HS256 by the published keys"] = signed(t, jose.HS256, pad(public), with(nil), claims)
	forged["a key of ours, by their kid"] = signed(t, jose.ES256, plain, with(nil), claims)
	forged["jwk"] = signed(t, jose.ES256, plain, with(map[string]any{"jwk": own.Public()}), claims)
	forged["jku"] = signed(t, jose.ES256, plain, with(map[string]any{"jku": "https://evil.example/jwks.json"}), claims)
	forged["x5u"] = signed(t, jose.ES256, plain, with(map[string]any{"x5u": "https://evil.example/"}), claims)
	path := with(map[string]any{"kid": "../../dev/null"})
	forged["kid is a path"] = signed(t, jose.HS256, make([]byte, 32), path, claims)
	forged["kid is SQL"] = signed(t, jose.ES256, plain, with(map[string]any{"kid": "' OR 1=1 --"}), claims)
	critical := with(map[string]any{"alg": "ES256", "crit": []string{"b64"}, "b64": false})
	forged["an unknown critical header"] = encode(t, critical) + "." + encode(t, claims) + ".c2lnbmF0dXJl"
	forged["a set of keys"] = string(ownSet)
	return forged
}

// pad makes a key long enough for HS256.
func pad(key []byte) []byte { return append(key, make([]byte, max(0, 32-len(key)))...) }

// Nobody makes an access token of their own, or another of one that they have.
func TestForgedAccessTokens(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		tokens := to.redeem(t, to.code(t, to.signIn(t)), nil)
		real := tokens.Text("access_token")
		if info := to.Userinfo(t, real); info.Status != http.StatusOK {
			t.Fatalf("the real one: %d %v", info.Status, info.JSON)
		}
		claims := harness.TokenClaims(t, real)
		published := to.NewBrowser(t).Get(t, oidc.PathJWKS).Text
		forged := forge(t, header(t, real), []byte(published), claims)
		parts := strings.Split(real, ".")
		claims["scope"] = "openid profile email phone address roles"
		forged["other claims, the same signature"] = parts[0] + "." + encode(t, claims) + "." + parts[2]
		forged["without its signature"] = parts[0] + "." + parts[1] + "."
		forged["a signature of zeros"] = parts[0] + "." + parts[1] + "." +
			base64.RawURLEncoding.EncodeToString(make([]byte, 64))
		forged["an ID token"] = tokens.Text("id_token")
		forged["a refresh token"] = tokens.Text("refresh_token")
		for name, token := range forged {
			if info := to.Userinfo(t, token); info.Status != http.StatusUnauthorized {
				t.Errorf("%s: %d %v", name, info.Status, info.JSON)
			}
		}
	})
}

// Nobody proves to be an app that they are not, and nobody does twice by one assertion.
func TestForgedAssertions(t *testing.T) {
	t.Parallel()
	eachTarget(t, func(t *testing.T, to *target) {
		if to.signing.ID == "" {
			t.Skip("ATTACK_SIGNING_CLIENT_ID names no app with private_key_jwt")
		}
		claims := func(change map[string]any) map[string]any {
			all := map[string]any{
				"iss": to.signing.ID, "sub": to.signing.ID, "aud": to.Issuer, "jti": rand.Text(),
				"exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
			}
			maps.Copy(all, change)
			return all
		}
		ask := func(assertion string) harness.Answer {
			return to.Call(t, oidc.PathToken, to.signing, url.Values{
				"grant_type": {oidc.GrantClientCredentials}, "client_assertion": {assertion},
				"client_assertion_type": {clients.AssertionType},
			})
		}
		good := signed(t, jose.ES256, to.key, nil, claims(nil))
		if a := ask(good); a.Status != http.StatusOK {
			t.Fatalf("a good one: %d %v", a.Status, a.JSON)
		}
		public, err := to.key.Public().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		bad := forge(t, map[string]any{"kid": to.key.KeyID}, public, claims(nil))
		bad["a replay"] = good
		for name, change := range map[string]map[string]any{
			"of another client": {"iss": to.app.ID, "sub": to.app.ID}, "for another server": {"aud": "https://evil.example"},
			"for others, too": {"aud": []string{to.Issuer, "https://evil.example"}}, "expired": {"exp": time.Now().Add(-time.Hour).Unix()},
			"good for years": {"exp": time.Now().AddDate(1, 0, 0).Unix()}, "without an end": {"exp": nil},
			"not good yet": {"nbf": time.Now().Add(time.Hour).Unix()}, "without a name": {"jti": ""},
		} {
			bad[name] = signed(t, jose.ES256, to.key, nil, claims(change))
		}
		for name, assertion := range bad {
			if a := ask(assertion); a.Status < 400 || a.Status >= 500 || a.Text("access_token") != "" {
				t.Errorf("%s: %d %v", name, a.Status, a.JSON)
			}
		}
	})
}
