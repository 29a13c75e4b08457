package oidc

import (
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Reason says why something was refused, for those who run the app or this server. Neither the app nor the person is
// told: they get the description of the Error.
type Reason struct {
	Code string // one of those below; empty: there is nothing to say beyond the description
	// the client that the request is about, where it is registered but has not shown that it sent the request
	ClientID string
	Expected []string // what would have been accepted, if that can be listed
	Got      []string // what was sent, as far as it may be kept: see SentURI and SentName
}

// Why something was refused.
const (
	UnknownClient       = "client.unknown"        // got: what the request calls it
	WrongCredentials    = "client.credentials"    // expected and got: the method of authentication
	BadAuthentication   = "client.authentication" // what was shown cannot be right; the description says why
	LateAssertion       = "client.assertion_time" // a client assertion is not valid at this time
	UnregisteredOrigin  = "origin.unregistered"   // expected: origins; got: that of the page
	WrongRedirectURI    = "redirect_uri.unregistered"
	MissingRedirectURI  = "redirect_uri.missing"
	OtherRedirectURI    = "redirect_uri.other" // expected: that of the authorization request
	WrongLogoutURI      = "post_logout_redirect_uri.unregistered"
	WrongResponseType   = "response_type.unsupported"
	NoResponseType      = "response_type.unregistered"
	UnknownGrantType    = "grant_type.unsupported"
	NoGrantType         = "grant_type.unregistered"
	NoScope             = "scope.unregistered"
	NotGrantedScope     = "scope.not_granted"
	NoAPI               = "resource.unregistered"
	MissingPKCE         = "pkce.missing"
	WrongPKCEMethod     = "pkce.method"
	WrongVerifier       = "pkce.verifier"
	MustPush            = "request.not_pushed"
	MustSign            = "request.not_signed"
	BadRequestObject    = "request.object"
	UnknownCode         = "code.unknown"
	ExpiredCode         = "code.expired"
	UsedCode            = "code.used"
	OthersCode          = "code.other_client"
	UnknownRefreshToken = "refresh_token.unknown"
	ExpiredRefreshToken = "refresh_token.expired"
	UsedRefreshToken    = "refresh_token.used"
	OthersRefreshToken  = "refresh_token.other_client"
	EndedGrant          = "grant.ended"
	WrongKey            = "dpop.key"
	UnmetAssurance      = "person.assurance"
	ExcludedPerson      = "person.excluded" // expected: the groups of the app
)

// Because returns a copy of the error with its reason.
func (e *Error) Because(code string, expected []string, got ...string) *Error {
	refused := *e
	refused.Reason = Reason{Code: code, Expected: expected, Got: got}
	return &refused
}

// cutOff is the end of what was not kept whole.
const cutOff = "…"

// IsWhole tells whether something that was sent was kept as it was.
func IsWhole(kept string) bool { return kept != "" && !strings.HasSuffix(kept, cutOff) }

// SentURI is as much of an address that was sent as may be kept: neither a user name nor query and fragment, which may
// hold secrets. It returns "" for what is no absolute address: that may be anything.
func SentURI(text string) string {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Scheme == "":
		return ""
	case parsed.Opaque != "":
		return parsed.Scheme + ":" + cutOff
	case parsed.User != nil:
		return parsed.Scheme + "://" + parsed.Host + cutOff
	}
	kept, more := text, false
	for _, mark := range []string{"#", "?"} {
		if before, _, found := strings.Cut(kept, mark); found {
			kept, more = before+mark, true
		}
	}
	if more {
		kept += cutOff
	}
	return kept
}

// SentName is a name that was sent, as it may be kept: of what may be a secret in the wrong place, the beginning.
func SentName(text string) string {
	if !mayBeSecret(text) {
		return text
	}
	return text[:secretsShown] + cutOff
}

// SentNames is SentName of each of several.
func SentNames(texts []string) []string {
	kept := make([]string, len(texts))
	for i, text := range texts {
		kept[i] = SentName(text)
	}
	return kept
}

const (
	secretsShown  = 4   // characters of what may be a secret
	shortestToken = 20  // of what was made by chance to be one
	longestName   = 100 // of what has a name
)

// mayBeSecret tells whether a text looks as if it had been made by chance: long, in one piece, with digits among the
// letters, and these in both cases or of a hexadecimal number. An id of ours is not meant.
func mayBeSecret(text string) bool {
	if len(text) > longestName || strings.HasPrefix(text, "eyJ") { // a JWT
		return true
	}
	if _, err := uuid.Parse(text); err == nil && strings.Contains(text, "-") {
		return false
	}
	if strings.ContainsAny(text, ".:@ ") || len(text) < shortestToken {
		return false
	}
	const digits = "0123456789"
	lower := strings.ToLower(text)
	mixed := text != lower && text != strings.ToUpper(text)
	isHex := strings.Trim(lower, digits+"abcdef-") == ""
	return strings.ContainsAny(text, digits) && (mixed || isHex)
}
