package grants

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
)

// What happens when a code or a refresh token comes a second time: it may have been stolen, so the family
// ends, the grant with all its tokens (RFC 9700, sections 4.5.3.2 and 4.14.2). Two cases are no attack: a client that
// sends one code many times at once, and one that lost the answer to a refresh.

// keepsRefreshToken tells whether the refresh token that is used stays as it is, for the client proves a key with each:
// FAPI 2.0 Security Profile, section 5.3.2.1. One that was used up before the client had promised that is followed by
// its successor still.
func (w *work) keepsRefreshToken() bool {
	return w.refresh != nil && w.refresh.UsedAt == nil && clients.ProfileOf(w.client).KeepsRefreshTokens
}

// endFamily ends the grant of a code or a refresh token that was used before, unless that is a burst. fosite calls it
// by engineStore.RevokeRefreshToken.
func (w *work) endFamily(ctx context.Context) error {
	ctx, cancel := storage.Outlasting(ctx) // who hangs up does not escape
	defer cancel()
	if w.elsewhere || w.code != nil && (!w.isOwnClient() || !w.isReplay(ctx)) {
		return nil
	}
	_, err := w.service.EndGrant(ctx, w.grant.ID, oidc.EndedByReuse)
	w.fault = errors.Join(w.fault, err)
	return w.fault
}

// mayRepeat tells whether a refresh token that was used may be answered once more: it was used a moment ago by the same
// client from the same network, and its successor, which the answer held, has not been used since. A successor in use
// proves that the answer arrived. Who has stolen the token of a public client needs nothing else to use it: there the
// moment is shorter.
func (w *work) mayRepeat(ctx context.Context, token *tokens.RefreshToken) (bool, error) {
	patience := w.service.Lifetimes.Repeat
	if w.client.IsPublic() {
		patience = w.service.Lifetimes.RepeatPublic
	}
	if w.grant.ClientID != w.client.ID || w.now.Sub(*token.UsedAt) > patience {
		return false, nil
	}
	if !token.UsedNear(ctx) {
		w.elsewhere = !w.client.IsPublic() // it has shown who it is, and may have several addresses
		return false, nil
	}
	return w.service.Database.Reader().NewSelect().Model((*tokens.RefreshToken)(nil)).
		Where("hash = ? AND used_at IS NULL", token.SuccessorHash).Exists(ctx)
}

// settleRace decides about a request that lost the race for a refresh token to one that came at the same time: it has
// the same successor to give, and gives it to the network that won.
func (w *work) settleRace(ctx context.Context) error {
	used, err := w.service.Tokens.RefreshTokenByHash(ctx, w.refresh.Hash, nil)
	if err != nil {
		return err
	}
	if used.UsedNear(ctx) {
		return nil
	}
	w.lost, w.elsewhere = true, !w.client.IsPublic()
	return w.endFamily(ctx)
}

// A client that sends one code many times at once gets tokens once, and keeps them. What tells that from a replay is
// whether other requests came too: within parallelRedemption of its use, a code that comes again waits for settling,
// and if others came again it was a burst.
const (
	parallelRedemption = 2 * time.Second
	settling           = 250 * time.Millisecond
)

// noteRival counts a request that came with a code that another had used.
func (w *work) noteRival(ctx context.Context) int64 {
	return w.service.Cache.Count(ctx, "code again "+string(w.code.Hash), parallelRedemption)
}

// mightRedeem tells whether a request has all that the code asks for: only then is it one of a client's burst, and not
// of somebody who merely knows the code.
func (w *work) mightRedeem() bool {
	if w.grant.ClientID != w.client.ID || w.code.RedirectURI != "" && w.code.RedirectURI != w.form.Get("redirect_uri") {
		return false
	}
	return w.code.CodeChallenge == "" ||
		base64.RawURLEncoding.EncodeToString(storage.Digest(w.form.Get("code_verifier"))) == w.code.CodeChallenge
}

// isOwnClient tells whether it is the code's own client that came with it. Who merely knows a used code ends nobody's
// tokens: a confidential client has authenticated, and of a public one, whose name anybody may use, the code verifier
// is demanded. RFC 6749, section 4.1.2, and RFC 9700, section 4.5.
func (w *work) isOwnClient() bool {
	return w.grant.ClientID == w.client.ID && (!w.client.IsPublic() || w.mightRedeem())
}

// isReplay tells whether a code that was used before comes again on purpose, rather than in a burst.
func (w *work) isReplay(ctx context.Context) bool {
	if w.now.Sub(*w.code.UsedAt) > parallelRedemption || !w.mightRedeem() {
		return true
	}
	rivals := w.noteRival(ctx)
	select {
	case <-ctx.Done():
	case <-time.After(settling):
	}
	return max(rivals, w.service.Cache.Peek(ctx, "code again "+string(w.code.Hash))) == 1
}
