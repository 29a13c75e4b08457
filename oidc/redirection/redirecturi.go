// Package redirection is where answers may go at all, whichever app they are for. Begin with Check.
package redirection

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc"
)

// ForbiddenSchemes are those that a browser runs or opens itself, or hands to a program that does more with an address
// than to receive it: a redirect to one of them would run somebody else's code in our name, or send a code where no app
// of the client is.
var ForbiddenSchemes = []string{
	"javascript", "livescript", "mocha", "data", "vbscript", "vbs", "file", "about", "blob", "view-source", "filesystem",
	"ws", "wss", "ftp", "ftps", "sftp", "jar", "resource", "res", "mhtml", "mk", "cid", "mid", "urn", "feed", "chrome",
	"chrome-extension", "chrome-untrusted", "moz-extension", "moz-icon", "safari-extension", "edge", "opera", "brave",
	"devtools", "microsoft-edge", "googlechrome", "firefox", "x-safari-http", "x-safari-https", "safari-http",
	"safari-https", "jnlp", "jnlps", "sip", "sips", "webcal", "rtsp", "geo", "mms", "git", "tftp", "dict", "hcp", "wyciwyg",
	"intent", "android-app", "content", "market", "itms", "itms-apps", "itms-services", "x-apple-helpbasic",
	"help", "shell", "shortcuts", "search", "mailto", "tel", "sms", "facetime", "ldap", "ldaps", "ssh", "telnet", "rlogin",
	"smb", "nfs", "afp", "vnc", "rdp", "gopher", "news", "nntp", "irc", "magnet", "openid", "openid4vp",
}

// isForbidden tells whether no redirect URI may have that scheme, written in small letters. Whole families are
// forbidden by how they begin: what looks like http, what programs of Windows take commands by, and what pages may
// claim.
func isForbidden(scheme string) bool {
	if scheme == "http" || scheme == "https" {
		return false
	}
	begins := func(prefix string) bool { return strings.HasPrefix(scheme, prefix) }
	return slices.Contains(ForbiddenSchemes, scheme) ||
		slices.ContainsFunc([]string{"http", "hxxp", "shttp", "ms-", "search-", "web+", "ext+"}, begins)
}

// ParseSchemes reads the schemes without a dot that redirect URIs of public clients may have by the operator's
// leave, by commas, such as cursor,vscode. Any program may claim such a scheme, which RFC 8252, section 7.1, therefore
// wants to be a domain name in reverse; but apps that many people use have one. What a browser itself opens is refused.
func ParseSchemes(text string) (schemes []string, err error) {
	for scheme := range strings.SplitSeq(text, ",") {
		scheme = strings.TrimSpace(scheme)
		switch {
		case !dotlessScheme.MatchString(scheme):
			return nil, fmt.Errorf("%q is no scheme in small letters and without a dot or colon, such as cursor; one with "+
				"a dot, such as com.example.app, needs no leave", scheme)
		case isForbidden(scheme) || slices.Contains([]string{"http", "https", "localhost"}, scheme):
			return nil, fmt.Errorf("no redirect URI may have the scheme %s: it is no app's own", scheme)
		}
		schemes = append(schemes, scheme)
	}
	return schemes, nil
}

var dotlessScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]{1,39}$`)

// Check says what is wrong with a redirect URI that is to be registered: RFC 6749, section 3.1.2, and RFC
// 8252 for native apps. http is for this machine only; whether a scheme without a dot may be is for
// clients.Store.Prepare to say.
func Check(uri string) error {
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
	case isForbidden(parsed.Scheme):
		return fmt.Errorf("a redirect URI cannot have the scheme %s", parsed.Scheme)
	case strings.ContainsFunc(parsed.Host, func(r rune) bool { return r > 0x7e || r == '%' }):
		return fmt.Errorf("the host of the redirect URI %q must be written in ASCII: xn--… for other letters", uri)
	case parsed.User != nil:
		return fmt.Errorf("the redirect URI %q must not hold a user name", uri)
	case (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() == "":
		return fmt.Errorf("the redirect URI %q has no host", uri)
	case parsed.Scheme == "http" && !oidc.IsLoopback(parsed):
		return fmt.Errorf("the redirect URI %q must use https; http is for localhost, 127.0.0.1 and [::1]", uri)
	}
	return nil
}
