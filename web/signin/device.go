package signin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/usercode"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Device is where a person says which device without a browser is theirs, and that it is to be signed in: RFC 8628,
// section 3.3. Whoever wants to get into somebody's account sends them a code of their own and asks them to type it
// here. So the page says who asks and from where, takes nothing for granted that was allowed before, and wants to know
// anew who the person is.
type Device struct{ *frame.Frame }

// Page asks for the code, and about the device that shows it.
func (h Device) Page(v *frame.Visit) error {
	typed := v.Form.Get("user_code")
	if typed == "" {
		return v.Show(http.StatusOK, pages.DeviceCode{})
	}
	code, ok := usercode.Parse(typed)
	if !ok {
		return h.refuse(v, authorize.ErrUserCode)
	}
	by := uuid.Nil
	if v.Session != nil {
		by = v.Session.UserID
	}
	device, err := h.Authorize.Devices().Open(v.Context(), code, by)
	if err != nil {
		return h.refuse(v, err)
	}
	v.Client = device.Request.Client
	here := devicePage(device.Code)
	if v.Session == nil {
		return v.RedirectWith("/sign-in", url.Values{"then": {here}})
	}
	if err := v.Reauthenticate(here); err != nil {
		return err
	}
	decision, err := h.next(v, device)
	if err != nil {
		return err
	}
	switch decision.Step {
	case authorize.AskConsent, authorize.Issue:
		return h.show(v, device, decision)
	case authorize.NoAccess:
		page, err := noAccess(v, v.Client)
		if err != nil {
			return err
		}
		page.OtherURI = frame.WithParameters("/sign-in", url.Values{"then": {here}, "switch": {"1"}})
		return v.Show(http.StatusForbidden, page)
	case authorize.StepUp:
		v.ClearCookie(frame.SecondStepCookie) // this one is asked of the session
		return v.RedirectWith("/second-step", url.Values{"then": {here}, "class": {decision.ACR}})
	case authorize.Enrol:
		return v.RedirectWith("/enrol", url.Values{"then": {here}, "class": {decision.ACR}})
	case authorize.SignIn: // the app wants somebody else
		return v.RedirectWith("/sign-in", url.Values{"then": {here}, "switch": {"1"}})
	default:
		return decision.Error
	}
}

// devicePage is where a person is asked about the device with that code.
func devicePage(code string) string {
	return frame.WithParameters(oidc.PathDevice, url.Values{"user_code": {code}})
}

// refuse asks for a code anew. What is wrong with the one that was typed is not told.
func (h Device) refuse(v *frame.Visit, err error) error {
	page := pages.DeviceCode{Code: v.Form.Get("user_code")}
	switch {
	case errors.Is(err, authorize.ErrUserCode):
		page.Failure = v.Language.Text("device.wrong")
		return v.Show(http.StatusBadRequest, page)
	case errors.Is(err, identity.ErrTooManyAttempts):
		page.Failure = v.Language.Text("device.too_many")
		return v.Show(http.StatusTooManyRequests, page)
	}
	return err
}

// next says what has to happen before the device gets what it asks for. To be asked by this page is to be asked whether
// one wants to go there.
func (h Device) next(v *frame.Visit, device *authorize.Device) (authorize.Decision, error) {
	device.Request.Confirm(v.Session)
	visitor, err := h.Authorize.Visitor(v.Context(), v.Cookie(frame.SessionCookie), device.Request)
	if errors.Is(err, storage.ErrNotFound) {
		return authorize.Decision{}, identity.ErrSessionEnded
	} else if err != nil {
		return authorize.Decision{}, err
	}
	return authorize.Next(device.Request, visitor, h.Now()), nil
}

// isSettled tells whether nothing has to be asked of the person for a decision, because the operator trusts the app.
func isSettled(decision authorize.Decision) bool {
	return decision.Step == authorize.Issue && decision.By == nil
}

// show asks about a device.
func (h Device) show(v *frame.Visit, device *authorize.Device, decision authorize.Decision) error {
	person, err := v.Person()
	if err != nil {
		return err
	}
	client := device.Request.Client
	page := pages.DeviceRequest{
		App: *frame.AppView(client), Person: person, Code: device.Code, When: frame.Ago(v, h.Now(), device.AskedAt),
		IP: device.From.IP, Elsewhere: identity.Network(device.From.IP) != identity.Network(v.Device().IP),
		Token: h.Authorize.Devices().SealPage(device, v.Session), Asked: asked(v, device.Request),
	}
	page.Settled = isSettled(decision)
	if client.ClientURI != "" {
		page.Host = frame.HostOf(client.ClientURI)
	}
	if label := device.From.Label(); !strings.HasPrefix(label, "Unknown") { // a program, or a television
		page.Browser = label
	}
	return v.Show(http.StatusOK, page)
}

// Decide takes the answer. It counts for the session that the page was shown to.
func (h Device) Decide(v *frame.Visit) error {
	devices := h.Authorize.Devices()
	device, code, err := devices.Answered(v.Context(), v.Form.Get("token"), v.Session)
	if err != nil {
		return h.refuse(v, err)
	}
	here := devicePage(code)
	if device == nil {
		return v.Redirect(here)
	}
	v.Client = device.Request.Client
	if v.Form.Get("decision") != "approve" {
		if err := devices.Deny(v.Context(), v.Session, device); err != nil {
			return h.refuse(v, err)
		}
		return v.Show(http.StatusOK, pages.Done{
			Title: v.Language.Text("device_request.denied"),
			Text:  v.Language.Text("device_request.denied_lead", locales.Params{"App": v.Client.Name}),
		})
	}
	if err := v.Reauthenticate(here); err != nil {
		return err
	}
	err = h.approve(v, device)
	if errors.Is(err, authorize.ErrOvertaken) {
		return v.Redirect(here)
	} else if err != nil {
		return h.refuse(v, err)
	}
	return v.Show(http.StatusOK, pages.Done{
		Title:   v.Language.Text("device_request.approved"),
		Text:    v.Language.Text("device_request.approved_lead", locales.Params{"App": v.Client.Name}),
		NextURI: "/account/devices", NextLabel: v.Language.Text("device_request.devices"),
	})
}

// approve remembers what the person allows the app, and gives it to the device. It returns authorize.ErrOvertaken where
// something else has to happen first, by now.
func (h Device) approve(v *frame.Visit, device *authorize.Device) error {
	decision, err := h.next(v, device)
	if err != nil {
		return err
	}
	if decision.Step == authorize.AskConsent || decision.Step == authorize.Issue && !isSettled(decision) {
		if err := h.Authorize.GrantConsent(
			v.Context(), v.Session.UserID, device.Request, v.Form["scope"], v.Form["claim"],
		); err != nil {
			return err
		}
		if decision, err = h.next(v, device); err != nil {
			return err
		}
	}
	if decision.Step != authorize.Issue {
		return authorize.ErrOvertaken
	}
	return h.Authorize.Devices().Approve(v.Context(), v.Owner, device, decision)
}
