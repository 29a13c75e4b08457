package grants

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	fositestorage "github.com/ory/fosite/storage"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// engineStore is fosite's view of our tables. PKCE and OpenID data live in the row of the code and access tokens are
// not stored, so most of its methods have nothing to do.
type engineStore struct{ service *Service }

var (
	_ oauth2.CoreStorage                 = engineStore{}
	_ oauth2.TokenRevocationStorage      = engineStore{}
	_ openid.OpenIDConnectRequestStorage = engineStore{}
	_ pkce.PKCERequestStorage            = engineStore{}
	_ fositestorage.Transactional        = engineStore{} // found by type assertion, and silently skipped without this
)

func (s engineStore) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	client, err := s.service.Clients.ByID(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fosite.ErrNotFound.WithWrap(err)
	}
	return client, err
}

func (engineStore) ClientAssertionJWTValid(context.Context, string) error { return errUnused }

func (s engineStore) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errUnused
}

var errUnused = errors.New("clients are authenticated outside of fosite")

// The authorization code.

func (s engineStore) CreateAuthorizeCodeSession(ctx context.Context, signature string, request fosite.Requester) error {
	w, form := workOf(ctx), request.GetRequestForm()
	w.code = &Code{
		Hash: []byte(signature), GrantID: w.grant.ID, CodeChallenge: form.Get("code_challenge"), Nonce: form.Get("nonce"),
		CreatedAt: w.now, ExpiresAt: w.now.Add(s.service.Lifetimes.Code),
	}
	return nil
}

