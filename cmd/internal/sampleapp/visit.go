package sampleapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
)

// visit is somebody signed in: the tokens Daybook holds for them. It never changes; a refresh makes the next one.
type visit struct {
	token     *oauth2.Token
	idToken   string
	subject   string
	nonce     string
	claims    json.RawMessage
	refreshes int
}

// visit verifies the ID token in a token response (OpenID Connect Core, section 3.1.3.7; after a refresh, 12.2):
// signature, issuer, audience, expiry and at_hash here, the nonce by the caller. before is the visit that was
// refreshed, or nil.
func (i *issuer) visit(ctx context.Context, m *metadata, token *oauth2.Token, before *visit) (*visit, error) {
	v := &visit{token: token}
	if before != nil {
		*v = *before
		v.token, v.refreshes = token, before.refreshes+1
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok && before != nil {
		return v, nil // a refresh may leave it out
	}
	if !ok {
		return nil, errors.New("the token response has no id_token")
	}
	id, err := m.verifier.Verify(i.reach(ctx), raw)
	if err != nil {
		return nil, err
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, err
		}
	}
	if before != nil && (id.Subject != before.subject || id.Nonce != "" && id.Nonce != before.nonce) {
		return nil, errors.New("it is not about the same person and sign-in as before")
	}
	v.idToken, v.subject = raw, id.Subject
	if before == nil {
		v.nonce = id.Nonce
	}
	return v, id.Claims(&v.claims)
}

// userinfo asks Wicket about the person with the access token, each time anew: when their session at Wicket has ended,
// this is where an app notices. The answer must be about the person in the ID token (OpenID Connect Core, section
// 5.3.2).
func (i *issuer) userinfo(ctx context.Context, v *visit) (json.RawMessage, error) {
	m, err := i.metadata(ctx)
	if err != nil {
		return nil, err
	}
	info, err := m.provider.UserInfo(i.reach(ctx), oauth2.StaticTokenSource(v.token))
	if err != nil {
		return nil, err
	}
	if info.Subject != v.subject {
		return nil, errors.New("the answer is about somebody else than the ID token")
	}
	var answer json.RawMessage
	return answer, info.Claims(&answer)
}

// refresh trades the refresh token for new tokens (RFC 6749 section 6) and shows them.
func (a *App) refresh(w http.ResponseWriter, r *http.Request) error {
	s := a.sessions.of(r)
	if s == nil {
		return signedOut
	}
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	v := s.current()
	if v == nil {
		return signedOut
	}
	if v.token.RefreshToken == "" {
		return problem{
			Status: http.StatusBadRequest, Title: "There is no refresh token",
			Advice: "Wicket gave none: was offline_access allowed?",
		}
	}
	m, err := a.issuer.metadata(r.Context())
	if err != nil {
		return err
	}
	token, err := m.oauth.TokenSource(
		a.issuer.reach(r.Context()), &oauth2.Token{RefreshToken: v.token.RefreshToken},
	).Token()
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		a.sessions.end(w, r)
		p := failure("Your time in Daybook is over", err)
		p.Status, p.Advice = http.StatusUnauthorized, "Wicket no longer accepts the refresh token, because you were signed out there or it ended. Please sign in again."
		return p
	}
	if err != nil {
		return failure("Wicket did not give Daybook new tokens", err)
	}
	next, err := a.issuer.visit(r.Context(), m, token, v)
	if err != nil {
		return failure("Daybook does not accept that ID token", err)
	}
	s.set(next)
	http.Redirect(w, r, "/#refresh-token", http.StatusSeeOther)
	return nil
}

var signedOut = problem{
	Status: http.StatusUnauthorized, Title: "You are not signed in",
	Advice: "Daybook does not know this browser, or not any more.",
}

// failure tells a person and a developer why a conversation with Wicket went wrong, without repeating an answer's body.
func failure(title string, err error) problem {
	p := problem{
		Status: http.StatusBadGateway, Title: title,
		Advice: "You can try again. If it happens again, the lines below tell a developer why.", Detail: err.Error(),
	}
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		p.Code, p.Detail = refused.ErrorCode, refused.ErrorDescription
		if p.Code == "" {
			p.Detail = fmt.Sprintf("the token endpoint answered %s", refused.Response.Status)
		}
	}
	return p
}
