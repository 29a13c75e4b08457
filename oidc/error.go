package oidc

import (
	"net/http"
	"strings"

	"github.com/wicket-id/wicket/storage"
)

// Error is an answer of the protocol that says no: RFC 6749, sections 4.1.2.1 and 5.2, and what builds on them. Its
// description is for developers and never names what the public must not learn.
type Error struct {
	Code        string // "invalid_request", "login_required", ...
	Description string
	Status      int    // of an HTTP answer that is not a redirect
	Challenge   string // the header WWW-Authenticate, where one is due
	DPoPNonce   string // the header DPoP-Nonce, likewise: RFC 9449, section 8
	Cause       error
	Reason      Reason // for those who run the app or this server
}

func (e *Error) Error() string {
	text := e.Code
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.Cause != nil {
		text += " (" + e.Cause.Error() + ")"
	}
	return text
}

// Unwrap returns the private cause, for logs.
func (e *Error) Unwrap() error { return e.Cause }

// Text is the description in the characters that RFC 6749, section 4.1.2.1, allows; others, which come from what was
// sent, are replaced.
func (e *Error) Text() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < 0x20 || r > 0x7e:
			return '?'
		}
		return r
	}, e.Description)
}

// InvalidRequest is the error of that code: RFC 6749, section 5.2.
func InvalidRequest(description string) *Error {
	return &Error{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
}

// InvalidGrant is the error of that code: RFC 6749, section 5.2.
func InvalidGrant(description string) *Error {
	return &Error{Code: "invalid_grant", Description: description, Status: http.StatusBadRequest}
}

// InvalidScope is the error of that code: RFC 6749, section 5.2.
func InvalidScope(description string) *Error {
	return &Error{Code: "invalid_scope", Description: description, Status: http.StatusBadRequest}
}

// CodeUnavailable is the code of what may be asked again later: RFC 6749, section 4.1.2.1.
const CodeUnavailable = "temporarily_unavailable"

// Unavailable is the error of that code. Its status is the one by which RFC 7009, section 2.2.1, tells that a token was
// not revoked yet. The cause is for the log alone.
func Unavailable(cause error) *Error {
	return &Error{
		Code: CodeUnavailable, Description: "Something that is needed does not answer just now. Try again in a moment.",
		Status: http.StatusServiceUnavailable, Cause: cause,
	}
}

// ServerError is the error of that code, for a fault of ours; or Unavailable where the cause passes by itself. The
// cause is for the log alone.
func ServerError(cause error) *Error {
	if storage.Unavailable(cause) {
		return Unavailable(cause)
	}
	return &Error{
		Code: "server_error", Description: "Something went wrong on our side. Try again.",
		Status: http.StatusInternalServerError, Cause: cause,
	}
}
