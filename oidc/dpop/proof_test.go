package dpop_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/oidc/dpop/dpoptest"
	"github.com/wicket-id/wicket/oidc/keys/keystest"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

const token = "an access token"

func request(proofs ...string) oidc.Request {
	return oidc.Request{Method: http.MethodPost, Path: oidc.PathToken, Header: http.Header{"Dpop": proofs}}
}

// code is that of an *oidc.Error; "" where nothing was refused.
func code(t *testing.T, err error) string {
	t.Helper()
	var refused *oidc.Error
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return ""
	}
	return refused.Code
}

// A proof is taken that RFC 9449, section 4.3, allows, and no other.
func TestProof(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		verifier := dpop.Verifier{Provider: h.Provider}
		key, other := dpoptest.NewKey(t), dpoptest.NewKey(t)
		address := h.Issuer + oidc.PathToken
		claim := func(name string, value any) func(dpoptest.Parts) {
			return func(p dpoptest.Parts) { p.Claims[name] = value }
		}
		header := func(name string, value any) func(dpoptest.Parts) {
			return func(p dpoptest.Parts) { p.Header[name] = value }
		}
		at := h.Clock.Unix()
		for what, c := range map[string]struct {
			change func(dpoptest.Parts)
			taken  bool
		}{
			"as it should be":           {nil, true},
			"a query in htu":            {claim("htu", address+"?a=b#c"), true},
			"host and scheme in htu":    {claim("htu", "HTTPS://ID.Example.com:443/token"), true},
			"a minute late":             {claim("iat", at-59), true},
			"a minute early":            {claim("iat", at+59), true},
			"part of a second":          {claim("iat", float64(at)+0.5), true},
			"nbf and exp":               {func(p dpoptest.Parts) { p.Claims["exp"], p.Claims["nbf"] = at-5, at+5 }, true},
			"a nonce that nobody wants": {claim("nonce", "x"), true},

			"no jti":                  {claim("jti", nil), false},
			"an empty jti":            {claim("jti", ""), false},
			"a number as jti":         {claim("jti", 1), false},
			"a long jti":              {claim("jti", strings.Repeat("x", 129)), false},
			"a NUL in jti":            {claim("jti", "x\x00"), false},
			"no htm":                  {claim("htm", nil), false},
			"another method":          {claim("htm", "GET"), false},
			"the method in lower":     {claim("htm", "post"), false},
			"no htu":                  {claim("htu", nil), false},
			"another path":            {claim("htu", h.Issuer+oidc.PathPAR), false},
			"another host":            {claim("htu", "https://id.example.org/token"), false},
			"another port":            {claim("htu", "https://id.example.com:8443/token"), false},
			"another scheme":          {claim("htu", "http://id.example.com/token"), false},
			"a user in htu":           {claim("htu", "https://x@id.example.com/token"), false},
			"a relative htu":          {claim("htu", "/token"), false},
			"no iat":                  {claim("iat", nil), false},
			"a text as iat":           {claim("iat", "1"), false},
			"an iat without an end":   {claim("iat", 1e300), false},
			"an hour old":             {claim("iat", at-3600), false},
			"of in an hour":           {claim("iat", at+3600), false},
			"another token":           {claim("ath", "LxLdKLnRBTjmSSwPQZsOIXfNbJ0Bs6NyRWqnxdzGkuM"), false},
			"no token":                {claim("ath", nil), false},
			"no typ":                  {header("typ", nil), false},
			"another typ":             {header("typ", "JWT"), false},
			"no key":                  {header("jwk", nil), false},
			"another key":             {func(p dpoptest.Parts) { p.Header["jwk"] = other.Private().Public() }, false},
			"a private key":           {header("jwk", key.Private()), false},
			"a symmetric key":         {header("jwk", map[string]string{"kty": "oct", "k": "c2VjcmV0"}), false},
			"none":                    {header("alg", "none"), false},
			"HS256":                   {header("alg", "HS256"), false},
			"RS256":                   {header("alg", "RS256"), false},
			"what must be understood": {func(p dpoptest.Parts) { p.Header["crit"], p.Header["x"] = []string{"x"}, 1 }, false},
		} {
			proof := key.Proof(t, http.MethodPost, address, token, func(p dpoptest.Parts) {
				p.Claims["iat"] = at
				if c.change != nil {
					c.change(p)
				}
			})
			read, err := verifier.Read(request(proof), dpop.Demand{Token: token})
			want := dpop.CodeProof
			if c.taken {
				want = ""
			}
			if got := code(t, err); got != want {
				t.Errorf("%s: %q, want %q (%v)", what, got, want, err)
			} else if c.taken && !read.Is(key.Thumbprint) {
				t.Errorf("%s: another key", what)
			}
		}
		if read, err := verifier.Read(oidc.Request{Header: http.Header{}}, dpop.Demand{}); read != nil || err != nil {
			t.Errorf("no proof: %v, %v", read, err)
		}
		good := key.Proof(t, http.MethodPost, address, "", func(p dpoptest.Parts) { p.Claims["iat"] = at })
		for what, r := range map[string]oidc.Request{
			"two": request(good, good), "empty": request(""), "cut": request(good[:len(good)-1]),
			"two in one": request(good + ", " + good), "long": request(good + strings.Repeat("A", 9000)),
			"to another address": {Method: "POST", Path: oidc.PathPAR, Header: http.Header{"Dpop": {good}}},
		} {
			if _, err := verifier.Read(r, dpop.Demand{}); code(t, err) != dpop.CodeProof {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// Every signature that is advertised can be used, and no key that is too small or of another curve.
func TestAlgorithmsOfProofs(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		verifier := dpop.Verifier{Provider: h.Provider}
		_, edwards, _ := ed25519.GenerateKey(rand.Reader)
		curve, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		for _, c := range []struct {
			alg   jose.SignatureAlgorithm
			key   any
			taken bool
		}{
			{jose.EdDSA, edwards, true}, {jose.PS256, keystest.RSAKey(t), true}, {jose.RS256, keystest.RSAKey(t), false},
			{jose.ES384, curve, false},
		} {
			options := (&jose.SignerOptions{EmbedJWK: true}).WithType(dpop.Type)
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: c.alg, Key: c.key}, options)
			if err != nil {
				t.Fatal(err)
			}
			claims := fmt.Appendf(nil, `{"jti":"x","htm":"POST","htu":"%s/token","iat":%d}`, h.Issuer, h.Clock.Unix())
			signed, err := signer.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			proof, _ := signed.CompactSerialize()
			if _, err := verifier.Read(request(proof), dpop.Demand{}); (err == nil) != c.taken {
				t.Errorf("%s: %v", c.alg, err)
			}
		}
	})
}

