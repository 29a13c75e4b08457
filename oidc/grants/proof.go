package grants

import (
	"context"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// readProof verifies the proof of a key that tokens are to be bound to, where one comes with the request: RFC 9449,
// section 5.
func (e *exchange) readProof(r oidc.Request) (err error) {
	e.proof, err = dpop.Verifier{Provider: e.service.Provider}.Read(r, dpop.Demand{Nonce: e.client.DPoPNonce})
	if err == nil && e.proof == nil && e.client.DPoPBound {
		return dpop.Missing()
	}
	return err
}

// useProof has the proof count once, before anything is used up or told for it.
func (e *exchange) useProof(ctx context.Context) error {
	return dpop.Verifier{Provider: e.service.Provider}.Use(ctx, e.proof)
}

// demandKey demands the key that a code or a refresh token is bound to: sections 5 and 10. Who does not prove it learns
// nothing, and ends nothing.
func (w *work) demandKey(thumbprint, noun string) error {
	if thumbprint == "" || w.proof.Is(thumbprint) {
		return nil
	}
	w.fault = oidc.InvalidGrant("The "+noun+" is bound to a key, and the request does not prove that one.").
		Because(oidc.WrongKey, nil)
	return w.fault
}

// key is the thumbprint of the key that is proved; empty: none is.
func (w *work) key() string {
	if w.proof == nil {
		return ""
	}
	return w.proof.Thumbprint
}

// refreshKey is the thumbprint of the key that a refresh token is bound to. That of a client that has a secret of its
// own is bound to the client already, and its keys may change: RFC 9449, section 5.
func (w *work) refreshKey() string {
	if !w.client.IsPublic() {
		return ""
	}
	return w.key()
}

// accessToken is what the access token is made of.
func (w *work) accessToken() tokens.AccessToken {
	return tokens.AccessToken{Client: w.client, Grant: w.grant, API: w.api, Scopes: w.scopes, DPoPKey: w.key()}
}
