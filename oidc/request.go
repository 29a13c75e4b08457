package oidc

import (
	"net/url"
)

// Request is what an app sends to an endpoint that it calls itself: token, introspection, revocation.
type Request struct {
	Form          url.Values // the body
	Authorization string     // the header of that name
	Origin        string     // the header of that name: a page in a browser is calling
}
