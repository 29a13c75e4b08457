package grants

import (
	"errors"
	"net/http"

	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/oidc"
)

// Translate turns what fosite says into an Error. fosite's debug texts stay inside.
func Translate(err error) error {
	var known *oidc.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var rfc *fosite.RFC6749Error
	if !errors.As(err, &rfc) {
		return oidc.ServerError(err)
	}
	if rfc.CodeField >= http.StatusInternalServerError {
		if cause := rfc.Unwrap(); cause != nil { // of which its own text says nothing
			err = cause
		}
		return oidc.ServerError(err)
	}
	description := rfc.HintField
	if description == "" {
		description = rfc.DescriptionField
	}
	return &oidc.Error{Code: rfc.ErrorField, Description: description, Status: http.StatusBadRequest, Cause: err}
}
