package protocol

import (
	"net/http"

	"github.com/wicket-id/wicket/web/frame"
)

// PushedRequests is the endpoint to which apps push authorization requests.
type PushedRequests struct{ *frame.Frame }

// Push takes one: RFC 9126, section 2.
func (e PushedRequests) Push(v *frame.Visit) error {
	request, err := fromApp(v)
	if err != nil {
		return err
	}
	pushed, client, err := e.Authorize.Push(v.Context(), request)
	v.IsOf(client)
	v.AllowOrigin()
	if err != nil {
		return err
	}
	v.Gin.JSON(http.StatusCreated, pushed)
	return nil
}
