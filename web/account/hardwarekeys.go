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
		Title:  "Add a security key",
		Text:   "After your password you touch the key. Have it at hand; add two, so that losing one is no harm.",
		Action: "/account/hardware-keys/add", Button: "Add a security key",
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
