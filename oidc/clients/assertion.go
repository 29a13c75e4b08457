package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

const (
	AssertionType   = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	clockSkew       = 30 * time.Second
	maxAssertionAge = 15 * time.Minute // a mark is kept for each assertion until it expires
)

// verifyAssertion authenticates a client by a JWT that it signed with its private key: RFC 7523, section 3, and OpenID
// Connect Core, section 9 (private_key_jwt). Each assertion works once: the caller sets its
// mark before anything is done for it.
func (p *Store) verifyAssertion(
	ctx context.Context, r oidc.Request,
) (*Client, *storage.OneTimeMark, error) {
	assertion, id := r.Form.Get("client_assertion"), r.Form.Get("client_id")
	if r.Form.Get("client_assertion_type") != AssertionType {
		return nil, nil, errors.New("client_assertion_type must be " + AssertionType)
	}
	token, err := jwt.ParseSigned(assertion, AssertionAlgs)
	if err != nil {
		return nil, nil, errors.New("client_assertion is not a JWT signed with an algorithm that we accept")
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || oidc.CheckText(claims.Subject) != nil ||
		oidc.CheckText(claims.ID) != nil {
		return nil, nil, errors.New("client_assertion has malformed claims")
	}
	if claims.Subject == "" || claims.Issuer != claims.Subject || (id != "" && id != claims.Subject) {
		return nil, nil, errors.New("iss and sub of client_assertion must both be the client_id")
	}
	client, err := p.proven(ctx, claims.Subject, func(client *Client) error {
		if !signs(client) {
			return errWrongClient
		}
		keys, err := p.keySet(client)
		if err != nil {
			return oidc.ServerError(err)
		}
		if _, err := keys.VerifySignature(ctx, assertion); err != nil {
			return errWrongClient
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	now := p.Now()
	names := []string{p.Issuer, p.Issuer + oidc.PathToken}
	if r.Path == oidc.PathPAR { // RFC 9126, section 2
		names = append(names, p.Issuer+oidc.PathPAR)
	}
	if profile := ProfileOf(client); !profile.Takes(token.Headers[0].Algorithm) {
		return nil, nil, errOtherAlg
	} else if profile.IssuerAlone && !namesAlone(token, p.Issuer) {
		return nil, nil, fmt.Errorf("aud of client_assertion must be %s, as a string", p.Issuer)
	}
	// alone: who else is named could send it on to us
	if len(claims.Audience) != 1 || !slices.Contains(names, claims.Audience[0]) {
		return nil, nil, fmt.Errorf("aud of client_assertion must be %s, and nothing else", p.Issuer)
	}
	if claims.Expiry == nil || claims.ID == "" {
		return nil, nil, errors.New("client_assertion needs exp and jti")
	}
	expiry := claims.Expiry.Time()
	if err := claims.ValidateWithLeeway(jwt.Expected{Time: now}, clockSkew); err != nil {
		return nil, nil, errAssertionTime
	}
	if expiry.After(now.Add(maxAssertionAge)) {
		return nil, nil, fmt.Errorf("client_assertion may live for at most %s", maxAssertionAge)
	}
	mark := storage.NewOneTimeMark("client assertion", client.ID+" "+claims.ID, expiry.Add(clockSkew))
	return client, mark, nil
}

// namesAlone tells whether the aud of a JWT is one text, and that.
func namesAlone(token *jwt.JSONWebToken, issuer string) bool {
	var claims struct {
		Audience any `json:"aud"`
	}
	return token.UnsafeClaimsWithoutVerification(&claims) == nil && claims.Audience == issuer
}

// AssertionAlgs are the signatures that clients may use: asymmetric ones, and none that is weak.
var AssertionAlgs = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// keySet is the public keys of a client: they verify its signatures, and encrypt for it.
type keySet interface {
	VerifySignature(ctx context.Context, token string) (payload []byte, err error)
	EncryptionKey(ctx context.Context, alg jose.KeyAlgorithm) (*jose.JSONWebKey, error)
}

// keySet returns the public keys of a client.
func (p *Store) keySet(client *Client) (keySet, error) {
	if client.JWKSURI == "" {
		return parseJWKS(client.JWKS)
	}
	return keysAt{p.remoteKeys, client, client.JWKSURI}, nil
}

// VerifySignature returns what a client has signed with one of its keys, by one of AssertionAlgs.
func (p *Store) VerifySignature(ctx context.Context, client *Client, token string) ([]byte, error) {
	keys, err := p.keySet(client)
	if err != nil {
		return nil, err
	}
	return keys.VerifySignature(ctx, token)
}

// registeredKeys are the public keys that a client was registered with.
type registeredKeys jose.JSONWebKeySet

// parseJWKS reads a JWK set. Keys of a kind that we do not know are passed over: RFC 7517, section 5.
func parseJWKS(raw json.RawMessage) (registeredKeys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return registeredKeys{}, errNoKeySet
	}
	var known registeredKeys
	for _, encoded := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(encoded, &key); err != nil {
			var kind struct {
				Type string `json:"kty"`
			}
			if json.Unmarshal(encoded, &kind) != nil || kind.Type == "" {
				return registeredKeys{}, errNoKeySet
			}
			continue
		}
		if !key.Valid() || !key.IsPublic() {
			return registeredKeys{}, errors.New("the JWK set holds a key that is not a public key")
		}
		known.Keys = append(known.Keys, key)
	}
	if len(known.Keys) == 0 {
		return registeredKeys{}, errNoKeySet
	}
	return known, nil
}

var errNoKeySet = errors.New(
	`the JWK set must look like {"keys":[...]} and hold at least one public key that verifies one of our algorithms`)

// EncryptionKey is encryptionKey.
func (r registeredKeys) EncryptionKey(_ context.Context, alg jose.KeyAlgorithm) (*jose.JSONWebKey, error) {
	return r.encryptionKey(alg)
}

// VerifySignature returns the payload of a JWT that one of the keys signed; not one that is for encryption.
func (r registeredKeys) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, AssertionAlgs)
	if err != nil {
		return nil, err
	}
	for _, key := range r.Keys {
		if kid := signed.Signatures[0].Protected.KeyID; kid != "" && key.KeyID != "" && kid != key.KeyID {
			continue
		}
		if key.Use == useEncryption {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no registered key made this signature")
}
