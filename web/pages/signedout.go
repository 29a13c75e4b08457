package pages

import "html/template"

// SignedOut says that the person is signed out.
type SignedOut struct {
	App       *App     // the app that they came from, or nil
	ReturnURI string   // a registered post_logout_redirect_uri, the app's home page, or ""
	Returns   bool     // the browser goes on there by itself, in a moment
	Refused   bool     // the app asked for an address that is not registered for it
	Reference string   // to be read out to whoever runs this server, where it was refused
	Frames    []string // addresses of apps that are told of it in frames
}

// Return is ReturnURI as a link, whatever its scheme; empty if it cannot be one.
func (s SignedOut) Return() template.URL { return redirect(s.ReturnURI) }

func (SignedOut) Template() (Templates, string) { return templates, "signedout.html" }
