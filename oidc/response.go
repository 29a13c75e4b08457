package oidc

import (
	"net/url"
	"strings"
)

// ResponseModes are the ways in which an answer travels: OAuth 2.0 Multiple Response Type Encoding Practices, section
// 2.1, and OAuth 2.0 Form Post Response Mode.
var ResponseModes = []string{"query", "fragment", "form_post"}

// Response is what goes back to the app by way of the browser.
type Response struct {
	RedirectURI string
	Mode        string // see ResponseModes
	Parameters  url.Values
}

// URL returns where the browser is redirected to, for the modes query and fragment. A query that was registered with
// the redirect URI stays as it is.
func (r *Response) URL() string {
	encoded := r.Parameters.Encode()
	if r.Mode == "fragment" {
		return r.RedirectURI + "#" + encoded
	}
	separator := "?"
	if strings.Contains(r.RedirectURI, "?") {
		separator = "&"
	}
	return r.RedirectURI + separator + encoded
}
