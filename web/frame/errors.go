package frame

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// What can be wrong with a request whatever it is about.
var (
	// ErrForm says that the parameters cannot be read, or are no text.
	ErrForm = refusal.New("request.form", "the form is malformed or too large")
	// ErrNotFound says that there is no such page.
	ErrNotFound = refusal.New("request.not_found", "no such page")

	errCrossOrigin = refusal.New("request.cross_origin", "the form was sent from another site")
	errMethod      = refusal.New("request.method", "no such method")
	errUnavailable = refusal.New("request.unavailable", "the request could not be finished in time")
)

// PasswordFaults are the reasons why a password cannot be chosen.
var PasswordFaults = []error{password.ErrWeak, password.ErrCommon, password.ErrPersonal}

// failures are the errors that are told with a page of their own. A status of 0 is 400.
var failures = []struct {
	err      *refusal.Error
	status   int
	retryURI string
}{
	{err: authorize.ErrInteraction},
	{err: signin.ErrSecondStep, retryURI: "/sign-in"},
	{err: federation.ErrRequest, retryURI: "/sign-in"},
	{err: identity.ErrProof},
	{err: identity.ErrProviderRemoved, status: http.StatusForbidden, retryURI: "/sign-in"},
	{err: identity.ErrSessionEnded, status: http.StatusUnauthorized, retryURI: "/sign-in"},
	{err: ErrForm},
	{err: errCrossOrigin, status: http.StatusForbidden},
	{err: ErrNotFound, status: http.StatusNotFound},
	{err: errMethod, status: http.StatusMethodNotAllowed},
	{err: password.ErrBusy, status: http.StatusServiceUnavailable},
	{err: errUnavailable, status: http.StatusServiceUnavailable},
}

// retryAfter is the header of that name, in seconds, where nobody knows better.
const retryAfter = "5"

// Unavailable tells whether a request failed because its time was over, or because the database could not be asked:
// another one may succeed. Where the browser has gone nobody reads the answer.
func Unavailable(err error) bool { return storage.Unavailable(err) || errors.Is(err, context.Canceled) }

// tellPerson answers a request of a browser that failed: with a redirect where an app waits for the answer and can be
// trusted with it, otherwise with a page that says what to do.
func tellPerson(v *Visit, err error) {
	var refusal *authorize.Refusal
	if errors.As(err, &refusal) && refusal.Authorization != nil {
		v.Client = refusal.Authorization.Client
		NoteRefusal(v, refusal.Reason)
		response, unsigned := v.frame.Authorize.Refuse(v.Context(), refusal.Authorization, refusal.Reason)
		if unsigned == nil && v.Respond(response) == nil {
			return
		}
	}
	page := failure(v, err)
	page.Reference = Reference(v)
	if err := v.Show(page.Status, page); err != nil {
		v.LogFault(err)
		v.Gin.Status(http.StatusInternalServerError)
	}
}

// failure is the page that tells a person of an error; it is logged too.
func failure(v *Visit, err error) pages.Failure {
	if Unavailable(err) {
		v.LogFault(err)
		err = errUnavailable
	}
	var protocol *oidc.Error
	var limited *cache.Limited
	switch {
	case errors.As(err, &protocol) && protocol.Status < http.StatusInternalServerError:
		NoteRefusal(v, protocol)
		return pages.Failure{
			Status: http.StatusBadRequest, Title: v.Language.Text("failure.protocol.title"),
			Explanation: v.Language.Text("failure.protocol.explanation"), Advice: v.Language.Text("failure.protocol.advice"),
			Details: protocol.Description,
		}
	case errors.As(err, &limited):
		v.Gin.Header("Retry-After", strconv.Itoa(limited.Seconds()))
		return pages.Failure{
			Status: http.StatusTooManyRequests, Title: v.Language.Text("failure.request.limit.title"),
			Explanation: v.Language.Text("failure.request.limit.explanation"),
			Advice:      v.Language.Text("failure.request.limit.advice", locales.Params{"Seconds": max(2, limited.Seconds())}),
			RetryURI:    sameAgain(v),
		}
	}
	for _, known := range failures {
		if errors.Is(err, known.err) {
			status := known.status
			if status == http.StatusServiceUnavailable {
				v.Gin.Header("Retry-After", retryAfter)
			}
			if status == 0 {
				status = http.StatusBadRequest
				NoteRefusal(v, &oidc.Error{Code: known.err.Code, Description: known.err.Error()})
			}
			page := pages.Failure{Status: status, RetryURI: known.retryURI}
			page.Title, page.Explanation, page.Advice = v.Language.Failure(known.err.Code)
			return page
		}
	}
	v.LogFault(err)
	return pages.Failure{
		Status: http.StatusInternalServerError, Title: v.Language.Text("failure.fault.title"),
		Explanation: v.Language.Text("failure.fault.explanation"), Advice: v.Language.Text("failure.fault.advice"),
	}
}

