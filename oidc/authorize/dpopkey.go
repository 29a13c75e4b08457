package authorize

import (
	"context"
	"net/url"
	"regexp"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
)

var thumbprint = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// checkDPoPKey checks the key that the code is to be bound to: RFC 9449, section 10.
func checkDPoPKey(_ context.Context, _ *Service, a *Request) *oidc.Error {
	if key := a.form.Get("dpop_jkt"); key != "" && !thumbprint.MatchString(key) {
		return oidc.InvalidRequest("dpop_jkt must be the SHA-256 thumbprint of a key in base64url: 43 characters.")
	}
	return nil
}

// bindPushed binds the code of a pushed request to the key that the app proves with it: RFC 9449, section 10.1. It
// returns an *oidc.Error where the proof is not good, or of another key than the request names.
func bindPushed(
	ctx context.Context, verifier dpop.Verifier, r oidc.Request, client *clients.Client, form url.Values,
) error {
	proof, err := verifier.Read(r, dpop.Demand{Nonce: client.DPoPNonce})
	if err != nil || proof == nil {
		return err
	}
	if key := form.Get("dpop_jkt"); key != "" && !proof.Is(key) {
		return oidc.InvalidRequest("dpop_jkt names another key than the DPoP proof.")
	}
	if err := verifier.Use(ctx, proof); err != nil {
		return err
	}
	form.Set("dpop_jkt", proof.Thumbprint)
	return nil
}
