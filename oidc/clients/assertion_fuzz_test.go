package clients_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// An assertion is accepted only where go-jose verifies it with the app's key and its claims say what RFC 7523, section
// 3, demands; and once. The header and the payload are signed as they are; the form is a recipe in which %H, %P and %S
// are the parts of the token, and %J the time of its signature, since each assertion works once.
func FuzzClientAssertion(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	app := h.NewSigningApp(f, "app")
	h.NewSigningApp(f, "other")
	const header = `{"alg":"ES256","kid":"app-1","typ":"JWT"}`
	const payload = `{"iss":"app","sub":"app","aud":"https://id.example.com","jti":"%J","iat":%N,"exp":%E}`
	for _, change := range []string{
		"", `"https://id.example.com"|["https://id.example.com/token"]`, `"https://id.example.com"|["https://id.example.com","x"]`,
		`"https://id.example.com"|7`, `"aud"|"AUD"`, `%E|%N`, `%E|1e300`, `%E|"%E"`, `%E|-1`, `%E|%E.5`, `%J|`, `%J|\u0000`, `%J|a`, `"sub":"app"|"sub":"other"`,
		`"iss":"app"|"iss":"other","iss":"app"`, `}|}{}`, `}|} `, `"iat"|"nbf"`, `%N|9999999999`, `{|[{`, `app|nobody`, `app|app\u0000`,
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(header, strings.ReplaceAll(payload, from, to), "%H.%P.%S")
	}
	for _, changed := range []string{
		`{"alg":"ES256"}`, `{"alg":"none"}`, `{"alg":"HS256"}`, `{"alg":"ES256","kid":"other-1"}`, `{"alg":"ES256","crit":["exp"],"exp":1}`, `{"alg":"ES256","b64":false,"crit":["b64"]}`,
		`{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"a","y":"b"}}`, `{"alg":"ES384"}`, `{"alg":"ES256","alg":"none"}`, `{}`, ``, `{"alg":["ES256"]}`,
	} {
		f.Add(changed, payload, "%H.%P.%S")
	}
	for _, form := range []string{
		"", "%H.%P.", "%H..%S", "%H.%P.%S.", " %H.%P.%S", "%H.%P.%S\n", "%H.%P.%S=", `{"payload":"%P","protected":"%H","signature":"%S"}`, "%P.%H.%S", "%H.%P.%SA", "eyJhbGciOiJub25lIn0.%P.",
	} {
		f.Add(header, payload, form)
	}
	encode := base64.RawURLEncoding.EncodeToString
	f.Fuzz(func(t *testing.T, header, payload, form string) {
		said := strings.NewReplacer(
			"%J", rand.Text(), "%N", number(h.Clock), "%E", number(h.Clock.Add(time.Minute)),
		).Replace(payload)
		parts := []string{encode([]byte(header)), encode([]byte(said))}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		r, s, err := ecdsa.Sign(rand.Reader, app.Private, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		token := strings.NewReplacer("%H", parts[0], "%P", parts[1], "%S", encode(signature)).Replace(form)
		got := h.Present(t, token, nil)
		if strings.HasPrefix(got, "fault") || got == "server_error" {
			t.Fatalf("%q of %q is a %s", token, said, got)
		}
		if got != "" {
			return
		}
		if why := refuted(h, app, token); why != "" {
			t.Fatalf("%q with the header %q and the payload %q is accepted, and %s", token, header, said, why)
		}
		if again := h.Present(t, token, nil); again != "invalid_client" {
			t.Fatalf("%q is accepted twice: %q", token, again)
		}
	})
}

func number(at time.Time) string {
	text, _ := json.Marshal(at.Unix())
	return string(text)
}

// refuted says why an assertion must not be accepted, by the libraries' own reading of it.
func refuted(h *oidctest.Stack, app oidctest.SigningApp, token string) string {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err.Error()
	}
	payload, err := signed.Verify(app.Private.Public())
	if err != nil {
		return err.Error()
	}
	if kid := signed.Signatures[0].Header.KeyID; kid != "" && kid != app.KID {
		return "it names the key " + kid
	}
	var claims jwt.Claims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return err.Error()
	}
	err = claims.ValidateWithLeeway(jwt.Expected{Issuer: app.ID, Subject: app.ID, Time: h.Clock}, clients.ClockSkew)
	switch {
	case err != nil:
		return err.Error()
	case len(claims.Audience) != 1 || !claims.Audience.Contains(oidctest.TestIssuer) &&
		!claims.Audience.Contains(oidctest.TestIssuer+"/token"):
		return "its audience is another"
	case claims.ID == "":
		return "it has no jti"
	case claims.Expiry == nil || claims.Expiry.Time().After(h.Clock.Add(clients.MaxAssertionAge)):
		return "it lives too long"
	}
	return ""
}
