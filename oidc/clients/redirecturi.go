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

// CheckRedirectScheme says what is wrong with a URI of a client that has a scheme without a dot which is not among
// those that the operator allows, or that is not a public client's. One that is registered is not to be used any more
// then.
func CheckRedirectScheme(client *Client, uri string, allowed []string) error {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil:
		return err
	case parsed.Scheme == "http", parsed.Scheme == "https", strings.Contains(parsed.Scheme, "."):
		return nil
	case !slices.Contains(allowed, parsed.Scheme):
		return fmt.Errorf(
			"the scheme of the redirect URI %q must be http, https or a domain name in reverse, such as "+
				"com.example.app (RFC 8252, section 7.1), or one that WICKET_REDIRECT_SCHEMES names; is http:// missing?",
			uri,
		)
	case !client.IsPublic():
		return fmt.Errorf("the redirect URI %q has a scheme that apps on people's own machines alone may have: such an app "+
			"has no secret, and is registered as a public one", uri)
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
