package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// SecondStep is the page that asks for a second factor: after a password, before another password is chosen by a link
// from an e-mail, or of a person who is signed in and wants more. The first two questions travel sealed in a cookie;
// for the third the session is the first step.
type SecondStep struct{ *frame.Frame }

// Page asks for a second factor.
func (h SecondStep) Page(v *frame.Visit) error {
	step, err := h.open(v)
	if err != nil {
		return err
	}
	return h.show(v, http.StatusOK, step, "")
}

// open returns the question that is open in this browser: the one in the cookie, or else the one that is asked of the
// session. It returns signin.ErrSecondStep where there is none.
func (h SecondStep) open(v *frame.Visit) (*signin.SecondStep, error) {
	if sealed := v.Cookie(frame.SecondStepCookie); sealed != "" {
		step, err := h.SignIns.SecondSteps().Open(v.Context(), sealed)
		if err == nil && !step.Answered {
			return step, nil
		}
		if err != nil && !errors.Is(err, signin.ErrSecondStep) {
			return nil, err
		}
	}
	if v.Session == nil {
		return nil, signin.ErrSecondStep
	}
	return h.SignIns.SecondSteps().ForSession(v.Context(), v.Session)
}

func (h SecondStep) show(v *frame.Visit, status int, step *signin.SecondStep, failure string) error {
	factors, err := h.SignIns.SecondSteps().Options(v.Context(), step)
	if err != nil {
		return err
	}
	page := pages.SecondStep{Trust: step.Purpose == signin.ToSignIn, Failure: failure}
	page.App, page.Continue = v.App()
	page.Then, page.Class = frame.Then(v, ""), v.Form.Get("class")
	if page.Class != identity.ACRPhishingResistant { // or the page would come again
		page.Code, page.BackupCodes = factors.Code, factors.BackupCodes
	}
	if step.Purpose == signin.ToSignIn {
		page.BackURI = frame.WithParameters("/sign-in", url.Values{"continue": {page.Continue}, "then": {page.Then}})
	}
	if factors.Key {
		ceremony, err := h.SignIns.SecondSteps().BeginKey(v.Context(), step)
		if err != nil {
			return err
		}
		page.Ceremony = frame.CeremonyView(ceremony)
	}
	return v.Show(status, page)
}

// Answer takes the answer and goes on where the person came from.
func (h SecondStep) Answer(v *frame.Visit) error {
	step, err := h.open(v)
	if err != nil {
		return err
	}
	answer := factor.Answer{Code: v.Form.Get("code"), State: v.Form.Get("state"), Response: v.Form.Get("response")}
	switch step.Purpose {
	case signin.ToSignIn:
		err = h.finishSignIn(v, step, answer)
	case signin.ToReset:
		err = h.allowReset(v, step, answer)
	default:
		err = h.strengthen(v, step, answer)
	}
	switch {
	case errors.Is(err, factor.ErrCode):
		return h.show(v, http.StatusUnauthorized, step, v.Language.Text("second_step.wrong"))
	case errors.Is(err, identity.ErrTooManyAttempts):
		return h.show(v, http.StatusTooManyRequests, step, v.Language.Text("signin.too_many"))
	}
	return err
}

func (h SecondStep) finishSignIn(v *frame.Visit, step *signin.SecondStep, answer factor.Answer) error {
	trust := v.Form.Get("trust") == "yes"
	admission, err := h.SignIns.SecondSteps().Finish(v.Context(), step, answer, v.Device(), v.Session, trust)
	if err != nil {
		return err
	}
	v.ClearCookie(frame.SecondStepCookie)
	return admitted(v, admission, frame.Then(v, "/account"))
}

func (h SecondStep) allowReset(v *frame.Visit, step *signin.SecondStep, answer factor.Answer) error {
	sealed, err := h.SignIns.SecondSteps().AllowReset(v.Context(), step, answer, v.Device())
	if err != nil {
		return err
	}
	v.ActAs(step.Actor())
	v.SetCookie(frame.SecondStepCookie, sealed)
	return v.RedirectWith("/reset-password", url.Values{"token": {step.Reset}})
}

func (h SecondStep) strengthen(v *frame.Visit, step *signin.SecondStep, answer factor.Answer) error {
	secret, err := h.SignIns.SecondSteps().Strengthen(v.Context(), step, v.Session, answer, v.Device())
	if err != nil {
		return err
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	if v.Cookie(frame.UpstreamSignUpCookie) == "" && v.Authorization != nil {
		v.Authorization.SteppedUp = true
	}
	return askToLink(v, frame.Then(v, "/account"))
}
