package grants

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// deviceCodes redeems device codes: RFC 8628, sections 3.4 and 3.5. It is a handler of fosite's like those of the other
// grant types.
type deviceCodes struct{ service *Service }

var _ fosite.TokenEndpointHandler = deviceCodes{}

// CanSkipClientAuth tells that it asks who the client is.
func (deviceCodes) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest tells whether a request is for it.
func (deviceCodes) CanHandleTokenEndpointRequest(_ context.Context, request fosite.AccessRequester) bool {
	return request.GetGrantTypes().ExactOne(oidc.GrantDeviceCode)
}

// HandleTokenEndpointRequest finds out what has become of the request that a device code is of. Another client's is
// unknown to it. It returns the errors of RFC 8628, section 3.5.
func (h deviceCodes) HandleTokenEndpointRequest(ctx context.Context, request fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, request) {
		return fosite.ErrUnknownRequest
	}
	w := workOf(ctx)
	found, err := h.service.deviceByHash(ctx, storage.Digest(w.form.Get("device_code")))
	if errors.Is(err, storage.ErrNotFound) || err == nil && found.ClientID != w.client.ID {
		return fosite.ErrNotFound
	} else if err != nil {
		w.fault = err
		return err
	}
	if found.UsedAt != nil {
		return errors.Join(w.endStolenDevice(ctx, found), fosite.ErrInactiveToken)
	}
	if err := h.service.mayRedeem(ctx, found, w.now); err != nil {
		return err
	}
	w.device, w.stands = found, true
	w.grant = found.newGrant(w.now.Add(h.service.Lifetimes.Grant))
	return nil
}

// mayRedeem says why a device code that was not redeemed cannot be now: RFC 8628, section 3.5.
func (s *Service) mayRedeem(ctx context.Context, found *deviceWithStanding, now time.Time) error {
	switch {
	case found.Status == DeviceDenied:
		return accessDenied("The person has denied the request.")
	case !now.Before(found.ExpiresAt):
		return &oidc.Error{
			Code: "expired_token", Status: http.StatusBadRequest,
			Description: "The device code has expired. Ask for another one.",
		}
	case found.Status == DevicePending:
		return s.pace(ctx, found.DeviceHash)
	case !found.stands():
		return accessDenied("What the person has approved does not stand any more.")
	}
	return nil
}

func accessDenied(description string) error {
	return &oidc.Error{Code: "access_denied", Description: description, Status: http.StatusBadRequest}
}

// pace is the answer while a person has not decided: RFC 8628, section 3.5. Who asks earlier than it may has to wait
// for longer from then on. That is kept with the limits, not in a row: there are many questions for each request.
func (s *Service) pace(ctx context.Context, hash []byte) error {
	early, asked := "device code too early "+string(hash), "device code asked for "+string(hash)
	if s.Cache.Take(ctx, asked, pace(s.Cache.Peek(ctx, early))) == 0 {
		return &oidc.Error{
			Code: "authorization_pending", Status: http.StatusBadRequest,
			Description: "The person has not decided yet. Ask again after the interval.",
		}
	}
	longer := pace(s.Cache.Count(ctx, early, DeviceCodeLifetime))
	s.Cache.Forget(ctx, asked)
	s.Cache.Take(ctx, asked, longer) // it begins now
	return &oidc.Error{
		Code: "slow_down", Status: http.StatusBadRequest,
		Description: "This came too early: wait for five seconds more between two requests, from now on.",
	}
}

// pace is how often a device code may be asked for that came too early so often. Networks may bring two questions
// closer together than they were asked. It grows to a minute: what is kept of a code ends with it, and an app that has
// learnt better still comes in time.
func pace(early int64) cache.Rate {
	const tolerance = 500 * time.Millisecond
	return cache.Rate{N: 1, Per: min(DeviceCodeInterval*time.Duration(early+1), time.Minute) - tolerance}
}

