package tokens

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/storage"
)

// Confirmation is the claim cnf of an access token, by which it is bound to a key: RFC 7800, section 3.
type Confirmation struct {
	DPoPKey string `json:"jkt,omitempty"` // RFC 9449, section 6.1
}

// Presented is an access token as a request presents it.
type Presented struct {
	oidc.Request

	Token string
	DPoP  bool // by the scheme DPoP, which comes with a proof (RFC 9449, section 7.1), not as a bearer token
}

// Present reads the header Authorization of a request to an API of this server's own. Its Token is empty where the
// header holds none.
func Present(r oidc.Request) Presented {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p := Presented{Request: r}
	switch {
	case strings.EqualFold(scheme, dpop.Header):
		p.DPoP, p.Token = true, strings.TrimSpace(token)
	case strings.EqualFold(scheme, "Bearer"):
		p.Token = strings.TrimSpace(token)
	}
	return p
}

// demandHolder demands of who presents an access token that is bound to a key that they prove to hold it: RFC 9449,
// section 7.1. A token that is bound to none cannot be presented as if it were.
func (p *Service) demandHolder(ctx context.Context, claims *AccessClaims, shown Presented) error {
	if claims.Confirmation == nil {
		if shown.DPoP {
			return badToken(shown)
		}
		return nil
	}
	if !shown.DPoP {
		return badToken(Presented{DPoP: true})
	}
	client, err := p.Clients.ByID(ctx, claims.ClientID)
	if errors.Is(err, storage.ErrNotFound) {
		return badToken(shown)
	} else if err != nil {
		return oidc.ServerError(err)
	}
	verifier := dpop.Verifier{Provider: p.Provider}
	proof, err := verifier.Read(shown.Request, dpop.Demand{Token: shown.Token, Nonce: client.DPoPNonce})
	switch {
	case err != nil:
		return challenged(err)
	case proof == nil:
		return challenged(dpop.Missing())
	case !proof.Is(claims.Confirmation.DPoPKey):
		return badToken(shown)
	}
	return challenged(verifier.Use(ctx, proof))
}

// challenged is what an API answers where a proof is not good: RFC 9449, section 7.1.
func challenged(err error) error {
	var refused *oidc.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
		return err
	}
	answer := *refused
	answer.Status, answer.Challenge = http.StatusUnauthorized, dpop.Challenge(refused.Code)
	return &answer
}
