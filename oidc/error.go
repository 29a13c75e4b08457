package oidc

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"
)

// Error is an answer of the protocol that says no: RFC 6749, sections 4.1.2.1 and 5.2, and what builds on them. Its
// description is for developers and never names what a stranger must not learn.
type Error struct {
	Code        string // "invalid_request", "login_required", ...
	Description string
	Status      int    // of an HTTP answer that is not a redirect
	Challenge   string // the header WWW-Authenticate, where one is due
	cause       error
}

func (e *Error) Error() string {
	text := e.Code
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.cause != nil {
		text += " (" + e.cause.Error() + ")"
	}
	return text
}

// Unwrap returns the private cause, for logs.
func (e *Error) Unwrap() error { return e.cause }

// Text is the description in the characters that RFC 6749, section 4.1.2.1, allows; others, which come from what was sent,
// are replaced.
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

func invalidRequest(description string) *Error {
	return &Error{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
}

func invalidGrant(description string) *Error {
	return &Error{Code: "invalid_grant", Description: description, Status: http.StatusBadRequest}
}

func invalidScope(description string) *Error {
	return &Error{Code: "invalid_scope", Description: description, Status: http.StatusBadRequest}
}

func serverError(cause error) *Error {
	return &Error{Code: "server_error", Description: "Something went wrong on our side. Try again.", Status: http.StatusInternalServerError, cause: cause}
}

// translate turns what fosite says into an Error. fosite's debug texts stay inside.
func translate(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var rfc *fosite.RFC6749Error
	if !errors.As(err, &rfc) || rfc.CodeField >= http.StatusInternalServerError {
		return serverError(err)
	}
	description := rfc.HintField
	if description == "" {
		description = rfc.DescriptionField
	}
	return &Error{Code: rfc.ErrorField, Description: description, Status: http.StatusBadRequest, cause: err}
}
