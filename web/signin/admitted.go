package signin

import (
	"net/url"
	"time"

	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
)

// admitted gives the browser of a person who is let in its cookies and goes on where they came from: to the app that
// waits, or to the page of ours; or to the second step, where the first was not enough.
func admitted(v *frame.Visit, admission *signin.Outcome, page string) error {
	if admission.SecondStep != "" {
		return askSecondStep(v, admission.SecondStep, url.Values{"continue": {v.Suspend()}, "then": {page}})
	}
	v.ActAs(admission.Session.User.Actor())
	setCookies(v, admission)
	if admission.Kept != nil {
		v.SetCookie(frame.UndoneErasureCookie, admission.Kept.Format(time.RFC3339))
		return v.RedirectWith(kept, url.Values{"continue": {v.Suspend()}, "then": {page}})
	}
	return askToLink(v, page)
}

func setCookies(v *frame.Visit, admission *signin.Outcome) {
	v.SetSession(admission.Secret, admission.Session.ExpiresAt)
	frame.SetBrowserState(v, admission.Session.ID)
	v.SetCookie(frame.DeviceCookie, admission.DeviceSecret)
}

// askSecondStep gives the browser a question and leads to the page that asks it.
func askSecondStep(v *frame.Visit, sealed string, parameters url.Values) error {
	v.SetCookie(frame.SecondStepCookie, sealed)
	return v.RedirectWith("/second-step", parameters)
}

// askToLink leads a person who has signed in to the question whether to link an account of a provider to theirs, where
// they came with one, and otherwise on where they came from.
func askToLink(v *frame.Visit, page string) error {
	if v.Cookie(frame.UpstreamSignUpCookie) != "" {
		return v.RedirectWith("/arrival/link", url.Values{"continue": {v.Suspend()}})
	}
	return v.Proceed(page)
}
