package account

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// NewPasskey lets a person register a passkey.
func (h Factors) NewPasskey(v *frame.Visit) error {
	if v.Form.Get("offer") != "" {
		v.SetCookie(frame.PasskeyOfferCookie, "1")
	}
	return h.showNewPasskey(v, http.StatusOK, "")
}

func (h Factors) showNewPasskey(v *frame.Visit, status int, failure string) error {
	ceremony, err := h.Factors.Passkeys().Begin(v.Context(), v.Session.User)
	if err != nil {
		return h.refuse(v, err)
	}
	return h.showNewKey(v, status, pages.NewKey{
		Title:  v.Language.Text("new_key.passkey"),
		Text:   v.Language.Text("new_key.passkey_lead"),
		Action: "/account/passkeys/add", Button: v.Language.Text("new_key.passkey"),
		Ceremony: *frame.CeremonyView(ceremony), Failure: failure,
	})
}

// AddPasskey registers it.
func (h Factors) AddPasskey(v *frame.Visit) error {
	return h.addKey(v, h.Factors.Passkeys().Add, h.showNewPasskey)
}

// RemovePasskey removes one.
func (h Factors) RemovePasskey(v *frame.Visit) error {
	return h.remove(v, h.Factors.Passkeys().Remove)
}
