package frame

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
)

// pageHeaders sets the headers of everything that a browser gets from us. The policy is the strictest one, for what is
// no page; Show replaces it with that of the page.
func pageHeaders(c *gin.Context) {
	c.Header("Content-Security-Policy", strictestPolicy)
	c.Header("X-Frame-Options", "DENY")
	c.Header("Referrer-Policy", "same-origin")
	c.Header("Cache-Control", "no-store")
}

// LeadsTo lets the forms of the page that will be shown lead to these addresses in the end, empty ones aside: the
// redirect URI of the app that waits, the providers upstream. It may be called several times, in any order.
func (v *Visit) LeadsTo(addresses ...string) {
	for _, address := range addresses {
		if address != "" {
			v.leadsTo = append(v.leadsTo, address)
		}
	}
}

// OwnSourcesOnly lets the page show pictures of this server alone, so that nobody elsewhere learns who looks at it, and
// its script fetch pages of this server. It is for the console.
func OwnSourcesOnly(v *Visit) { v.ownSources = true }

const (
	sourcesOfPages   = "img-src 'self' https: data:; "
	sourcesOfConsole = "img-src 'self' data:; connect-src 'self'; "
)

var strictestPolicy = contentSecurityPolicy(sourcesOfPages, nil, nil)

// contentSecurityPolicy is the policy of a page with these sources, whose forms lead to these addresses in the end, and
// which shows those others in frames. Browsers apply form-action to every redirect that follows a form, and where an
// app sends people after its callback is its own affair: so https as a whole is allowed then, and http only to the very
// host.
func contentSecurityPolicy(sources string, leadsTo, framed []string) string {
	formAction := []string{"'self'"}
	allow := func(source string) {
		if !slices.Contains(formAction, source) {
			formAction = append(formAction, source)
		}
	}
	for _, address := range leadsTo {
		allow("https:")
		scheme, rest, _ := strings.Cut(address, ":")
		switch scheme {
		case "https":
		case "http":
			host, _, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "/")
			allow("http://" + host)
		default:
			allow(scheme + ":")
		}
	}
	frames := ""
	for _, address := range framed {
		if origin := oidc.OriginOf(address); !strings.ContainsAny(origin, ";, '") {
			frames += " " + origin
		}
	}
	if frames != "" {
		frames = "frame-src" + frames + "; "
	}
	return "default-src 'none'; " + frames + "style-src 'self'; script-src 'self'; " + sources +
		"base-uri 'none'; frame-ancestors 'none'; form-action " + strings.Join(formAction, " ")
}
