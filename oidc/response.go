package oidc

import (
	"net/url"
	"strings"
)

// ResponseModes are the ways in which an app may ask for its answer: OAuth 2.0 Multiple Response Type Encoding
// Practices, section 2.1, OAuth 2.0 Form Post Response Mode and, where the answer is a signed JWT, JWT Secured
// Authorization Response Mode (JARM), section 2.3. The last stands for query.jwt or fragment.jwt.
var ResponseModes = []string{
	"query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt",
}

// Response is what goes back to the app by way of the browser.
type Response struct {
	RedirectURI string
	Mode        string // "query", "fragment" or "form_post"
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