// A proof counts once, however many come at the same time; the same jti of another key is another proof.
func TestProofCountsOnce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		verifier := dpop.Verifier{Provider: h.Provider}
		read := func() *dpop.Proof {
			proof := dpoptest.NewKey(t).Proof(t, http.MethodPost, h.Issuer+oidc.PathToken, "", func(p dpoptest.Parts) {
				p.Claims["iat"], p.Claims["jti"] = h.Clock.Unix(), "one"
			})
			made, err := verifier.Read(request(proof), dpop.Demand{})
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		for range 2 {
			proof, all, counted := read(), sync.WaitGroup{}, atomic.Int32{}
			for range 8 {
				all.Go(func() {
					if err := verifier.Use(t.Context(), proof); err == nil {
						counted.Add(1)
					} else if code(t, err) != dpop.CodeProof {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if counted.Load() != 1 {
				t.Errorf("it counted %d times", &counted)
			}
		}
	})
}

// Where a nonce is demanded it says when a proof was made, whatever the clock of the client says.
func TestNonce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		verifier, key := dpop.Verifier{Provider: h.Provider}, dpoptest.NewKey(t)
		read := func(nonce any) (*dpop.Proof, error) {
			return verifier.Read(request(key.Proof(t, http.MethodPost, h.Issuer+oidc.PathToken, "", func(p dpoptest.Parts) {
				p.Claims["nonce"], p.Claims["iat"] = nonce, 1
			})), dpop.Demand{Nonce: true})
		}
		var asked *oidc.Error
		for _, wrong := range []any{nil, "", "x"} {
			if _, err := read(wrong); !errors.As(err, &asked) || asked.Code != dpop.CodeNonce || asked.DPoPNonce == "" {
				t.Fatalf("%v: %v", wrong, err)
			}
		}
		nonce := asked.DPoPNonce
		for _, c := range []struct {
			after       time.Duration
			taken, next bool
		}{{0, true, false}, {time.Minute, true, true}, {time.Minute, true, true}, {time.Minute, false, false}} {
			h.Clock = h.Clock.Add(c.after)
			proof, err := read(nonce)
			switch {
			case c.taken != (err == nil):
				t.Errorf("after %s: %v", c.after, err)
			case c.taken && (proof.NextNonce != "" && proof.NextNonce != nonce) != c.next:
				t.Errorf("after %s the next nonce is %q", c.after, proof.NextNonce)
			}
		}
	})
}
