package signin

import (
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Links are what links in e-mails lead to: pages that ask for one press of a button, because programs that look into
// mail follow links, but press no buttons.
type Links struct{ *frame.Frame }

// UnlockPage asks whether to unlock an account.
func (h Links) UnlockPage(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.Confirm{
		Title: v.Language.Text("unlock.title"), Text: v.Language.Text("unlock.lead"),
		Action: "/unlock", Token: v.Gin.Query("token"), Button: v.Language.Text("unlock.unlock"),
	})
}

// Unlock unlocks it.
func (h Links) Unlock(v *frame.Visit) error {
	deviceSecret, err := h.SignIns.Unlock(v.Context(), v.Form.Get("token"), v.Device())
	if err != nil {
		return err
	}
	v.SetCookie(frame.DeviceCookie, deviceSecret)
	return v.Show(http.StatusOK, pages.Done{
		Title: v.Language.Text("unlock.unlocked"), Text: v.Language.Text("unlock.unlocked_lead"),
		NextURI: "/sign-in", NextLabel: v.Language.Text("signin.title"),
	})
}

// NotMePage asks whether to take back what somebody else did to an account.
func (h Links) NotMePage(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.Confirm{
		Title:  v.Language.Text("not_me.title"),
		Text:   v.Language.Text("not_me.lead"),
		Action: "/not-me", Token: v.Gin.Query("token"), Button: v.Language.Text("not_me.sign_out"), Danger: true,
	})
}

// NotMe takes it back, and leads on to another password. Where a second factor is still asked for, which may not be the
// person's, it says so first.
func (h Links) NotMe(v *frame.Visit) error {
	result, err := ownership.Of(h.Identity).NotMe(v.Context(), v.Form.Get("token"))
	if err != nil {
		return err
	}
	v.ClearCookies()
	reset := url.Values{"token": {result.ResetSecret}}
	if len(result.Waiting) == 0 {
		return v.RedirectWith("/reset-password", reset)
	}
	return v.Show(http.StatusOK, pages.Done{
		Title:   v.Language.Text("not_me.signed_out"),
		Text:    v.Language.Text("not_me.waiting", locales.Params{"When": v.Language.Moment(result.DueAt)}),
		NextURI: frame.WithParameters("/reset-password", reset), NextLabel: v.Language.Text("not_me.choose"),
	})
}
