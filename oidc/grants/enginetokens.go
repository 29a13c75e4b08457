package grants

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"

	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
)

// engineTokens makes the tokens that fosite asks for: codes and refresh tokens of 256 random bits that are known by
// their digest, access tokens and ID tokens as JWTs of ours.
type engineTokens struct{ service *Service }

var (
	_ oauth2.CoreStrategy               = engineTokens{}
	_ openid.OpenIDConnectTokenStrategy = engineTokens{}
)

func (engineTokens) GenerateAuthorizeCode(context.Context, fosite.Requester) (token, signature string, err error) {
	token = storage.NewSecret()
	return token, string(storage.Digest(token)), nil
}

func (engineTokens) AuthorizeCodeSignature(_ context.Context, token string) string {
	return string(storage.Digest(token))
}

// ValidateAuthorizeCode has nothing to add: the store finds no code that has expired.
func (engineTokens) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error {
	return nil
}

func (t engineTokens) GenerateRefreshToken(
	ctx context.Context, _ fosite.Requester,
) (token, signature string, err error) {
	w := workOf(ctx)
	if w.keepsRefreshToken() {
		return w.presented, string(w.refresh.Hash), nil
	}
	token = storage.NewSecret()
	if w.refresh != nil {
		var known []byte
		if w.repeat {
			known = w.refresh.SuccessorHash
		}
		next, ok := t.service.Tokens.Successor(w.presented, known)
		if !ok {
			return "", "", fosite.ErrNotFound
		}
		token = next
	}
	w.issuedText = token
	return token, string(storage.Digest(token)), nil
}

func (engineTokens) RefreshTokenSignature(_ context.Context, token string) string {
	return string(storage.Digest(token))
}

// ValidateRefreshToken has nothing to add: the store finds no refresh token that has expired.
func (engineTokens) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

func (t engineTokens) GenerateAccessToken(
	ctx context.Context, _ fosite.Requester,
) (token, signature string, err error) {
	w := workOf(ctx)
	token, err = t.service.Tokens.SignAccessToken(ctx, w.accessToken(), w.now)
	return token, "", w.refuse(err)
}

func (engineTokens) AccessTokenSignature(context.Context, string) string { return "" }

func (engineTokens) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return errors.New("access tokens are verified outside of fosite")
}

func (t engineTokens) GenerateIDToken(ctx context.Context, _ time.Duration, request fosite.Requester) (string, error) {
	w := workOf(ctx)
	person, err := w.readPerson(ctx)
	if err != nil {
		w.fault = err
		return "", err
	}
	answer := ctx.Value(fosite.AccessResponseContextKey).(fosite.AccessResponder)
	nonce := ""
	if w.code != nil {
		nonce = w.code.Nonce
	}
	token, err := t.service.Tokens.SignIDToken(ctx, tokens.IDToken{
		Client: w.client, Grant: w.grant, Scopes: request.GetGrantedScopes(), Person: person, Nonce: nonce,
		AccessToken: answer.GetAccessToken(),
	}, w.now)
	return token, w.refuse(err)
}

// refuse turns why a token could not be made into what fosite understands: the person was erased a moment ago, or it is
// a fault of ours.
func (w *work) refuse(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotFound):
		return fosite.ErrNotFound
	}
	w.fault = err
	return err
}
