package pages

import (
	"html/template"
	"net/url"
)

// redirect is the address of an app to which a page sends a person, in a form
// that html/template leaves alone: it would only let http and https pass, and
// apps on phones and desks have schemes of their own (RFC 8252 section 7.1).
// The address has been matched with the client's registration before it comes
// here; still, schemes that would run or show something in Wicket's own name,
// and addresses that are not absolute, come out empty.
func redirect(address string) template.URL {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "", "javascript", "vbscript", "data", "blob", "filesystem", "file", "about", "view-source":
		return ""
	}
	return template.URL(u.String())
}
