// Package protocol is what apps and providers call, and where apps send people: the endpoints of OAuth 2.0 and OpenID
// Connect. What they may be told is decided in oidc; here requests are read and answers written. Begin with Authorize.
package protocol

import (
	"errors"
	"net/url"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
)

// Authorize is the authorization endpoint: RFC 6749, section 3.1.
type Authorize struct{ *frame.Frame }

// Get takes a request by GET. Every page of a sign-in comes back here too, with the suspended request in the parameter
// interaction, and the next step is asked for again.
func (e Authorize) Get(v *frame.Visit) error {
	if err := e.read(v); err != nil {
		return err
	}
	visitor, err := e.visitor(v)
	if err != nil {
		return err
	}
	decision := authorize.Next(v.Authorization, visitor, e.Now())
	switch decision.Step {
	case authorize.SignIn:
		to := url.Values{"continue": {v.Suspend()}}
		if visitor.Session != nil { // somebody else is meant
			to.Set("switch", "1")
		}
		return v.RedirectWith("/sign-in", to)
	case authorize.SignInAgain:
		return v.RedirectWith("/sign-in", url.Values{"continue": {v.Suspend()}})
	case authorize.SelectAccount:
		return v.RedirectWith("/select-account", url.Values{"continue": {v.Suspend()}})
	case authorize.NoAccess:
		return v.RedirectWith("/no-access", url.Values{"continue": {v.Suspend()}})
	case authorize.StepUp:
		v.ClearCookie(frame.SecondStepCookie) // this one is asked of the session
		return v.RedirectWith("/second-step", url.Values{"continue": {v.Suspend()}, "class": {decision.ACR}})
	case authorize.Enrol:
		return v.RedirectWith("/enrol", url.Values{"continue": {v.Suspend()}, "class": {decision.ACR}})
	case authorize.AskConsent:
		return v.RedirectWith("/consent", url.Values{"continue": {v.Suspend()}})
	case authorize.Confirm:
		return v.RedirectWith("/continue", url.Values{"continue": {v.Suspend()}})
	case authorize.Issue:
		response, err := e.Authorize.Issue(v.Context(), v.Authorization, visitor.Session, decision)
		switch {
		case errors.Is(err, authorize.ErrConfirmationUsed): // the page was loaded again
			v.Authorization.Unconfirm()
			return v.RedirectWith("/continue", url.Values{"continue": {v.Suspend()}})
		case errors.Is(err, authorize.ErrOvertaken):
			return v.RedirectWith(oidc.PathAuthorize, url.Values{"interaction": {v.Suspend()}})
		case err != nil:
			return err
		}
		frame.SetBrowserState(v, visitor.Session.ID)
		e.Logout.AddSessionState(response, v.Authorization.Client, visitor.Session.ID)
		return v.Respond(response)
	default:
		return &authorize.Refusal{Reason: decision.Error, Authorization: v.Authorization}
	}
}

// read reads a new request, or takes up the one that was suspended.
func (e Authorize) read(v *frame.Visit) (err error) {
	if sealed := v.Form.Get("interaction"); sealed != "" {
		return v.ReadAuthorization(sealed)
	}
	v.Authorization, err = e.Authorize.Read(v.Context(), v.Form)
	return err
}

// visitor returns who is there, with what they have allowed the app before.
func (e Authorize) visitor(v *frame.Visit) (authorize.Visitor, error) {
	secret := v.Cookie(frame.SessionCookie)
	if secret == "" {
		return authorize.Visitor{}, nil
	}
	visitor, err := e.Authorize.Visitor(v.Context(), secret, v.Authorization)
	if errors.Is(err, storage.ErrNotFound) {
		return visitor, nil
	}
	if err != nil {
		return visitor, err
	}
	return visitor, v.Seen(visitor.Session)
}

// Post takes a request that was posted (OpenID Connect Core, section 3.1.2.1) round to a GET: browsers keep the session
// cookie from a form of another site.
func (e Authorize) Post(v *frame.Visit) error {
	a, err := e.Authorize.Read(v.Context(), v.Form)
	if err != nil {
		return err
	}
	// Not bound to the browser: its cookies have stayed behind.
	return v.Redirect(oidc.PathAuthorize + "?interaction=" + e.Authorize.Suspend(a, ""))
}