// endStolenDevice ends the grant of a device code that was redeemed and comes again, as that of an authorization code
// (RFC 9700, section 4.5.3.2): one of the two who have it has stolen it. Requests of one app that ran into each other
// are no such case.
func (w *work) endStolenDevice(ctx context.Context, found *deviceWithStanding) error {
	if w.now.Sub(*found.UsedAt) <= parallelRedemption || !found.GrantID.Valid {
		return nil
	}
	ctx, cancel := storage.Outlasting(ctx) // who hangs up does not escape
	defer cancel()
	_, err := w.service.EndGrant(ctx, found.GrantID.UUID, oidc.EndedByReuse)
	w.fault = errors.Join(w.fault, err)
	return err
}

// PopulateTokenEndpointResponse signs the tokens, and redeems the device code.
func (h deviceCodes) PopulateTokenEndpointResponse(
	ctx context.Context, request fosite.AccessRequester, answer fosite.AccessResponder,
) error {
	if !h.CanHandleTokenEndpointRequest(ctx, request) {
		return fosite.ErrUnknownRequest
	}
	w := workOf(ctx)
	lasts := slices.Contains(w.grant.Scopes, oidc.OfflineAccess) &&
		slices.Contains(w.client.GrantTypes, oidc.GrantRefreshToken)
	if !lasts { // nothing can renew it
		longest := max(h.service.Tokens.AccessTokenLifetime(w.api), h.service.Lifetimes.IDToken)
		w.grant.ExpiresAt = w.now.Add(longest)
	}
	access, err := h.service.Tokens.SignAccessToken(ctx, w.accessToken(), w.now)
	if err != nil {
		return w.refuse(err)
	}
	answer.SetAccessToken(access)
	answer.SetTokenType("bearer")
	if slices.Contains(request.GetGrantedScopes(), "openid") {
		person, err := w.readPerson(ctx)
		if err != nil {
			return err
		}
		idToken, err := h.service.Tokens.SignIDToken(ctx, tokens.IDToken{
			Client: w.client, Grant: w.grant, Scopes: request.GetGrantedScopes(), Person: person, AccessToken: access,
		}, w.now)
		if err != nil {
			return w.refuse(err)
		}
		answer.SetExtra("id_token", idToken)
	}
	if lasts {
		w.issuedText = storage.NewSecret()
		w.issued = h.service.Tokens.NewRefreshToken(w.issuedText, w.grant, w.refreshKey(), w.now)
		answer.SetExtra("refresh_token", w.issuedText)
	}
	return w.redeemDevice(ctx)
}

// redeemDevice writes what a device gets, if nobody was faster and its person still stands: its session, its grant and
// its refresh token.
func (w *work) redeemDevice(ctx context.Context) error {
	draft, grant := w.service.Database.Draft(), w.grant
	session := w.device.newSession(w.client, grant, audit.ActorOf(ctx).IP, w.now)
	claims := append(w.device.holdApprover(draft), w.device.use(draft, grant.ID, w.now))
	record, err := audit.RecordStatement(ctx, draft, w.now, audit.Change{
		Entity: "session", EntityID: session.ID.String(), Action: "started", UserID: grant.UserID,
		New: audit.Values{"amr": session.AMR, "acr": session.ACR, "device": session.DeviceLabel},
	}, audit.Change{
		Entity: "grant", EntityID: grant.ID.String(), Action: "created", UserID: grant.UserID,
		New: audit.Values{
			"client_id": grant.ClientID, "scopes": grant.Scopes, "apis": grant.APIs, "device_request": w.device.Name(),
		},
	})
	if err != nil {
		return err
	}
	then := []schema.QueryAppender{
		draft.NewInsert().Model(session), draft.NewInsert().Model(grant),
		draft.NewInsert().Model(&clients.Participation{
			SessionID: session.ID, ClientID: w.client.ID, CreatedAt: w.now,
		}),
		record,
	}
	if w.issued != nil {
		then = append(then, draft.NewInsert().Model(w.issued))
	}
	claimed, err := w.service.Database.Claim(ctx, claims, then...)
	if err != nil || claimed {
		return err
	}
	found, err := w.service.deviceByHash(ctx, w.device.DeviceHash)
	if err != nil {
		return err
	}
	if found.UsedAt != nil {
		w.lost = true
		return fosite.ErrInactiveToken
	}
	if err := w.service.mayRedeem(ctx, found, w.now); err != nil {
		return err
	}
	return oidc.Unavailable(errors.New("the person changed while the device code was redeemed"))
}
