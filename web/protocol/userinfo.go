package protocol

import (
	"net/http"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/web/frame"
)

// Userinfo is the userinfo endpoint: OpenID Connect Core, section 5.3.
type Userinfo struct{ *frame.Frame }

// Answer takes an access token as a header or in the body (RFC 6750, sections 2.1 and 2.2), never in the URL.
func (e Userinfo) Answer(v *frame.Visit) error {
	frame.AllowAnyOrigin(v.Gin)
	request := v.Gin.Request
	shown := tokens.Present(oidc.Request{Method: request.Method, Path: request.URL.Path, Header: request.Header})
	if request.Method == http.MethodPost && request.ContentLength != 0 {
		if err := frame.Form(v); err != nil {
			return err
		}
		if inBody := v.Form.Get("access_token"); inBody != "" {
			if shown.Token != "" || len(v.Form["access_token"]) > 1 {
				return &oidc.Error{
					Code: "invalid_request", Description: "The access token is given twice.", Status: http.StatusBadRequest,
				}
			}
			shown.Token, shown.DPoP = inBody, false // a token that is bound comes in the header: RFC 9449, section 7.1
		}
	}
	answer, err := e.Tokens.Userinfo(v.Context(), shown)
	if err != nil {
		return err
	}
	if answer.JWT != "" {
		v.Gin.Data(http.StatusOK, "application/jwt", []byte(answer.JWT))
		return nil
	}
	v.Gin.JSON(http.StatusOK, answer.Claims)
	return nil
}
