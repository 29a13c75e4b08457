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

// ended says why what was presented is over: what it hangs on has ended, or else its own time.
func ended(stands bool, expired string) string {
	if !stands {
		return oidc.EndedGrant
	}
	return expired
}

// used says that what was presented was used by another request.
func (w *work) used() string {
	if w.refresh != nil {
		return oidc.UsedRefreshToken
	}
	return oidc.UsedCode
}

// unlike finds out in what a request differs from the one that the code or refresh token was issued for. fosite tells
// it in words alone.
func (w *work) unlike(refused *oidc.Error) *oidc.Error {
	switch {
	case w.grant == nil:
		return refused.Because(w.reason, nil)
	case w.grant.ClientID != w.client.ID && w.refresh != nil:
		return refused.Because(oidc.OthersRefreshToken, []string{w.grant.ClientID}, w.client.ID)
	case w.grant.ClientID != w.client.ID:
		return refused.Because(oidc.OthersCode, []string{w.grant.ClientID}, w.client.ID)
	case w.reason != "" || w.code == nil:
		return refused.Because(w.reason, nil)
	case w.code.RedirectURI != w.form.Get("redirect_uri"):
		expected := []string{oidc.SentURI(w.code.RedirectURI)}
		return refused.Because(oidc.OtherRedirectURI, expected, oidc.SentURI(w.form.Get("redirect_uri")))
	case !w.mightRedeem():
		return refused.Because(oidc.WrongVerifier, nil)
	}
	return refused
}
