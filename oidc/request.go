package oidc

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
)

// Request is what an app sends to an endpoint that it calls itself: PAR, token, introspection, revocation.
type Request struct {
	Method      string
	Path        string
	Header      http.Header
	Form        url.Values        // the body
	Certificate *x509.Certificate // that the app has shown in TLS; nil: none
}

// Origin is the origin of the page that sends the request; empty where no page in a browser does.
func (r Request) Origin() string { return r.Header.Get("Origin") }

// Parameters returns the parameters of a form, and an *Error where one is given several times that is not among the
// repeatable ones: RFC 6749, section 3.2. An empty parameter counts as left out.
func Parameters(form url.Values, repeatable ...string) (url.Values, error) {
	parameters, doubled := Single(form, repeatable...)
	if doubled != "" {
		return nil, InvalidRequest("The parameter " + doubled + " is given more than once.")
	}
	return parameters, nil
}

// Single is Parameters where one that is given several times is no error yet, but named: client_id or redirect_uri if
// it is one of them, for then nothing else of an authorization request can be trusted (RFC 6749, section 3.1).
func Single(form url.Values, repeatable ...string) (parameters url.Values, doubled string) {
	parameters = make(url.Values, len(form))
	for name, values := range form {
		switch {
		case len(values) == 0, len(values) == 1 && values[0] == "":
			continue
		case slices.Contains(repeatable, name):
			parameters[name] = values
			continue
		case len(values) > 1 && doubled != "client_id" && (doubled != "redirect_uri" || name == "client_id"):
			doubled = name
		}
		if values[0] != "" {
			parameters[name] = values[:1]
		}
	}
	return parameters, doubled
}