func (s engineStore) GetAuthorizeCodeSession(
	ctx context.Context, signature string, _ fosite.Session,
) (fosite.Requester, error) {
	w := workOf(ctx)
	if w.code != nil {
		return w.codeRequest()
	}
	found, err := s.service.codeByHash(ctx, []byte(signature), w.client)
	if errors.Is(err, storage.ErrNotFound) {
		w.reason = oidc.UnknownCode
		return nil, fosite.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	w.code, w.grant, w.person = &found.Code, found.Grant, &found.Person
	if err := w.demandKey(found.DPoPKey, "code"); err != nil { // before anything is told or ended
		return nil, err
	}
	if found.UsedAt != nil {
		w.reason = oidc.UsedCode
		request, err := w.codeRequest()
		return request, errors.Join(err, fosite.ErrInvalidatedAuthorizeCode)
	}
	w.stands = found.Grant.Stands(found.Standing, w.now)
	if !w.now.Before(found.ExpiresAt) || !w.stands {
		w.code, w.grant, w.reason = nil, nil, ended(w.stands, oidc.ExpiredCode)
		return nil, fosite.ErrNotFound
	}
	return w.codeRequest()
}

// codeRequest is the authorization request that the code was issued for, as fosite wants to see it.
func (w *work) codeRequest() (fosite.Requester, error) {
	form := url.Values{}
	for name, value := range map[string]string{
		"redirect_uri": w.code.RedirectURI, "nonce": w.code.Nonce, "code_challenge": w.code.CodeChallenge,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if w.code.CodeChallenge != "" {
		form.Set("code_challenge_method", "S256")
	}
	return w.grantRequest(form)
}

func (w *work) grantRequest(form url.Values) (fosite.Requester, error) {
	return &fosite.Request{
		ID: w.grant.ID.String(), RequestedAt: w.grant.CreatedAt,
		Client: &clients.Client{
			ID: w.grant.ClientID, GrantTypes: w.client.GrantTypes, AuthMethod: w.client.AuthMethod,
		},
		RequestedScope: w.grant.Scopes, GrantedScope: w.grant.Scopes, Form: form, Session: &engineSession{grant: w.grant},
	}, nil
}

func (engineStore) InvalidateAuthorizeCodeSession(context.Context, string) error { return nil } // Commit does

// The refresh token.

func (s engineStore) GetRefreshTokenSession(
	ctx context.Context, signature string, _ fosite.Session,
) (fosite.Requester, error) {
	w := workOf(ctx)
	found, err := s.service.Tokens.RefreshTokenByHash(ctx, []byte(signature), w.client)
	if errors.Is(err, storage.ErrNotFound) {
		w.reason = oidc.UnknownRefreshToken
		return nil, fosite.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	w.refresh, w.grant, w.person = &found.RefreshToken, found.Grant, &found.Person
	w.onDevice = found.SessionIsDevice
	if err := w.demandKey(found.RefreshToken.DPoPKey, "refresh token"); err != nil { // before a repeat is answered
		return nil, err
	}
	request, err := w.grantRequest(url.Values{})
	if err != nil {
		return nil, err
	}
	w.stands = found.Grant.Stands(found.Standing, w.now)
	if !w.now.Before(found.ExpiresAt) || !w.stands {
		w.reason = ended(w.stands, oidc.ExpiredRefreshToken)
		return nil, fosite.ErrNotFound
	}
	if found.UsedAt != nil {
		if w.repeat, err = w.mayRepeat(ctx, w.refresh); err != nil {
			return nil, err
		}
	}
	if found.UsedAt != nil && !w.repeat {
		w.reason = oidc.UsedRefreshToken
		return request, fosite.ErrInactiveToken
	}
	return request, nil
}

func (s engineStore) CreateRefreshTokenSession(ctx context.Context, _, _ string, _ fosite.Requester) error {
	w := workOf(ctx)
	if w.keepsRefreshToken() {
		return nil
	}
	w.issued = s.service.Tokens.NewRefreshToken(w.issuedText, w.grant, w.refreshKey(), w.now)
	return nil
}

func (engineStore) DeleteRefreshTokenSession(context.Context, string) error { return nil } // the family ends whole

func (engineStore) RotateRefreshToken(context.Context, string, string) error { return nil } // Commit does

// RevokeRefreshToken is what fosite calls when a code or a refresh token comes a second time.
func (engineStore) RevokeRefreshToken(ctx context.Context, _ string) error {
	return workOf(ctx).endFamily(ctx)
}

func (engineStore) RevokeAccessToken(context.Context, string) error { return nil } // they hang on the grant

// The unit of work.

func (engineStore) BeginTX(ctx context.Context) (context.Context, error) { return ctx, nil }

func (engineStore) Rollback(context.Context) error { return nil }

// Commit writes what the handlers did in one transaction: the code or refresh token is used up, its successor born.
func (s engineStore) Commit(ctx context.Context) error {
	w := workOf(ctx)
	if w.repeat || w.code == nil && w.issued == nil && !w.keepsRefreshToken() {
		return nil // a repeat is answered with what the first answer held; a family that ended is written already
	}
	draft := s.service.Database.Draft()
	claim, action := (*bun.UpdateQuery)(nil), "code_redeemed"
	switch {
	case w.code != nil:
		claim = useCode(draft, w.code.Hash, w.now)
	case w.keepsRefreshToken():
		claim = s.service.Tokens.ExtendRefreshToken(draft, w.refresh.Hash, w.grant, w.now)
		action = "refresh_token_redeemed"
	default:
		claim = tokens.UseRefreshToken(ctx, draft, w.refresh.Hash, w.issued.Hash, w.now)
		action = "refresh_token_redeemed"
	}
	record, err := audit.RecordStatement(ctx, draft, w.now, audit.Change{
		Entity: "grant", EntityID: w.grant.ID.String(), Action: action, UserID: w.grant.UserID,
		New: audit.Values{"client_id": w.client.ID},
	})
	if err != nil {
		return err
	}
	then := []schema.QueryAppender{record}
	if w.issued != nil {
		then = append(then, draft.NewInsert().Model(w.issued))
	}
	if w.onDevice {
		then = append(then, draft.NewUpdate().Model((*identity.Session)(nil)).
			Set("last_seen_at = ?", w.now).Set("last_seen_ip = ?", audit.ActorOf(ctx).IP).
			Where("id = ?", w.grant.SessionID))
	}
	claimed, err := s.service.Database.Claim(ctx, []*bun.UpdateQuery{claim}, then...)
	if err != nil || claimed {
		return err
	}
	if w.code == nil && !w.keepsRefreshToken() {
		return w.settleRace(ctx)
	}
	w.lost = true
	if w.code == nil {
		return nil
	}
	w.noteRival(ctx)
	return nil
}

// What has no row of its own.

func (engineStore) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return nil
}

func (engineStore) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

func (engineStore) DeleteAccessTokenSession(context.Context, string) error { return nil }

func (engineStore) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return nil
}

func (s engineStore) GetPKCERequestSession(
	ctx context.Context, signature string, session fosite.Session,
) (fosite.Requester, error) {
	request, err := s.GetAuthorizeCodeSession(ctx, signature, session)
	if err == nil && !request.GetRequestForm().Has("code_challenge") {
		return nil, fosite.ErrNotFound
	}
	return request, err
}

func (engineStore) DeletePKCERequestSession(context.Context, string) error { return nil }

func (engineStore) CreateOpenIDConnectSession(context.Context, string, fosite.Requester) error {
	return nil
}

func (engineStore) GetOpenIDConnectSession(
	ctx context.Context, _ string, _ fosite.Requester,
) (fosite.Requester, error) {
	request, err := workOf(ctx).codeRequest()
	if err == nil && !request.GetGrantedScopes().Has("openid") {
		return nil, fosite.ErrNotFound
	}
	return request, err
}

func (engineStore) DeleteOpenIDConnectSession(context.Context, string) error { return nil }
