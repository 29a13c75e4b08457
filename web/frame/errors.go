package frame

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/pages"
)

// What can be wrong with a request whatever it is about.
var (
	// ErrForm says that the parameters cannot be read, or are no text.
	ErrForm = errors.New("the form is malformed or too large")
	// ErrNotFound says that there is no such page.
	ErrNotFound = errors.New("no such page")

	errCrossOrigin = errors.New("the form was sent from another site")
	errMethod      = errors.New("no such method")
)

// failures are the pages for errors that need nothing but words. A status of 0 is 400.
var failures = []struct {
	err  error
	page pages.Failure
}{
	{authorize.ErrInteraction, pages.Failure{
		Title:       "This page was open for too long",
		Explanation: "For your safety, a sign-in has to be finished within an hour.",
		Advice:      "Go back to the app and sign in again.",
	}},
	{signin.ErrSecondStep, pages.Failure{
		Title: "This took too long",
		Explanation: "A second step has to be finished within ten minutes, and is void when something about the account " +
			"changes.",
		Advice: "Sign in again.", RetryURI: "/sign-in",
	}},
	{federation.ErrRequest, pages.Failure{
		Title:       "This sign-in has ended",
		Explanation: "It took too long, it was finished before, or it began in another browser.",
		Advice:      "Nothing is lost: sign in again.", RetryURI: "/sign-in",
	}},
	{identity.ErrProof, pages.Failure{
		Title:       "This link does not work any more",
		Explanation: "It was used before, it is too old, or a newer one was sent.",
		Advice:      "Ask for a new link where you asked for this one, and use the latest email.",
	}},
	{ErrForm, pages.Failure{
		Title:       "We could not read this",
		Explanation: "The form that was sent is malformed or too large.",
		Advice:      "Go back and try again.",
	}},
	{errCrossOrigin, pages.Failure{
		Status:      http.StatusForbidden,
		Title:       "This came from another site",
		Explanation: "Another site tried to send this form in your name, so nothing was done.",
		Advice:      "If you wanted to do this, do it on our own pages.",
	}},
	{ErrNotFound, pages.Failure{
		Status:      http.StatusNotFound,
		Title:       "There is no such page",
		Explanation: "The address may be mistyped, or the page has moved.",
		Advice:      "Check the address, or start at the home page.",
	}},
	{errMethod, pages.Failure{
		Status:      http.StatusMethodNotAllowed,
		Title:       "This cannot be done here",
		Explanation: "The address exists, but not for this kind of request.",
		Advice:      "Go back and try again.",
	}},
	{password.ErrBusy, pages.Failure{
		Status:      http.StatusServiceUnavailable,
		Title:       "One moment, please",
		Explanation: "Many people are signing in right now.",
		Advice:      "Try again in a few seconds.",
	}},
}

// tellPerson answers a request of a browser that failed: with a redirect where an app waits for the answer and can be
// trusted with it, otherwise with a page that says what to do.
func tellPerson(v *Visit, err error) {
	var refusal *authorize.Refusal
	if errors.As(err, &refusal) && refusal.Authorization != nil {
		v.Client = refusal.Authorization.Client
		logRefusal(v, refusal.Reason)
		if v.Respond(v.frame.Authorize.Refuse(refusal.Authorization, refusal.Reason)) == nil {
			return
		}
	}
	page := failure(v, err)
	page.RequestID = v.RequestID()
	if err := v.Show(page.Status, page); err != nil {
		v.LogFault(err)
		v.Gin.Status(http.StatusInternalServerError)
	}
}

