package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// VerifyEmail is what the link leads to that was sent to an e-mail address. It works in a session of the account alone:
// whoever reads the mail may not be who made the account.
type VerifyEmail struct{ *frame.Frame }

// Page asks whether the address is the person's.
func (h VerifyEmail) Page(v *frame.Visit) error {
	token := v.Form.Get("token")
	verification, err := ownership.Of(h.Identity).OpenVerification(v.Context(), token)
	if err != nil {
		return err
	}
	here := frame.WithParameters("/verify-email", url.Values{"token": {token}})
	signIn := url.Values{"then": {here}}
	if v.Session == nil {
		return v.RedirectWith("/sign-in", signIn)
	}
	if v.Session.UserID != verification.UserID {
		signIn.Set("switch", "1")
		return v.Show(http.StatusConflict, pages.Done{
			Title: v.Language.Text("verify_email.other_account", locales.Params{"Username": verification.Username}),
			Text: v.Language.Text("verify_email.other_account_explanation", locales.Params{
				"Address": verification.Address,
			}),
			NextURI: frame.WithParameters("/sign-in", signIn), NextLabel: v.Language.Text("signin.title"),
		})
	}
	if err := v.Reauthenticate(here); err != nil {
		return err
	}
	found, err := ownership.Of(h.Identity).WaysBefore(v.Context(), verification, v.Session, v.Device())
	if err != nil {
		return err
	}
	var ticked []string
	if verification.NoPassword { // or who overlooks the boxes has no way in any more
		for _, way := range found {
			if way.SignsIn() {
				ticked = append(ticked, way.Key())
			}
		}
	}
	ways, err := otherWays(h.Frame, v, found, ticked)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.VerifyEmail{
		Address: verification.Address, Username: verification.Username, Token: token, Ways: ways,
	})
}

// Submit notes that it is. Whoever is not signed in, or not as it takes, or is somebody else by now, is led back to the
// page.
func (h VerifyEmail) Submit(v *frame.Visit) error {
	token := v.Form.Get("token")
	verification, err := ownership.Of(h.Identity).OpenVerification(v.Context(), token)
	if err != nil {
		return err
	}
	page := frame.WithParameters("/verify-email", url.Values{"token": {token}})
	if v.Session == nil || v.Session.UserID != verification.UserID {
		return v.Redirect(page)
	}
	if err := v.Reauthenticate(page); err != nil {
		return err
	}
	email, err := ownership.Of(h.Identity).Verify(v.Context(), v.Owner, v.Device(), token, v.Form["keep"])
	if errors.Is(err, identity.ErrEmailTaken) {
		return v.Show(http.StatusConflict, pages.Failure{
			Title: v.Language.Text("verify_email.taken"), Explanation: v.Language.Text("verify_email.taken_explanation"),
			Advice: v.Language.Text("verify_email.taken_advice"),
		})
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.Done{
		Title: v.Language.Text("verify_email.verified"), Text: email.Address,
		NextURI: "/account/emails", NextLabel: v.Language.Text("verify_email.next"),
	})
}
