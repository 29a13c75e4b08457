// Package account is what a person may see and change of their own account, a file for each part of it. All pages begin
// with head, which is in head.go.
package account

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Devices is the page of where the person is signed in.
type Devices struct{ *frame.Frame }

const devicesPage = "/account/devices"

// Page shows a person their devices, and which apps are signed in on each.
func (h Devices) Page(v *frame.Visit) error {
	top, err := head(h.Frame, v, devicesPage)
	if err != nil {
		return err
	}
	sessions, err := h.Identity.Sessions().List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(sessions))
	for i := range sessions {
		ids[i] = sessions[i].ID
	}
	participations, err := h.Clients.Participations(v.Context(), ids)
	if err != nil {
		return err
	}
	apps := make(map[uuid.UUID][]pages.App)
	for _, participation := range participations {
		apps[participation.SessionID] = append(apps[participation.SessionID], *frame.AppView(participation.Client))
	}
	page := pages.Devices{Head: top, Notice: notice(h.Frame, v)}
	for _, device := range sessions {
		page.Devices = append(page.Devices, pages.Device{
			ID: device.ID.String(), Label: device.DeviceLabel, IP: device.LastSeenIP, Mobile: device.IsMobile,
			Current: device.ID == v.Session.ID, Apps: apps[device.ID],
			SignedIn: frame.Ago(v, h.Now(), device.CreatedAt), LastSeen: frame.Ago(v, h.Now(), device.LastSeenAt),
		})
	}
	return v.Show(http.StatusOK, page)
}

// End ends one session of the person's.
func (h Devices) End(v *frame.Visit) error {
	id, err := uuid.Parse(v.Form.Get("id"))
	if err != nil {
		return frame.ErrForm
	}
	if id == v.Session.ID {
		return h.SignOut(v)
	}
	err = h.Identity.Sessions().EndDevice(v.Context(), v.Session.UserID, id, v.Device())
	if errors.Is(err, storage.ErrNotFound) { // another tab was faster, or it never was theirs
		return v.Redirect(devicesPage + "?done=gone")
	} else if err != nil {
		return err
	}
	return v.Redirect(devicesPage + "?done=device")
}

// EndOthers ends every session of the person's but this.
func (h Devices) EndOthers(v *frame.Visit) error {
	if err := h.Identity.Sessions().EndOtherDevices(v.Context(), v.Session.UserID, v.Session.ID, v.Device()); err != nil {
		return err
	}
	return v.Redirect(devicesPage + "?done=devices")
}

// SignOut ends this session.
func (h Devices) SignOut(v *frame.Visit) error {
	if err := h.Logout.End(v.Context(), v.Session.UserID, v.Session.ID, identity.EndedBySignOut); err != nil {
		return err
	}
	return frame.SignedOut(v, v.Session.ID, "", pages.SignedOut{})
}

// SignOutEverywhere ends all sessions of the person's, and what apps hold of them.
func (h Devices) SignOutEverywhere(v *frame.Visit) error {
	if _, err := h.Identity.Sessions().SignOutEverywhere(
		v.Context(), v.Session.UserID, identity.EndedByGlobal,
	); err != nil {
		return err
	}
	return frame.SignedOut(v, v.Session.ID, "", pages.SignedOut{})
}