// sameAgain is the address of the page that was asked for, to ask for it again; empty where the request was no page.
func sameAgain(v *Visit) string {
	if v.Gin.Request.Method != http.MethodGet || strings.HasPrefix(v.Gin.Request.URL.Path, "//") { // another host
		return ""
	}
	return v.Gin.Request.URL.RequestURI()
}

// tellApp answers a request of an app that failed, with JSON: RFC 6749, section 5.2.
func tellApp(v *Visit, err error) {
	protocol := protocolError(v, err)
	if protocol.Status >= http.StatusInternalServerError {
		v.LogFault(err)
	} else if protocol.Status != http.StatusTooManyRequests { // the log has a line for each request already
		NoteRefusal(v, protocol)
	}
	if protocol.Challenge != "" {
		v.Gin.Header("WWW-Authenticate", protocol.Challenge)
	}
	if protocol.DPoPNonce != "" {
		v.Gin.Header("DPoP-Nonce", protocol.DPoPNonce)
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
	case Unavailable(err):
		tellLater(v, retryAfter)
		return oidc.Unavailable(err)
	case errors.As(err, &protocol):
		return protocol
	case errors.As(err, &limited):
		tellLater(v, strconv.Itoa(limited.Seconds()))
		return &oidc.Error{
			Code: oidc.CodeUnavailable, Status: http.StatusTooManyRequests,
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

// tellLater tells an app when to ask again. A page should be able to tell this from a network that is down.
func tellLater(v *Visit, seconds string) {
	v.Gin.Header("Retry-After", seconds)
	if v.Gin.Writer.Header().Get("Access-Control-Allow-Origin") == "" {
		AllowAnyOrigin(v.Gin)
	}
}

// LogFault logs an error that is ours, with what it was about.
func (v *Visit) LogFault(err error) {
	level := slog.LevelError
	if errors.Is(v.Context().Err(), context.Canceled) {
		if errors.Is(err, context.Canceled) {
			return // that the browser has gone is all that is wrong
		}
		level = slog.LevelWarn // it may be that, too
	}
	log(v, level, "fault", "error", err.Error())
}

// log logs something about this request.
func log(v *Visit, level slog.Level, message string, about ...any) {
	about = append([]any{
		"request_id", v.RequestID(), "path", logged(v.Gin.Request.URL.Path), "client_id", clientID(v),
	}, about...)
	v.frame.Log.Log(v.Context(), level, message, about...)
}

// clientOf is the app that a request is about, where it is known; or nil.
func clientOf(v *Visit) *clients.Client {
	if v.Client == nil && v.Authorization != nil {
		v.Client = v.Authorization.Client
	}
	return v.Client
}

// clientID is the app that a request is about: the one that is known, or else the one that the request names, which may
// be anything.
func clientID(v *Visit) string {
	if client := clientOf(v); client != nil {
		return client.ID
	}
	named := v.Form.Get("client_id")
	if basic, _, ok := v.Gin.Request.BasicAuth(); ok && named == "" {
		named = basic
	}
	return cleanHeader(named)
}
