package protocol

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/tokens"
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
	answer, client, err := e.Grants.Token(v.Context(), request)
	v.IsOf(client)
	v.AllowOrigin()
	if err != nil {
		return err
	}
	if answer.DPoPNonce != "" {
		v.Gin.Header("DPoP-Nonce", answer.DPoPNonce)
	}
	v.Gin.JSON(http.StatusOK, answer)
	return nil
}

// Introspect is the introspection endpoint: RFC 7662, and RFC 9701 for who wants the answer as a JWT. Resource servers
// call it, not pages.
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
	v.Gin.Header("Vary", "Accept")
	const kind = "application/" + tokens.IntrospectionType
	if !prefers(v.Gin.Request.Header.Values("Accept"), kind, "application/json") {
		v.Gin.JSON(http.StatusOK, introspection)
		return nil
	}
	signed, err := e.Tokens.SignIntrospection(v.Context(), introspection, client)
	if err != nil {
		return err
	}
	v.Gin.Data(http.StatusOK, kind, []byte(signed))
	return nil
}

// prefers tells whether the header Accept names a media type, and that not less than the usual one: RFC 9110,
// section 12.5.1. A range such as */* names none.
func prefers(accept []string, kind, usual string) bool {
	weight := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight[name] = 1
		if q, given := parameters["q"]; given {
			if weight[name], err = strconv.ParseFloat(q, 64); err != nil {
				weight[name] = 0
			}
		}
	}
	return weight[kind] > 0 && weight[kind] >= weight[usual]
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
