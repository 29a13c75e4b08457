package frame

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity"
)

// Demand is what a route asks of a visit before its handler begins. It reads a part of the visit or looks at one, and
// returns an error where the handler must not run: the one that is to be told, or errAnswered. Demands are met in the
// order in which the route lists them.
type Demand func(v *Visit) error

// errAnswered says that a demand has answered instead of the handler, with a redirect.
var errAnswered = errors.New("answered")

// answered is the result of a demand that has answered, unless that failed.
func answered(err error) error {
	if err == nil {
		return errAnswered
	}
	return err
}

// Continue reads the authorization request with which the page was shown, from the parameter continue; none where the
// page was shown for no app.
func Continue(v *Visit) error {
	sealed := v.Form.Get("continue")
	if sealed == "" {
		return nil
	}
	return v.ReadAuthorization(sealed)
}

// Session reads who is signed in, if anybody is.
func Session(v *Visit) error { return v.readSession() }

// SignedIn demands that somebody is signed in, and with two factors where the operator demands two of them; others are
// led to what it takes.
func SignedIn(v *Visit) error {
	if err := InSession(v); err != nil {
		return err
	}
	return v.SupplyProof(v.Gin.Request.URL.Path, v.Session.DemandRule())
}

// InSession demands that somebody is signed in, with whatever they have shown; others are led to the sign-in page.
func InSession(v *Visit) error {
	if err := v.readSession(); err != nil {
		return err
	}
	if v.Session == nil {
		return answered(v.RedirectWith("/sign-in", url.Values{"continue": {v.Suspend()}, "then": {asksFor(v)}}))
	}
	return nil
}

// asksFor is the page of the account that was asked for, to come back to after a sign-in; empty for the first one,
// where people come anyway, and for what is no page.
func asksFor(v *Visit) string {
	path := v.Gin.Request.URL.Path
	if v.Gin.Request.Method != http.MethodGet || path == "/account" || OwnPage(path) != path {
		return ""
	}
	return path
}

// Asked demands the authorization request and the session of a page that asks a question of a person who is signed in.
// The answer counts for the session that the page was shown to: where that has ended, or somebody else is signed in by
// now, the browser is sent back to see what comes next.
func Asked(v *Visit) error {
	if err := v.ReadAuthorization(v.Form.Get("continue")); err != nil {
		return err
	}
	if err := v.readSession(); err != nil {
		return err
	}
	isAnswer := v.Gin.Request.Method == http.MethodPost
	if v.Session == nil || isAnswer && v.Authorization.ShownTo != v.Session.ID {
		return answered(v.ReturnToAuthorize())
	}
	v.Authorization.ShownTo = v.Session.ID
	return nil
}

// AskedToEnrol demands what Asked does where an app waits, and otherwise what InSession does.
func AskedToEnrol(v *Visit) error {
	if v.Form.Get("continue") == "" {
		return InSession(v)
	}
	return Asked(v)
}

// Fresh demands a session that is up to what could take the account from its owner, and reads it as the visit's Owner;
// others are led to what it takes, and come back to the app that waits, if any, or to the page then.
func Fresh(then string) Demand {
	return func(v *Visit) error {
		if err := InSession(v); err != nil {
			return err
		}
		return v.Reauthenticate(then)
	}
}

// Reauthenticate is Fresh in the middle of a handler that has found somebody signed in: its error is to be returned.
func (v *Visit) Reauthenticate(then string) (err error) {
	v.Owner, err = v.frame.Identity.Reauthenticate(v.Context(), v.Session, v.Device())
	return v.SupplyProof(then, err)
}

// FreshToEnrol is Fresh for a person who registers a factor, and may lack the one that the operator demands.
func FreshToEnrol(then string) Demand {
	return func(v *Visit) (err error) {
		if err := InSession(v); err != nil {
			return err
		}
		v.Owner, err = v.frame.Identity.ReauthenticateToEnrol(v.Context(), v.Session, v.Device())
		return v.SupplyProof(WithParameters(then, url.Values{"then": {Then(v, "")}}), err)
	}
}

// SupplyProof leads to a fresh sign-in, to a second step or to the registration of a factor where err says that the
// session lacks one, and returns other errors as they are.
func (v *Visit) SupplyProof(then string, err error) error {
	switch {
	case errors.Is(err, identity.ErrSignInNotFresh):
		return answered(v.RedirectWith("/sign-in", url.Values{
			"continue": {v.Suspend()}, "then": {then}, "again": {"1"},
		}))
	case errors.Is(err, identity.ErrSecondFactorOwed):
		v.ClearCookie(SecondStepCookie) // this one is asked of the session
		return answered(v.RedirectWith("/second-step", url.Values{"continue": {v.Suspend()}, "then": {then}}))
	case errors.Is(err, identity.ErrEnrolmentOwed):
		return answered(v.RedirectWith("/enrol", url.Values{"continue": {v.Suspend()}, "then": {then}}))
	}
	return err
}
