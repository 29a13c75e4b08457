package account

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// NewTOTP shows the secret for another authenticator app.
func (h Factors) NewTOTP(v *frame.Visit) error {
	setup, err := h.Factors.TOTPs().Begin(v.Context(), v.Session.User, h.name())
	if err != nil {
		return h.refuse(v, err)
	}
	return h.showNewTOTP(v, http.StatusOK, setup, "")
}

func (h Factors) showNewTOTP(v *frame.Visit, status int, setup *factor.TOTPSetup, failure string) error {
	page := pages.NewTOTP{ID: setup.ID.String(), Secret: setup.Secret, PNG: setup.Image, Failure: failure}
	page.App, page.Continue = v.App()
	page.Then, page.LaterURI = frame.Then(v, ""), laterURI(v, page.Continue)
	return v.Show(status, page)
}

// ConfirmTOTP takes the first code of the app.
func (h Factors) ConfirmTOTP(v *frame.Visit) error {
	id, err := uuid.Parse(v.Form.Get("id"))
	if err != nil {
		return frame.ErrForm
	}
	secret, err := h.Factors.TOTPs().Confirm(v.Context(), v.Owner, id, v.Form.Get("code"), v.Form.Get("name"))
	if errors.Is(err, factor.ErrCode) || errors.Is(err, factor.ErrFactorName) {
		setup, err := h.Factors.TOTPs().Pending(v.Context(), v.Session.User, id, h.name())
		if err != nil {
			return h.refuse(v, err)
		}
		return h.showNewTOTP(v, http.StatusUnprocessableEntity, setup, v.Language.Text("new_totp.wrong_code"))
	}
	if err != nil {
		return h.refuse(v, err)
	}
	return h.added(v, secret)
}

// RemoveTOTP removes an app.
func (h Factors) RemoveTOTP(v *frame.Visit) error { return h.remove(v, h.Factors.TOTPs().Remove) }
