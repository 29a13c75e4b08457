package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Links are what links in e-mails lead to: pages that ask for one press of a button, because programs that look into
// mail follow links, but press no buttons.
type Links struct{ *frame.Frame }

// VerifyEmailPage asks whether an address is the person's.
func (h Links) VerifyEmailPage(v *frame.Visit) error {
	token := v.Gin.Query("token")
	address, username, err := h.Identity.Emails().ToVerify(v.Context(), token)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.Confirm{
		Title: "Verify your email address",
		Text: "The address " + address + " will belong to the account " + username + ". " +
			"Go on only if that account is yours.",
		Action: "/verify-email", Token: token, Button: "Verify this address",
	})
}

// VerifyEmail notes that it is.
func (h Links) VerifyEmail(v *frame.Visit) error {
	email, err := h.Identity.Emails().Verify(v.Context(), v.Form.Get("token"))
	if errors.Is(err, identity.ErrEmailTaken) {
		return v.Show(http.StatusConflict, pages.Failure{
			Title: "This address is taken", Explanation: "Another account has verified it already.",
			Advice: "If that account is yours too, sign in to it, or use another address here.",
		})
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.Done{
		Title: "Your address is verified", Text: email.Address, NextURI: "/account/emails", NextLabel: "Go to your addresses",
	})
}

// UnlockPage asks whether to unlock an account.
func (h Links) UnlockPage(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.Confirm{
		Title: "Unlock your account", Text: "It is locked for a while because of wrong passwords. You can unlock it now.",
		Action: "/unlock", Token: v.Gin.Query("token"), Button: "Unlock my account",
	})
}

// Unlock unlocks it.
func (h Links) Unlock(v *frame.Visit) error {
	if err := h.SignIns.Unlock(v.Context(), v.Form.Get("token")); err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.Done{
		Title: "Your account is unlocked", Text: "You can sign in again.", NextURI: "/sign-in", NextLabel: "Sign in",
	})
}

// NotMePage asks whether to take back what somebody else did to an account.
func (h Links) NotMePage(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.Confirm{
		Title:  "Was this not you?",
		Text:   "We will sign out every device, disable the password, and let you choose a new one.",
		Action: "/not-me", Token: v.Gin.Query("token"), Button: "It was not me: sign out every device", Danger: true,
	})
}

// NotMe takes it back.
func (h Links) NotMe(v *frame.Visit) error {
	secret, err := h.SignIns.NotMe(v.Context(), v.Form.Get("token"))
	if err != nil {
		return err
	}
	v.ClearCookies()
	return v.RedirectWith("/reset-password", url.Values{"token": {secret}})
}
