package protocol

import (
	"errors"
	"net/http"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
)

// UpstreamLogout is where providers say that a session there has ended: OpenID Connect Back-Channel Logout, section
// 2.5.
type UpstreamLogout struct{ *frame.Frame }

// Post takes a logout token.
func (e UpstreamLogout) Post(v *frame.Visit) error {
	provider := v.Gin.Param("provider")
	v.ActAs("provider:" + provider)
	ctx := v.Context()
	people, err := e.Upstreams.Logout(ctx, provider, v.Form.Get("logout_token"), v.Device().Source())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return &oidc.Error{
			Code: "invalid_request", Description: "There is no such provider.", Status: http.StatusNotFound,
		}
	case errors.Is(err, federation.ErrTooManyLogouts):
		return &oidc.Error{
			Code: "temporarily_unavailable", Description: "Too many logout tokens come from there; try again in a minute.",
			Status: http.StatusTooManyRequests,
		}
	case errors.Is(err, federation.ErrInvalidResponse), errors.Is(err, federation.ErrUnreachable):
		e.Log.WarnContext(ctx, "a logout token was refused", "provider", provider, "error", err.Error())
		return &oidc.Error{
			Code: "invalid_request", Description: "The logout token is not valid.", Status: http.StatusBadRequest,
		}
	case err != nil:
		return err
	}
	e.Log.InfoContext(ctx, "signed out upstream", "provider", provider, "people", people)
	v.Gin.Status(http.StatusOK)
	return nil
}
