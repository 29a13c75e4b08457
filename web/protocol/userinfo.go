package protocol

import (
	"net/http"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/frame"
)

// Userinfo is the userinfo endpoint: OpenID Connect Core, section 5.3.
type Userinfo struct{ *frame.Frame }

// Answer takes an access token as a header or in the body (RFC 6750, sections 2.1 and 2.2), never in the URL.
func (e Userinfo) Answer(v *frame.Visit) error {
	frame.AllowAnyOrigin(v.Gin)
	token := bearer(v.Gin.GetHeader("Authorization"))
	if request := v.Gin.Request; request.Method == http.MethodPost && request.ContentLength != 0 {
		if err := frame.Form(v); err != nil {
			return err
		}
		if inBody := v.Form.Get("access_token"); inBody != "" {
			if token != "" || len(v.Form["access_token"]) > 1 {
				return &oidc.Error{
					Code: "invalid_request", Description: "The access token is given twice.", Status: http.StatusBadRequest,
				}
			}
			token = inBody
		}
	}
	answer, err := e.Tokens.Userinfo(v.Context(), token)
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

// bearer is the token of a header Authorization; "" where it holds none.
func bearer(header string) string {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
