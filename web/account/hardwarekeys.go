package account

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// NewHardwareKey lets a person register a security key.
func (h Factors) NewHardwareKey(v *frame.Visit) error {
	return h.showNewHardwareKey(v, http.StatusOK, "")
}

func (h Factors) showNewHardwareKey(v *frame.Visit, status int, failure string) error {
	ceremony, err := h.Factors.HardwareKeys().Begin(v.Context(), v.Session.User)
	if err != nil {
		return h.refuse(v, err)
	}
	return h.showNewKey(v, status, pages.NewKey{
		Title:  v.Language.Text("new_key.hardware_key"),
		Text:   v.Language.Text("new_key.hardware_key_lead"),
		Action: "/account/hardware-keys/add", Button: v.Language.Text("new_key.hardware_key"),
		Ceremony: *frame.CeremonyView(ceremony), Failure: failure,
	})
}

// AddHardwareKey registers it.
func (h Factors) AddHardwareKey(v *frame.Visit) error {
	return h.addKey(v, h.Factors.HardwareKeys().Add, h.showNewHardwareKey)
}

// RemoveHardwareKey removes one.
func (h Factors) RemoveHardwareKey(v *frame.Visit) error {
	return h.remove(v, h.Factors.HardwareKeys().Remove)
}
