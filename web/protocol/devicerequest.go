package protocol

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
)

// DeviceRequests is the endpoint at which devices without a browser ask to be signed in.
type DeviceRequests struct{ *frame.Frame }

// Begin takes such a request: RFC 8628, section 3.1.
func (e DeviceRequests) Begin(v *frame.Visit) error {
	request, err := fromApp(v)
	if err != nil {
		return err
	}
	answer, client, err := e.Authorize.Devices().Begin(v.Context(), request)
	v.IsOf(client)
	v.AllowOrigin()
	if err != nil {
		return err
	}
	v.Gin.JSON(http.StatusOK, answer)
	return nil
}
