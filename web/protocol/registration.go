package protocol

import (
	"net/http"
	"strings"

	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/web/frame"
)

// Registration is where apps register themselves: RFC 7591, and RFC 7592 for what follows.
type Registration struct{ *frame.Frame }

// Register registers an app.
func (e Registration) Register(v *frame.Visit) error {
	object, err := frame.ReadJSON(v)
	if err != nil {
		return err
	}
	information, err := e.Registration.Register(v.Context(), object, bearer(v.Gin.GetHeader("Authorization")))
	return e.tell(v, http.StatusCreated, information, err)
}

// Read tells an app of its registration.
func (e Registration) Read(v *frame.Visit) error {
	information, err := e.Registration.Read(v.Context(), v.Gin.Param("id"), bearer(v.Gin.GetHeader("Authorization")))
	return e.tell(v, http.StatusOK, information, err)
}

// Replace replaces the metadata of an app.
func (e Registration) Replace(v *frame.Visit) error {
	object, err := frame.ReadJSON(v)
	if err != nil {
		return err
	}
	token := bearer(v.Gin.GetHeader("Authorization"))
	information, err := e.Registration.Replace(v.Context(), v.Gin.Param("id"), token, object)
	return e.tell(v, http.StatusOK, information, err)
}

// Delete deletes an app.
func (e Registration) Delete(v *frame.Visit) error {
	frame.AllowAnyOrigin(v.Gin)
	if err := e.Registration.Delete(v.Context(), v.Gin.Param("id"), bearer(v.Gin.GetHeader("Authorization"))); err != nil {
		return err
	}
	v.Gin.Status(http.StatusNoContent)
	return nil
}

func (e Registration) tell(v *frame.Visit, status int, information registration.Information, err error) error {
	frame.AllowAnyOrigin(v.Gin) // hosts of the Model Context Protocol run in browsers too
	if err != nil {
		return err
	}
	v.Gin.JSON(status, information)
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
