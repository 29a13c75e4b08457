package clients

import (
	"context"
	"log/slog"
	"time"
)

// What the tests see of this package besides what everybody sees.
const (
	ClockSkew       = clockSkew
	KeysBelieved    = keysBelieved
	MaxAssertionAge = maxAssertionAge
)

// ForbiddenSchemes are those that no redirect URI may have.
var ForbiddenSchemes = forbiddenSchemes

// CheckRedirectURI says what is wrong with a redirect URI that is to be registered.
func CheckRedirectURI(uri string) error { return checkRedirectURI(uri) }

// VerifierOf returns what verifies a JWT by the keys behind that URI.
func VerifierOf(now func() time.Time) func(ctx context.Context, uri, token string) error {
	remote := newRemoteKeys(false, now, slog.New(slog.DiscardHandler))
	return func(ctx context.Context, uri, token string) error {
		_, err := keysAt{remote, "app", uri}.VerifySignature(ctx, token)
		return err
	}
}
