package sampleapp

import (
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// signIn sends the browser to Wicket with a fresh state, nonce and PKCE challenge (RFC 6749 section 4.1.1, RFC 7636).
func (a *App) signIn(w http.ResponseWriter, r *http.Request) error {
	m, err := a.issuer.metadata(r.Context())
	if err != nil {
		return err
	}
	s := a.sessions.of(r)
	if s == nil {
		s = &session{}
		a.sessions.keep(w, r, s)
	}
	t := attempt{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), begun: a.now()}
	s.begin(t)
	to := m.oauth.AuthCodeURL(t.state, oidc.Nonce(t.nonce), oauth2.S256ChallengeOption(t.verifier))
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// callback takes Wicket's answer. Nothing in it is trusted, or even shown, before its state is one that this browser
// was sent away with and its iss is the issuer that we sent it to (RFC 9207 section 2.4).
func (a *App) callback(w http.ResponseWriter, r *http.Request) error {
	m, err := a.issuer.metadata(r.Context())
	if err != nil {
		return err
	}
	s, answer := a.sessions.of(r), r.URL.Query()
	if s == nil {
		return strayAnswer
	}
	t, ok := s.take(answer.Get("state"), a.now())
	if !ok || len(answer["state"]) != 1 {
		return strayAnswer
	}
	if iss := answer["iss"]; len(iss) > 1 || len(iss) == 1 && iss[0] != a.config.Issuer || len(iss) == 0 && m.NamesItself {
		return problem{Status: http.StatusBadRequest, Title: "That answer is not from Wicket",
			Advice: "Its iss does not name the issuer that Daybook asked. Somebody may be mixing up two servers, so Daybook stopped here."}
	}
	if code := answer.Get("error"); code != "" {
		return refusal(code, answer.Get("error_description"))
	}
	token, err := m.oauth.Exchange(a.issuer.reach(r.Context()), answer.Get("code"), oauth2.VerifierOption(t.verifier))
	if err != nil {
		return failure("Wicket did not give Daybook its tokens", err)
	}
	v, err := a.issuer.visit(r.Context(), m, token, nil)
	if err != nil {
		return failure("Daybook does not accept that ID token", err)
	}
	if v.nonce != t.nonce {
		return failure("Daybook does not accept that ID token", errors.New("its nonce belongs to another sign-in"))
	}
	s.set(v)
	a.sessions.keep(w, r, s)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

var strayAnswer = problem{Status: http.StatusBadRequest, Title: "Daybook did not expect that answer",
	Advice: "It belongs to no sign-in that this browser began, or to one that is over. Please sign in again."}

// refusal says in words what an authorization error response says in a code (RFC 6749 section 4.1.2.1, OpenID Connect
// Core 3.1.2.6).
func refusal(code, description string) problem {
	p := problem{Status: http.StatusBadRequest, Title: "Wicket could not sign you in", Code: code, Detail: description,
		Advice: "You can try again. If it happens again, the two lines below tell a developer why."}
	switch code {
	case "access_denied":
		p.Status, p.Title, p.Advice = http.StatusForbidden, "You said no, and that is fine", "Daybook received nothing about you. You can change your mind at any time."
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		p.Title, p.Advice = "Wicket needs a word with you", "You were asked to be signed in silently, and that was not possible. Please sign in."
	case "temporarily_unavailable", "server_error":
		p.Status, p.Title, p.Advice = http.StatusBadGateway, "Wicket is having a moment", "Please try again shortly."
	}
	return p
}
