package federation

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A logout token ends sessions only where the provider's key signed it and its claims are those of OpenID Connect
// Back-Channel Logout, section 2.4; those of its subject and its session alone; and once. The payload is signed as it
// is, with %J for an id that was never used; the form is a recipe as that of FuzzUpstreamIDToken.
func FuzzUpstreamLogoutToken(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	const issuer = "https://acme.example"
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	h.Clock = fuzzNow
	session := identitytest.NewSession(f, h.Store, h.Alice(f))
	account := &identity.ExternalAccount{
		ID: storage.NewID(), UserID: session.UserID, Provider: "acme", Issuer: issuer, Subject: "1", Label: "alice",
		Profile: json.RawMessage("{}"), LastUsedAt: h.Clock, CreatedAt: h.Clock, ModifiedAt: h.Clock,
	}
	begin := func(ctx context.Context) error {
		return h.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*identity.Session)(nil)).Set("external_account_id = ?", account.ID).
				Set("upstream_sid = ?", "s").Set("ended_at = NULL").Where("id = ?", session.ID).Exec(ctx)
			return err
		})
	}
	err = h.Database.Write(f.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(account).Exec(ctx)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	p := Provider{
		ID: "acme", Kind: KindOpenID, Name: "Acme", Issuer: issuer, ClientID: "wicket", Secret: "secret", IsActive: true, Named: true,
	}
	now := func() time.Time { return fuzzNow }
	u := &Upstreams{
		Issuer: "https://id.example.com", Database: h.Database, Seal: h.Seal, Now: now, Identity: h.Store,
		Named: func() []Provider { return []Provider{p} },
	}
	known := u.cached(&p)
	known.current = &metadata{
		Issuer: issuer, Algorithms: []string{gooidc.ES256},
		keys: &gooidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}},
	}
	known.readAt, known.nextTry = fuzzNow, fuzzNow.Add(time.Hour)
	const event = "http://schemas.openid.net/event/backchannel-logout"
	const payload = `{"iss":"https://acme.example","sub":"1","aud":"wicket","exp":1770091806,"iat":1770091500,"jti":"%J","sid":"s","events":{"` + event + `":{}}}`
	const form = "%H.%P.%S"
	for _, change := range []string{
		"|", `,"sid":"s"|`, `"sub":"1",|`, `"sub":"1",|"sub":"",`, `"s"|""`, `"s"|"t"`, `"1"|"2"`, `"1"|1`, `"s"|null`, `"s"|"s\u0000"`, `"1"|"1\u0000"`, `"%J"|""`, `"%J"|7`, `"%J"|"x"`,
		`"jti":"%J",|`, `}}}|}},"nonce":"n"}`, `}}}|}},"nonce":""}`, `{}}}|null}}`, `{}}}|[]}}`, `{}}}|{"a":1}}}`, event + `|http://schemas.openid.net/event/other`, `"wicket"|"other"`,
		`"wicket"|["wicket","other"]`, `"wicket"|[]`, `acme.example"|evil.example"`, `acme.example"|acme.example/"`, `1770091500|1`, `1770091500|99999999999`, `1770091500|"1770091500"`, `1770091806|1`,
		`"iat":1770091500,|`, `"exp":1770091806,|`, `}}}|}},"nbf":9999999999}`, `}}}|}},"sub":"2"}`, `}}}|}},"aud":"other"}`, `{"iss"|["iss"`, `}}}|}}}}`, `"events"|"EVENTS"`, `1770091806|1e300`,
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(strings.Replace(payload, from, to, 1), form)
	}
	for _, form := range []string{
		"", "%H.%P.", "%H.%P.%S.", "%P.%H.%S", "eyJhbGciOiJub25lIn0.%P.", "%H.%P.%SA", `{"payload":"%P","protected":"%H","signature":"%S"}`, " %H.%P.%S", "%H.%P.%S\n", "eyJhbGciOiJIUzI1NiJ9.%P.%S",
	} {
		f.Add(payload, form)
	}
	f.Fuzz(func(t *testing.T, payload, form string) {
		u.Cache = cache.NewLocal(now) // of limits
		if err := begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		payload = strings.ReplaceAll(payload, "%J", storage.NewID().String())
		if payload == "" {
			return
		}
		parts := strings.Split(signedBy(t, key, payload), ".")
		token := strings.NewReplacer("%H", parts[0], "%P", parts[1], "%S", parts[2]).Replace(form)
		people, err := u.Logout(t.Context(), "acme", token, "192.0.2.1")
		ended := h.HasEnded(t, session)
		if ended != (people == 1) || people > 1 {
			t.Fatalf("%q: %d people, and the session has ended: %v", payload, people, ended)
		}
		if err != nil {
			if !errors.Is(err, ErrInvalidResponse) || people > 0 {
				t.Fatalf("%q of %q: a fault: %v", token, payload, err)
			}
			return
		}
		var claims struct {
			Issuer  string      `json:"iss"`
			Subject string      `json:"sub"`
			SID     string      `json:"sid"`
			ID      string      `json:"jti"`
			Expiry  json.Number `json:"exp"` // the library takes a number in quotes too
			Issued  json.Number `json:"iat"`
			Nonce   *string
			Events  map[string]any
			For     any `json:"aud"`
		}
		_ = json.Unmarshal([]byte(payload), &claims)
		expiry, _ := claims.Expiry.Float64()
		issued, _ := claims.Issued.Float64()
		_, isLogout := claims.Events[event]
		several, _ := claims.For.([]any)
		if !strings.HasPrefix(token, parts[0]+"."+parts[1]+".") || claims.Issuer != issuer || claims.ID == "" || !isLogout ||
			claims.Nonce != nil && *claims.Nonce != "" || claims.Subject == "" && claims.SID == "" ||
			expiry < float64(fuzzNow.Unix()) || issued < float64(fuzzNow.Add(-logoutMaxAge).Unix()) ||
			issued > float64(fuzzNow.Add(clockSkew).Unix()) ||
			claims.For != "wicket" && !slices.Contains(several, any("wicket")) {
			t.Fatalf("%q of %q is believed", token, payload)
		}
		isOurs := (claims.Subject == "" || claims.Subject == "1") &&
			(claims.SID == "" || strings.TrimSpace(claims.SID) == "s")
		if ended != isOurs {
			t.Fatalf("%q: the session has ended: %v", payload, ended)
		}
		if _, err := u.Logout(t.Context(), "acme", token, "192.0.2.1"); !errors.Is(err, ErrInvalidResponse) {
			t.Fatalf("%q a second time: %v", payload, err)
		}
	})
}
