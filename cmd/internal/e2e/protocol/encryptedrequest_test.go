package protocol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/registration"
)

// An app that nobody here wrote finds in discovery how it may encrypt its requests, registers, and finds the key.
func TestAppsEncryptTheirRequests(t *testing.T) {
	t.Parallel()
	eachRegistering(t, registration.Open, func(t *testing.T, h *harness.Server) {
		var says struct {
			Algs []jose.KeyAlgorithm      `json:"request_object_encryption_alg_values_supported"`
			Encs []jose.ContentEncryption `json:"request_object_encryption_enc_values_supported"`
		}
		fetchJSON(t, h.Issuer+oidc.PathConfiguration, &says)
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for i, alg := range says.Algs {
			enc := says.Encs[i%len(says.Encs)]
			registered := registers(t, h, http.MethodPost, oidc.PathClients, "", metadata{
				"redirect_uris": []string{harness.RedirectURI}, "request_object_encryption_alg": alg,
				"request_object_encryption_enc": enc, "request_object_signing_alg": "ES256",
				"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "app"}}},
			})
			if registered.Status != http.StatusCreated || registered.JSON["request_object_encryption_enc"] != string(enc) {
				t.Fatalf("%s: %d %v", alg, registered.Status, registered.JSON)
			}
			id, _ := registered.JSON["client_id"].(string)
			object := encryptedRequest(t, h, private, alg, enc, map[string]any{
				"iss": id, "aud": h.Issuer, "client_id": id, "exp": time.Now().Add(time.Minute).Unix(), "response_type": "code",
				"redirect_uri": harness.RedirectURI, "scope": "openid", "state": "inside", "prompt": "none",
			})
			ask := url.Values{"client_id": {id}, "request": {object}, "state": {"outside"}, "scope": {"openid"}}
			shown := h.NewBrowser(t).Get(t, h.Issuer+oidc.PathAuthorize+"?"+ask.Encode())
			answer, _ := answered(t, shown)
			if answer.Get("error") != "login_required" || answer.Get("state") != "inside" {
				t.Errorf("%s, %s: %s %v", alg, enc, shown.Status, answer)
			}
		}
	})
}

// encryptedRequest signs and encrypts claims by what the server publishes.
func encryptedRequest(
	t *testing.T, h *harness.Server, private *ecdsa.PrivateKey, alg jose.KeyAlgorithm, enc jose.ContentEncryption,
	claims map[string]any,
) string {
	t.Helper()
	var set jose.JSONWebKeySet
	fetchJSON(t, h.Issuer+oidc.PathJWKS, &set)
	n := slices.IndexFunc(set.Keys, func(k jose.JSONWebKey) bool { return k.Use == "enc" && k.Algorithm == string(alg) })
	if n < 0 {
		t.Fatalf("no key is published for %s", alg)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	encrypter, err := jose.NewEncrypter(
		enc, jose.Recipient{Algorithm: alg, Key: set.Keys[n].Key, KeyID: set.Keys[n].KeyID},
		new(jose.EncrypterOptions).WithContentType("oauth-authz-req+jwt"),
	)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := encrypter.Encrypt([]byte(inside))
	if err != nil {
		t.Fatal(err)
	}
	object, err := sealed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func fetchJSON(t *testing.T, address string, into any) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}
