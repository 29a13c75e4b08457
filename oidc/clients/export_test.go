package clients

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc/redirection"
)

// What the tests see of this package besides what everybody sees.
const (
	ClockSkew       = clockSkew
	KeysBelieved    = keysBelieved
	MaxAssertionAge = maxAssertionAge
)

// ForbiddenSchemes are those that no redirect URI may have.
var ForbiddenSchemes = redirection.ForbiddenSchemes

// CheckRedirectURI says what is wrong with a redirect URI that is to be registered.
func CheckRedirectURI(uri string) error { return redirection.Check(uri) }

// VerifierOf returns what verifies a JWT by the keys behind that URI.
func VerifierOf(now func() time.Time) func(ctx context.Context, uri, token string) error {
	remote := newRemoteKeys(false, now, slog.New(slog.DiscardHandler))
	return func(ctx context.Context, uri, token string) error {
		_, err := keysAt{remote, &Client{ID: "app", Origin: OriginOperator}, uri}.VerifySignature(ctx, token)
		return err
	}
}

// ReadKeySet returns the keys of a JWK set that an app may have.
func ReadKeySet(set []byte) ([]jose.JSONWebKey, error) {
	known, err := parseJWKS(set)
	return known.Keys, err
}

// VerifiesBy tells whether one of the keys of a JWK set verifies a JWT.
func VerifiesBy(set []byte, token string) bool {
	known, err := parseJWKS(set)
	if err != nil {
		return false
	}
	_, err = known.VerifySignature(context.Background(), token)
	return err == nil
}
