package harness

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

// BeginDevice asks for what a device without a browser wants, as client does.
func (h *Server) BeginDevice(t testing.TB, client Client, scope string) Answer {
	t.Helper()
	asked := h.Call(t, oidc.PathDeviceRequest, client, url.Values{"scope": {scope}})
	if asked.Status != http.StatusOK {
		t.Fatalf("the device was refused: %d %v", asked.Status, asked.JSON)
	}
	return asked
}

// PollDevice asks once whether a device code is good by now.
func (h *Server) PollDevice(t testing.TB, client Client, deviceCode string) Answer {
	t.Helper()
	return h.Call(t, oidc.PathToken, client, url.Values{
		"grant_type": {oidc.GrantDeviceCode}, "device_code": {deviceCode},
	})
}

// DecideDevice answers the page that is shown about a device, by "approve" or "deny".
func (b *Browser) DecideDevice(t testing.TB, shown Page, decision string) Page {
	t.Helper()
	token := ""
	if match := HiddenToken.FindStringSubmatch(shown.Text); match != nil {
		token = match[1]
	}
	return b.Post(t, oidc.PathDevice, url.Values{
		"token": {token}, "decision": {decision}, "scope": {"profile", "email", "address", "offline_access"},
	})
}