// failure is the page that tells a person of an error; it is logged too.
func failure(v *Visit, err error) pages.Failure {
	var protocol *oidc.Error
	var limited *cache.Limited
	switch {
	case errors.As(err, &protocol) && protocol.Code != "server_error":
		logRefusal(v, protocol)
		return pages.Failure{
			Status: http.StatusBadRequest, Title: "This link does not work", Explanation: protocol.Description,
			Advice: "There is a problem with the app that sent you here. Go back to it and try again. If that does not help, " +
				"tell its developers what is written above.",
		}
	case errors.As(err, &limited):
		v.Gin.Header("Retry-After", strconv.Itoa(limited.Seconds()))
		return pages.Failure{
			Status: http.StatusTooManyRequests, Title: "Too many requests",
			Explanation: "Your network or your account has sent too many requests.",
			Advice:      fmt.Sprintf("Try again in %d seconds.", max(2, limited.Seconds())),
		}
	}
	for _, known := range failures {
		if errors.Is(err, known.err) {
			if known.err == password.ErrBusy {
				v.Gin.Header("Retry-After", "5")
			}
			page := known.page
			if page.Status == 0 {
				page.Status = http.StatusBadRequest
				log(v, slog.LevelInfo, "refused", "error", known.err.Error())
			}
			return page
		}
	}
	v.LogFault(err)
	return pages.Failure{
		Status: http.StatusInternalServerError, Title: "Something went wrong on our side",
		Explanation: "Your request could not be finished.",
		Advice:      "Try again. If it happens again, send the request id below to the administrator.",
	}
}

// tellApp answers a request of an app that failed, with JSON: RFC 6749, section 5.2.
func tellApp(v *Visit, err error) {
	protocol := protocolError(v, err)
	if protocol.Status >= http.StatusInternalServerError {
		v.LogFault(err)
	} else if protocol.Status != http.StatusTooManyRequests { // the log has a line for each request already
		logRefusal(v, protocol)
	}
	if protocol.Challenge != "" {
		v.Gin.Header("WWW-Authenticate", protocol.Challenge)
	}
	v.Gin.JSON(protocol.Status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{protocol.Code, protocol.Text()})
}

// protocolError is what an app is told of an error.
func protocolError(v *Visit, err error) *oidc.Error {
	var protocol *oidc.Error
	var limited *cache.Limited
	switch {
	case errors.As(err, &protocol):
		return protocol
	case errors.As(err, &limited):
		v.Gin.Header("Retry-After", strconv.Itoa(limited.Seconds()))
		if v.Gin.Writer.Header().Get("Access-Control-Allow-Origin") == "" {
			AllowAnyOrigin(v.Gin) // a page should be able to tell this from a network that is down
		}
		return &oidc.Error{
			Code: "temporarily_unavailable", Status: http.StatusTooManyRequests,
			Description: fmt.Sprintf("Too many requests: try again in %d seconds.", limited.Seconds()),
		}
	case errors.Is(err, ErrForm):
		return &oidc.Error{
			Code: "invalid_request", Status: http.StatusBadRequest,
			Description: "The body must be application/x-www-form-urlencoded and at most 64 KiB.",
		}
	}
	return &oidc.Error{
		Code: "server_error", Status: http.StatusInternalServerError,
		Description: "Something went wrong on our side. Try again.",
	}
}

// LogFault logs an error that is ours, with what it was about.
func (v *Visit) LogFault(err error) {
	if errors.Is(err, context.Canceled) && v.Context().Err() != nil {
		return // the browser has gone
	}
	log(v, slog.LevelError, "fault", "error", err.Error())
}

// logRefusal logs what an app or the person whom it sent was refused, and why. What our side of it could not do is
// logged as a fault.
func logRefusal(v *Visit, refused *oidc.Error) {
	if refused.Code == "server_error" {
		v.LogFault(refused)
		return
	}
	about := []any{"error", refused.Code, "reason", cleanHeader(refused.Description)}
	if cause := refused.Unwrap(); cause != nil {
		about = append(about, "cause", cleanHeader(cause.Error()))
	}
	log(v, slog.LevelInfo, "refused", about...)
}

// log logs something about this request.
func log(v *Visit, level slog.Level, message string, about ...any) {
	about = append([]any{
		"request_id", v.RequestID(), "path", v.Gin.Request.URL.Path, "client_id", clientID(v),
	}, about...)
	v.frame.Log.Log(v.Context(), level, message, about...)
}

// clientID is the app that a request is about: the one that is known, or else the one that the request names, which may
// be anything.
func clientID(v *Visit) string {
	if v.Client == nil && v.Authorization != nil {
		v.Client = v.Authorization.Client
	}
	if v.Client != nil {
		return v.Client.ID
	}
	named := v.Form.Get("client_id")
	if basic, _, ok := v.Gin.Request.BasicAuth(); ok && named == "" {
		named = basic
	}
	return cleanHeader(named)
}
