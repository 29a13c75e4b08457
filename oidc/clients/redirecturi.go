package clients

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wicket-id/wicket/oidc"
)

// Schemes that a browser runs or opens itself: a redirect to one of them would run somebody else's code in our name.
var forbiddenSchemes = []string{
	"javascript", "data", "vbscript", "file", "about", "blob", "view-source", "filesystem", "ws", "wss", "ftp",
}

// checkRedirectURI says what is wrong with a redirect URI that is to be registered: RFC 6749, section 3.1.2, and RFC
// 8252 for native apps. http is for this machine only.
func checkRedirectURI(uri string) error {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil || parsed.Scheme == "" || len(uri) > 2048:
		return fmt.Errorf("the redirect URI %q is not an absolute URI of at most 2048 bytes", uri)
	case strings.ContainsRune(uri, '#'):
		return fmt.Errorf("the redirect URI %q must not have a fragment", uri)
	case strings.ContainsAny(uri, " \t\r\n\\\x00") || strings.ContainsFunc(uri, func(r rune) bool {
		return r > 0x7e || r < 0x21
	}):
		return fmt.Errorf("the redirect URI %q has a character that must be percent-encoded", uri)
	case strings.Contains(uri, "*"):
		return fmt.Errorf("the redirect URI %q has a *: there are no wildcards, register each URI", uri)
	case slices.Contains(forbiddenSchemes, parsed.Scheme):
		return fmt.Errorf("a redirect URI cannot have the scheme %s", parsed.Scheme)
	case parsed.User != nil:
		return fmt.Errorf("the redirect URI %q must not hold a user name", uri)
	case (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() == "":
		return fmt.Errorf("the redirect URI %q has no host", uri)
	case parsed.Scheme == "http" && !oidc.IsLoopback(parsed):
		return fmt.Errorf("the redirect URI %q must use https; http is for localhost, 127.0.0.1 and [::1]", uri)
	case parsed.Scheme != "http" && parsed.Scheme != "https" && !strings.Contains(parsed.Scheme, "."):
		return fmt.Errorf(
			"the scheme of the redirect URI %q must be http, https or a domain name in reverse, such as com.example.app (RFC 8252, section 7.1); is http:// missing?",
			uri,
		)
	}
	return nil
}

// WebAddresses are the addresses of a client that are web addresses: where it sends people, where its keys, requests
// and sector are, and what it shows of itself.
func (c *Client) WebAddresses() (addresses []string) {
	all := slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs, c.RequestURIs)
	for _, uri := range append(
		all, c.JWKSURI, c.SectorIdentifierURI, c.LogoURI, c.ClientURI, c.PolicyURI, c.TOSURI, c.InitiateLoginURI,
		c.BackchannelLogoutURI, c.FrontchannelLogoutURI,
	) {
		if parsed, err := url.Parse(uri); uri != "" && (err != nil || parsed.Host != "") {
			addresses = append(addresses, uri)
		}
	}
	return addresses
}

// DestinationOf is where a redirect URI leads, as a person would know it: a host; this machine, whatever the port; or
// the scheme of an app on it.
func DestinationOf(redirectURI string) string {
	parsed, err := url.Parse(redirectURI)
	switch {
	case err != nil:
		return redirectURI
	case parsed.Scheme != "https" && parsed.Scheme != "http":
		return parsed.Scheme + ":"
	case oidc.IsLoopback(parsed):
		return "localhost"
	}
	return strings.ToLower(parsed.Host)
}

// IsAnyPrograms tells whether any program on the person's machine could receive what is sent to a redirect URI: it is
// on the loopback interface, whose ports are free to all, or has a scheme of an app's own, which several may claim.
func IsAnyPrograms(uri string) bool {
	parsed, err := url.Parse(uri)
	return err != nil || parsed.Scheme != "https" || oidc.IsLoopback(parsed)
}

// MayBeImpersonated tells whether another program could pass for this client at a redirect URI of its: the client has
// no secret to show, and any program on the person's machine could receive the answer. Then the person is asked each
// time (RFC 8252, section 8.6).
func (c *Client) MayBeImpersonated(redirectURI string) bool {
	return c.IsPublic() && IsAnyPrograms(redirectURI)
}

// MatchesRedirectURI tells whether a requested redirect URI is the registered one: the same string (RFC 9700, section
// 2.1). The one exception is the port of an app that listens on the loopback interface (RFC 8252, section 7.3): on
// 127.0.0.1 and [::1], and, where the app runs on people's own machines, on localhost, which hosts of the Model Context
// Protocol use.
func (c *Client) MatchesRedirectURI(requested, registered string) bool {
	if requested == registered {
		return true
	}
	to, from := loopbackURI.FindStringSubmatch(registered), loopbackURI.FindStringSubmatch(requested)
	if to == nil || from == nil || to[1] != from[1] || to[3] != from[3] {
		return false
	}
	if to[1] == "localhost" && !isNative(c) {
		return false
	}
	port, err := strconv.ParseUint(from[2], 10, 16)
	return from[2] == "" || err == nil && port > 0
}

// isNative tells whether the client runs on people's own machines, or may.
func isNative(c *Client) bool { return c.ApplicationType == "native" || c.IsPublic() }

// loopbackURI takes a redirect URI of a native app apart: address, port, and what follows.
var loopbackURI = regexp.MustCompile(`^http://(127\.0\.0\.1|\[::1\]|localhost)(?::(\d{1,5}))?((?:[/?].*)?)$`)
