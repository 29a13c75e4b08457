// Package signin is what a person sees on the way in: sign-in, second step, sign-up, consent, the choice of an account,
// providers upstream, and what the links in e-mails lead to. Who somebody is gets decided in identity, what comes next
// for an app in oidc. Begin with SignIn, and with admitted, where all ways in end.
package signin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// SignIn is the sign-in page.
type SignIn struct {
	*frame.Frame

	SignUp bool // people without an account may make one
}

// Welcome is what a browser sees at the root.
func (h SignIn) Welcome(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.Welcome{Issuer: h.Provider.Issuer, SignedIn: v.Session != nil})
}

// Page asks for name and password: for the app that waits, or for the account page.
func (h SignIn) Page(v *frame.Visit) error {
	switched, again := v.Form.Get("switch") != "", v.Form.Get("again") != ""
	if v.Authorization == nil && v.Session != nil && !switched && !again {
		return v.Redirect("/account")
	}
	page, err := h.page(v, v.Session != nil && !switched)
	if err != nil {
		return err
	}
	if v.Authorization != nil && !page.UsernameFixed {
		page.Username = v.Authorization.LoginHint
	}
	return v.Show(http.StatusOK, page)
}

// Password checks name and password and goes on where the person came from.
func (h SignIn) Password(v *frame.Visit) error {
	admission, err := h.SignIns.WithPassword(v.Context(), signin.Attempt{
		Login: v.Form.Get("username"), Password: v.Form.Get("password"), Device: v.Device(), Current: v.Session,
	})
	if err != nil {
		return h.refuse(v, v.Language.Text("signin.refused"), err)
	}
	v.SetCookie(frame.LastWayCookie, pages.ByPassword)
	isUsual := admission.Session != nil && admission.Kept == nil
	if isUsual && v.Form.Get("then") == "" && offersPasskey(v, admission.Session.User) {
		setCookies(v, admission)
		return v.RedirectWith("/account/passkeys/new", url.Values{"continue": {v.Suspend()}, "offer": {"1"}})
	}
	return admitted(v, admission, frame.Then(v, "/account"))
}

// offersPasskey tells whether a person who has just typed their password is offered a passkey: their browser can make
// one, they have none, and were not asked here lately.
func offersPasskey(v *frame.Visit, user *identity.User) bool {
	return v.Form.Get("able") == "yes" && !user.HasWebAuthn && v.Cookie(frame.PasskeyOfferCookie) == ""
}

// Passkey signs a person in with the passkey that their browser has shown.
func (h SignIn) Passkey(v *frame.Visit) error {
	admission, err := h.SignIns.WithPasskey(v.Context(), signin.PasskeyAttempt{
		State: v.Form.Get("state"), Response: v.Form.Get("response"), Device: v.Device(), Current: v.Session,
	})
	if err != nil {
		return h.refuse(v, v.Language.Text("signin.passkey_refused"), err)
	}
	v.SetCookie(frame.LastWayCookie, pages.ByPasskey)
	return admitted(v, admission, frame.Then(v, "/account"))
}

// refuse shows the page again with what is wrong.
func (h SignIn) refuse(v *frame.Visit, failure string, err error) error {
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, signin.ErrRefused):
	case errors.Is(err, identity.ErrTooManyAttempts):
		status, failure = http.StatusTooManyRequests, v.Language.Text("signin.too_many")
	default:
		return err
	}
	username := v.Form.Get("username")
	page, err := h.page(v, v.Session != nil && username == v.Session.User.Username)
	if err != nil {
		return err
	}
	page.Username, page.Failure = username, failure
	return v.Show(status, page)
}

// page is the empty page. A person who is signed in, and is asked again, is offered the ways in that they have, and no
// others.
func (h SignIn) page(v *frame.Visit, again bool) (pages.SignIn, error) {
	page := pages.SignIn{Phones: h.Identity.Texts, Then: frame.Then(v, ""), LastWay: v.Cookie(frame.LastWayCookie)}
	page.App, page.Continue = v.App()
	active, keys := active(h.Frame, v), true
	if again {
		user, err := h.Identity.Users().ByID(v.Context(), v.Session.UserID)
		if err != nil {
			return page, err
		}
		linked, err := h.Identity.ExternalAccounts().List(v.Context(), user.ID)
		if err != nil {
			return page, err
		}
		active = slices.DeleteFunc(active, func(p federation.Provider) bool {
			return !slices.ContainsFunc(linked, func(a identity.ExternalAccount) bool { return a.Provider == p.ID })
		})
		keys = user.HasWebAuthn
		page.Username, page.UsernameFixed, page.NoPassword = user.Username, true, user.PasswordHash == ""
		page.SwitchURL = frame.WithParameters("/sign-in", url.Values{
			"switch": {"1"}, "continue": {page.Continue}, "then": {page.Then},
		})
	}
	page.Providers = buttons(v, active, page.Then)
	if h.SignUp {
		page.RegisterURL = frame.WithParameters("/register", url.Values{"continue": {page.Continue}})
	}
	if !keys {
		return page, nil
	}
	ceremony, err := h.Factors.Passkeys().BeginSignIn()
	if errors.Is(err, factor.ErrNoKeys) {
		return page, nil
	} else if err != nil {
		return page, err
	}
	page.Ceremony = frame.CeremonyView(ceremony)
	return page, nil
}
