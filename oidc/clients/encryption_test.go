package clients_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// rsaKey makes an RSA key of so many bits.
func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keySetOf(t *testing.T, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	encoded, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// What is encrypted for an app in any of the ways is opened by its key, and by no other.
func TestWhatIsEncryptedForAnApp(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	rsaPrivate, ecPrivate, other := rsaKey(t, 2048), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P384())
	client := &clients.Client{JWKS: keySetOf(t,
		jose.JSONWebKey{Key: &rsaPrivate.PublicKey, KeyID: "rsa", Use: "enc"},
		jose.JSONWebKey{Key: &ecPrivate.PublicKey, KeyID: "ec", Use: "enc"},
	)}
	for _, alg := range clients.KeyAlgs {
		for _, enc := range clients.ContentAlgs {
			how := clients.Encryption{Alg: string(alg), Enc: string(enc)}
			encrypted, err := h.Clients.Encrypt(t.Context(), client, how, "a.b.c")
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := jose.ParseEncryptedCompact(encrypted, []jose.KeyAlgorithm{alg}, []jose.ContentEncryption{enc})
			if err != nil {
				t.Fatalf("%s, %s: %v", alg, enc, err)
			}
			private, kid := any(ecPrivate), "ec"
			if alg == jose.RSA_OAEP_256 {
				private, kid = rsaPrivate, "rsa"
			}
			if text, err := parsed.Decrypt(private); err != nil || string(text) != "a.b.c" {
				t.Errorf("%s, %s: %q, %v", alg, enc, text, err)
			}
			if _, err := parsed.Decrypt(other); err == nil {
				t.Errorf("%s, %s: another key opens it", alg, enc)
			}
			if parsed.Header.KeyID != kid || parsed.Header.ExtraHeaders[jose.HeaderContentType] != "JWT" ||
				parsed.Header.ExtraHeaders["zip"] != nil {
				t.Errorf("%s, %s: the header %+v", alg, enc, parsed.Header)
			}
		}
	}
	plain, err := h.Clients.Encrypt(t.Context(), client, clients.Encryption{}, "a.b.c")
	if err != nil || plain != "a.b.c" {
		t.Errorf("not encrypted: %q, %v", plain, err)
	}
}

// A key is used for what it is for: not one for signatures, of another algorithm, too weak, or too large for us.
func TestWithWhichKeyOfAnApp(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	rsaPublic, ecPublic := &rsaKey(t, 2048).PublicKey, &ecKey(t, elliptic.P256()).PublicKey
	weak := &rsaKey(t, 1024).PublicKey
	okp, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := func(public any, use, alg string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: public, KeyID: use + " " + alg, Use: use, Algorithm: alg}
	}
	for name, c := range map[string]struct {
		alg  jose.KeyAlgorithm
		keys []jose.JSONWebKey
		kid  string // empty: none
	}{
		"says enc":                      {jose.RSA_OAEP_256, []jose.JSONWebKey{key(rsaPublic, "sig", ""), key(rsaPublic, "", ""), key(rsaPublic, "enc", "")}, "enc "},
		"says nothing":                  {jose.RSA_OAEP_256, []jose.JSONWebKey{key(rsaPublic, "sig", ""), key(ecPublic, "enc", ""), key(rsaPublic, "", "")}, " "},
		"for signatures":                {jose.RSA_OAEP_256, []jose.JSONWebKey{key(rsaPublic, "sig", "")}, ""},
		"for signatures, by its alg":    {jose.RSA_OAEP_256, []jose.JSONWebKey{key(rsaPublic, "", "RS256")}, ""},
		"of another algorithm":          {jose.RSA_OAEP_256, []jose.JSONWebKey{key(rsaPublic, "enc", "RSA-OAEP")}, ""},
		"of this algorithm":             {jose.ECDH_ES_A256KW, []jose.JSONWebKey{key(ecPublic, "enc", "ECDH-ES"), key(ecPublic, "enc", "ECDH-ES+A256KW")}, "enc ECDH-ES+A256KW"},
		"of another kind":               {jose.ECDH_ES, []jose.JSONWebKey{key(rsaPublic, "enc", "")}, ""},
		"of a kind that cannot encrypt": {jose.ECDH_ES, []jose.JSONWebKey{key(okp, "enc", "")}, ""},
		"of an even modulus":            {jose.RSA_OAEP_256, []jose.JSONWebKey{key(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, "enc", "")}, ""},
		"of an even exponent":           {jose.RSA_OAEP_256, []jose.JSONWebKey{key(&rsa.PublicKey{N: rsaPublic.N, E: 65536}, "enc", "")}, ""},
		"of a long exponent":            {jose.RSA_OAEP_256, []jose.JSONWebKey{key(&rsa.PublicKey{N: rsaPublic.N, E: 1<<31 + 1}, "enc", "")}, ""},
		"weak":                          {jose.RSA_OAEP_256, []jose.JSONWebKey{key(weak, "enc", "")}, ""},
	} {
		client := &clients.Client{
			Name: "App", RedirectURIs: []string{"https://app.example/"}, JWKS: keySetOf(t, c.keys...),
			IDTokenEncryption: clients.Encryption{Alg: string(c.alg)},
		}
		if err := client.Complete(); (err == nil) != (c.kid != "") || err != nil && !errors.Is(err, clients.ErrClient) {
			t.Errorf("%s: registered: %v", name, err)
		}
		encrypted, err := h.Clients.Encrypt(t.Context(), client, client.IDTokenEncryption, "a.b.c")
		if c.kid == "" {
			if refused := (*oidc.Error)(nil); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		parsed, parseErr := jose.ParseEncryptedCompact(encrypted, clients.KeyAlgs, clients.ContentAlgs)
		if err != nil || parseErr != nil || parsed.Header.KeyID != c.kid {
			t.Errorf("%s: %+v, %v, %v", name, parsed, err, parseErr)
		}
	}
}

