package protocol

import (
	"net/http"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/frame"
)

// Tokens are the endpoints at which an app gets tokens, asks about them and gives them back.
type Tokens struct{ *frame.Frame }

// Token is the token endpoint: RFC 6749, section 3.2.
func (e Tokens) Token(v *frame.Visit) error {
	request, err := fromApp(v)
	if err != nil {
		return err
	}
	tokens, client, err := e.Grants.Token(v.Context(), request)
	v.IsOf(client)
	v.AllowOrigin()
	if err != nil {
		return err
	}
	v.Gin.JSON(http.StatusOK, tokens)
	return nil
}

// Introspect is the introspection endpoint: RFC 7662. Resource servers call it, not pages.
func (e Tokens) Introspect(v *frame.Visit) error {
	request, err := fromApp(v)
	if err != nil {
		return err
	}
	introspection, client, err := e.Tokens.Introspect(v.Context(), request)
	v.IsOf(client)
	if err != nil {
		return err
	}
	v.Gin.JSON(http.StatusOK, introspection)
	return nil
}

// Revoke is the revocation endpoint: RFC 7009.
func (e Tokens) Revoke(v *frame.Visit) error {
	request, err := fromApp(v)
	if err != nil {
		return err
	}
	client, err := e.Tokens.Revoke(v.Context(), request)
	v.IsOf(client)
	v.AllowOrigin()
	if err != nil {
		return err
	}
	v.Gin.Status(http.StatusOK)
	return nil
}

// fromApp is the form that an app sends to an endpoint that it calls itself.
func fromApp(v *frame.Visit) (oidc.Request, error) {
	if err := oidc.CheckForm(v.Form); err != nil {
		return oidc.Request{}, err
	}
	request := v.Gin.Request
	r := oidc.Request{Method: request.Method, Path: request.URL.Path, Header: request.Header, Form: v.Form}
	if request.TLS != nil && len(request.TLS.PeerCertificates) > 0 {
		r.Certificate = request.TLS.PeerCertificates[0]
	}
	return r, nil
}
