package frame

import (
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/oidc"
)

// WithParameters is a page of ours with parameters; empty ones are left out.
func WithParameters(path string, parameters url.Values) string {
	given := make(url.Values, len(parameters))
	for name, values := range parameters {
		if len(values) > 0 && values[0] != "" {
			given[name] = values
		}
	}
	if len(given) == 0 {
		return path
	}
	return path + "?" + given.Encode()
}

// maxThen is how long the page may be, in bytes, that a form names to go on to: it is kept meanwhile.
const maxThen = 1000

// OwnPage is the page of ours that a form names to go on to; the account's first where it names none.
func OwnPage(then string) string {
	isPlain := len(then) <= maxThen && !strings.ContainsAny(then, "\\:@\n\r") && !strings.Contains(then, "..") &&
		!strings.Contains(strings.ToLower(then), "%2e") // which browsers read as a dot
	isAccount := strings.HasPrefix(then, "/account/") || then == "/account"
	isConsole := strings.HasPrefix(then, "/console/") || then == "/console" || strings.HasPrefix(then, "/console?")
	isLink := strings.HasPrefix(then, "/verify-email?token=") || strings.HasPrefix(then, oidc.PathDevice+"?user_code=")
	if isPlain && (isAccount || isConsole || isLink || then == "/apps" || then == "/arrival/link") {
		return then
	}
	return "/account"
}

// Then is the page of ours that the request names in the parameter then, to go on to where no app waits; otherwise,
// where it names none.
func Then(v *Visit, otherwise string) string {
	if then := v.Form.Get("then"); then != "" {
		return OwnPage(then)
	}
	return otherwise
}

// HostOf is the host of an address, or the address itself where it has none.
func HostOf(uri string) string {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil:
		return uri
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return parsed.Scheme + ":" // of an app on this device: what follows is the app's own to choose
	}
	return parsed.Host
}