// What an app may be registered with: OpenID Connect Dynamic Client Registration, section 2.
func TestHowAppsMayAskForEncryption(t *testing.T) {
	t.Parallel()
	set := keySetOf(t, jose.JSONWebKey{Key: &rsaKey(t, 2048).PublicKey})
	for name, c := range map[string]struct {
		client clients.Client
		fault  string
	}{
		"an alg alone":                       {clients.Client{JWKS: set, IDTokenEncryption: clients.Encryption{Alg: "RSA-OAEP-256"}}, ""},
		"an enc alone":                       {clients.Client{JWKS: set, IDTokenEncryption: clients.Encryption{Enc: "A256GCM"}}, "needs id_token_encrypted_response_alg"},
		"RSA1_5":                             {clients.Client{JWKS: set, UserinfoEncryption: clients.Encryption{Alg: "RSA1_5"}}, "is not one of"},
		"dir":                                {clients.Client{JWKS: set, UserinfoEncryption: clients.Encryption{Alg: "dir"}}, "is not one of"},
		"PBES2":                              {clients.Client{JWKS: set, ResponseEncryption: clients.Encryption{Alg: "PBES2-HS256+A128KW"}}, "is not one of"},
		"an enc that there is not":           {clients.Client{JWKS: set, ResponseEncryption: clients.Encryption{Alg: "RSA-OAEP-256", Enc: "A192GCM"}}, "is not one of"},
		"no keys":                            {clients.Client{IntrospectionEncryption: clients.Encryption{Alg: "ECDH-ES"}}, "needs public keys"},
		"keys elsewhere":                     {clients.Client{JWKSURI: "https://app.example/keys", IntrospectionEncryption: clients.Encryption{Alg: "ECDH-ES"}}, ""},
		"a signature that there is not":      {clients.Client{IntrospectionAlg: "HS256"}, "introspection"},
		"a signature of introspection, good": {clients.Client{IntrospectionAlg: "EdDSA"}, ""},
	} {
		client := c.client
		client.Name, client.RedirectURIs = "App", []string{"https://app.example/"}
		err := client.Complete()
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
		if c.fault == "" && client.IDTokenEncryption.Alg != "" && client.IDTokenEncryption.Enc != "A128CBC-HS256" {
			t.Errorf("%s: by default %q", name, client.IDTokenEncryption.Enc)
		}
	}
	client := clients.Client{
		Name: "App", RedirectURIs: []string{"https://app.example/"}, JWKS: set,
		UserinfoEncryption: clients.Encryption{Alg: "RSA-OAEP-256", Enc: "A256GCM"},
	}
	if err := client.Complete(); err != nil || client.UserinfoAlg != "RS256" {
		t.Errorf("userinfo that is encrypted is signed with %q, %v", client.UserinfoAlg, err)
	}
}

// A set that has no key for encryption is fetched again, but not for each answer; one that cannot be fetched is for
// later.
func TestEncryptionKeysAreFetched(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	var mu sync.Mutex
	var set json.RawMessage
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		_, _ = w.Write(set)
	}))
	defer server.Close()
	serve := func(keys json.RawMessage) (before int) {
		mu.Lock()
		defer mu.Unlock()
		set = keys
		return requests
	}
	asked := func() int { mu.Lock(); defer mu.Unlock(); return requests }
	public := &ecKey(t, elliptic.P256()).PublicKey
	client := &clients.Client{Origin: clients.OriginOperator, JWKSURI: server.URL}
	encrypt := func(ctx context.Context) error {
		_, err := h.Clients.Encrypt(ctx, client, clients.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"}, "a.b.c")
		return err
	}
	refusal := func(err error) string {
		refused := (*oidc.Error)(nil)
		if errors.As(err, &refused) {
			return refused.Code
		}
		return ""
	}
	serve(keySetOf(t, jose.JSONWebKey{Key: public, Use: "sig"}))
	for range 3 {
		if err := encrypt(t.Context()); refusal(err) != "invalid_request" {
			t.Errorf("no key for encryption: %v", err)
		}
	}
	if asked() != 1 {
		t.Errorf("fetched %d times at once", asked())
	}
	before := serve(keySetOf(t, jose.JSONWebKey{Key: public, Use: "sig"}, jose.JSONWebKey{Key: public, Use: "enc"}))
	h.Pass(time.Minute)
	for range 3 {
		if err := encrypt(t.Context()); err != nil {
			t.Errorf("with a new key: %v", err)
		}
	}
	if asked() != before+1 {
		t.Errorf("fetched %d times for a new key", asked()-before)
	}
	server.Close()
	h.Pass(time.Hour)
	if err := encrypt(t.Context()); refusal(err) != oidc.CodeUnavailable {
		t.Errorf("keys that cannot be fetched: %v", err)
	}
}

// A key that is for encryption verifies nothing.
func TestEncryptionKeysVerifyNoSignatures(t *testing.T) {
	t.Parallel()
	private := oidctest.NewAppKey(t)
	token := oidctest.Assertion(t, jose.ES256, private, "", map[string]any{"iss": "app"})
	for use, verifies := range map[string]bool{"sig": true, "": true, "enc": false} {
		set := keySetOf(t, jose.JSONWebKey{Key: &private.PublicKey, Use: use})
		if clients.VerifiesBy(set, token) != verifies {
			t.Errorf("use %q: verifies %v, want %v", use, !verifies, verifies)
		}
	}
}
