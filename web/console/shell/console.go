package shell

import (
	"errors"
	"net/http"
	"net/url"
	"path"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/frame"
)

// Console is what the handlers of the console work with.
type Console struct {
	*frame.Frame
	verbs.Set
}

// Handler answers a request of somebody who administers this server.
type Handler func(v *frame.Visit, by manage.Caller) error

// Page wraps a handler for the router. Whoever is not signed in, or not lately or well enough, is led to what it takes
// first; whoever has no administrative role is told so.
func (c Console) Page(handler Handler) gin.HandlerFunc {
	return c.Frame.Page(func(v *frame.Visit) error {
		frame.OwnSourcesOnly(v)
		by, err := c.admit(v)
		if err != nil {
			return err
		}
		if len(by.Roles) == 0 {
			return v.Show(http.StatusForbidden, noRole{c.screen(v)})
		}
		frame.ActVia(v, by.Actor(), audit.ViaConsole)
		return c.refused(v, by, handler(v, by))
	}, frame.Form, frame.Text, frame.Session)
}

// admit is who asks for a page.
func (c Console) admit(v *frame.Visit) (manage.Caller, error) {
	if v.Session == nil {
		return manage.Caller{}, v.SupplyProof(returnTo(v), identity.ErrSignInNotFresh)
	}
	if err := v.Session.DemandRule(); err != nil {
		return manage.Caller{}, v.SupplyProof(returnTo(v), err)
	}
	by, err := c.Manage.BySession(v.Context(), v.Session)
	return by, v.SupplyProof(returnTo(v), err)
}

// refused answers where a handler could not do what it should. What is dangerous takes two factors, shown lately.
func (c Console) refused(v *frame.Visit, by manage.Caller, err error) error {
	var forbidden *manage.ForbiddenError
	var stepUp *manage.StepUpError
	switch {
	case errors.As(err, &forbidden):
		return v.Show(http.StatusForbidden, notAllowed{c.Screen(v, by, ""), forbidden.Permission, forbidden.Reason})
	case errors.As(err, &stepUp):
		return c.stepUp(v)
	case errors.Is(err, storage.ErrNotFound):
		return frame.ErrNotFound
	}
	return err
}

// stepUp leads a person to two factors, and back to the page where they wanted to do something dangerous.
func (c Console) stepUp(v *frame.Visit) error {
	then, session := returnTo(v), v.Session
	switch {
	case c.Now().Sub(session.AuthTime) > manage.StepUpFor, identity.Assures(session.ACR, identity.ACRMultiFactor):
		return v.SupplyProof(then, identity.ErrSignInNotFresh)
	case session.User.TwoFactor || session.User.HasWebAuthn:
		return v.SupplyProof(then, identity.ErrSecondFactorOwed)
	}
	return v.RedirectWith("/enrol", url.Values{"class": {identity.ACRMultiFactor}, "then": {then}})
}

// returnTo is the page to come back to: the one that was asked for, or the one whose form was sent, which is above the
// address that it was sent to.
func returnTo(v *frame.Visit) string {
	asked := v.Gin.Request.URL
	if v.Gin.Request.Method == http.MethodPost {
		above := path.Dir(asked.EscapedPath())
		if id := v.Form.Get("id"); id != "" {
			return frame.WithParameters(above, url.Values{"id": {id}})
		}
		return above
	}
	return asked.RequestURI()
}
