package frame

import (
	"errors"
	"net/http"
	"net/url"
	"time"
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

// SignedIn demands that somebody is signed in; others are led to the sign-in page.
func SignedIn(v *Visit) error {
	if err := v.readSession(); err != nil {
		return err
	}
	if v.Session == nil {
		return answered(v.RedirectWith("/sign-in", url.Values{"continue": {v.Suspend()}}))
	}
	return nil
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

// freshly is how long ago a person may have signed in to do what could take the account from its owner.
const freshly = 15 * time.Minute

// Fresh demands a session that is up to what could take the account from its owner; others are led to what it takes,
// and come back to the app that waits, if any, or to the page then.
func Fresh(then string) Demand {
	return func(v *Visit) error {
		if err := SignedIn(v); err != nil {
			return err
		}
		led, err := v.DemandStrength(then)
		if led {
			return answered(err)
		}
		return err
	}
}

// DemandStrength leads to a fresh sign-in or to a second step where the session is not up to what could take the
// account from its owner, and tells whether it did: a browser that was left open, or a stolen cookie, is not enough,
// nor is the password alone of a person who has a second factor. then is the page of ours to come back to where no app
// waits.
func (v *Visit) DemandStrength(then string) (led bool, err error) {
	if v.frame.Now().Sub(v.Session.AuthTime) > freshly {
		return true, v.RedirectWith("/sign-in", url.Values{
			"continue": {v.Suspend()}, "then": {then}, "again": {"1"},
		})
	}
	return v.DemandSecondFactor(then)
}

// DemandSecondFactor leads to a second step where a person has a second factor that their session has not seen, and
// tells whether it did; likewise.
func (v *Visit) DemandSecondFactor(then string) (led bool, err error) {
	more, err := v.frame.Identity.OwesSecondFactor(v.Context(), v.Session, v.Device())
	if err != nil || !more {
		return false, err
	}
	v.ClearCookie(SecondStepCookie) // this one is asked of the session
	return true, v.RedirectWith("/second-step", url.Values{"continue": {v.Suspend()}, "then": {then}})
}
