package signin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Register is the sign-up page. It also takes invitations, whose secret is the parameter token.
type Register struct {
	*frame.Frame

	Open bool // an account can be made without an invitation
}

// Page lets a person make an account: for the app that waits, or for themself.
func (h Register) Page(v *frame.Visit) error {
	invitation, err := h.invitation(v)
	if err != nil {
		return err
	}
	page := h.page(v)
	page.Token = v.Form.Get("token")
	switch a := v.Authorization; {
	case a == nil && v.Session != nil && invitation == nil:
		return v.Redirect("/account")
	case a == nil && invitation != nil:
		page.Values = map[string]string{"email": invitation.Email}
	case a == nil:
	case strings.ContainsRune(a.LoginHint, '@'):
		page.Values = map[string]string{"email": a.LoginHint}
	default:
		page.Values = map[string]string{"username": a.LoginHint}
	}
	return v.Show(http.StatusOK, page)
}

// Submit makes the account, signs its owner in and goes on where they came from.
func (h Register) Submit(v *frame.Visit) error {
	invitation, err := h.invitation(v)
	if err != nil {
		return err
	}
	registration := signin.SignUp{
		Username: v.Form.Get("username"), Email: v.Form.Get("email"), Name: v.Form.Get("name"),
		Password: v.Form.Get("password"), Secret: v.Form.Get("token"), Device: v.Device(), Current: v.Session,
	}
	admission, err := h.SignIns.SignUp(v.Context(), registration)
	if err != nil {
		return h.refuse(v, registration, err)
	}
	switch {
	case invitation == nil:
		return admitted(v, admission, "/account?done=registered")
	case invitation.AdminRole != "":
		return admitted(v, admission, "/console")
	}
	return admitted(v, admission, "/account?done=invited")
}

// refuse says what is wrong, on the page with all that was typed but the password.
func (h Register) refuse(v *frame.Visit, r signin.SignUp, err error) error {
	page, status := h.page(v), http.StatusTooManyRequests
	var faults refusal.FieldFaults
	switch {
	case errors.As(err, &faults):
		status, page.Failures = http.StatusUnprocessableEntity, v.Language.Refusals(faults)
		page.Failure = v.Language.Text("register.refused")
		if r.Password != "" { // here alone: rating takes time, and the other refusals are about too many
			page.Rating = &pages.Rating{Score: r.Strength()}
		}
	case errors.Is(err, identity.ErrTooManySendings):
		page.Failure = v.Language.Text("register.not_made")
		page.Failures = map[string]string{"email": v.Language.Refusal(identity.ErrTooManySendings)}
	case errors.Is(err, signin.ErrTooManySignUps):
		page.Failure = v.Language.Refusal(signin.ErrTooManySignUps)
	default:
		return err
	}
	page.Values = map[string]string{"username": r.Username, "email": r.Email, "name": r.Name}
	page.Token = r.Secret
	return v.Show(status, page)
}

// invitation returns the invitation that a request for an account holds; nil where none is needed and it holds none.
func (h Register) invitation(v *frame.Visit) (*signin.Invitation, error) {
	secret := v.Form.Get("token")
	switch {
	case secret != "":
		return h.SignIns.Invitations().Open(v.Context(), secret)
	case !h.Open:
		return nil, frame.ErrNotFound
	}
	return nil, nil
}

// page is the empty page.
func (h Register) page(v *frame.Visit) pages.Register {
	app, sealed := v.App()
	return pages.Register{
		App: app, Continue: sealed, NoMail: !h.Identity.Mails,
		SignInURL: frame.WithParameters("/sign-in", url.Values{"continue": {sealed}}),
	}
}
