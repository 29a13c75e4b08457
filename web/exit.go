package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/pages"
)

// handler is what every route does. What it returns is told to whoever asks in one place, below.
type handler func(c *gin.Context) error

// person wraps a handler of pages: requests that change something must come from our own pages.
func (s *Server) person(h handler) gin.HandlerFunc {
	return s.visitor(func(c *gin.Context) error {
		if err := s.crossOrigin.Check(c.Request); err != nil {
			return errCrossOrigin
		}
		return h(c)
	})
}

// visitor wraps a handler of pages to which apps send people, from wherever they are.
func (s *Server) visitor(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		s.pageHeaders(c)
		err := s.spend(c)
		if err == nil {
			err = h(c)
		}
		if err != nil {
			s.tellPerson(c, err)
		}
	}
}

// app wraps a handler that apps call.
func (s *Server) app(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		err := s.spend(c)
		if err == nil {
			err = h(c)
		}
		if err != nil {
			s.tellApp(c, err)
		}
	}
}

// What can be wrong with a request whatever it is about.
var (
	errCrossOrigin = errors.New("the form was sent from another site")
	errNotFound    = errors.New("no such page")
	errMethod      = errors.New("no such method")
	errForm        = errors.New("the form is malformed or too large")
)

func (s *Server) notFound(*gin.Context) error         { return errNotFound }
func (s *Server) methodNotAllowed(*gin.Context) error { return errMethod }

// pageHeaders sets the headers of a page. goOn are the addresses to which its forms lead in the end, empty ones aside: the
// redirect URI of the app that waits, and the providers upstream. Browsers apply form-action to every redirect that follows a form, and where
// an app sends people after its callback is its own affair.
func (s *Server) pageHeaders(c *gin.Context, goOn ...string) {
	formAction := "'self'"
	goOn = slices.DeleteFunc(slices.Clone(goOn), func(address string) bool { return address == "" })
	if len(goOn) > 0 {
		formAction += " https:"
	}
	for _, address := range goOn {
		if scheme, rest, _ := strings.Cut(address, ":"); scheme == "http" {
			host, _, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "/")
			formAction += " http://" + host
		} else if scheme != "https" {
			formAction += " " + scheme + ":"
		}
	}
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	c.Header("X-Frame-Options", "DENY")
	c.Header("Referrer-Policy", "same-origin")
	c.Header("Cache-Control", "no-store")
}

// show answers with a page.
func (s *Server) show(c *gin.Context, status int, page pages.Page) error {
	if status == http.StatusTooManyRequests && c.Writer.Header().Get("Retry-After") == "" {
		c.Header("Retry-After", "60") // what identity refuses comes back within minutes, up to an hour: worth a look
	}
	return pages.Write(c.Writer, status, page)
}

// tellPerson ends a request of a browser that failed: with a redirect where an app waits for the answer and can be
// trusted with it, otherwise with a page that says what to do.
func (s *Server) tellPerson(c *gin.Context, err error) {
	var refusal *oidc.Refusal
	if errors.As(err, &refusal) && refusal.Authorization != nil {
		if refusal.Reason.Code == "server_error" {
			s.logFault(c, err)
		}
		if err := s.respond(c, s.Provider.Refuse(refusal.Authorization, refusal.Reason)); err == nil {
			return
		}
	}
	var limited *storage.Limited
	page := pages.Failure{Status: http.StatusBadRequest, RequestID: audit.ActorOf(c.Request.Context()).RequestID}
	var protocol *oidc.Error
	switch {
	case errors.As(err, &protocol) && protocol.Code != "server_error":
		page.Title, page.Explanation = "This link does not work", protocol.Description
		page.Advice = "Something is wrong in the app that sent you here. Go back to it and try again; if that does not help, tell its makers what is written above."
	case errors.Is(err, oidc.ErrInteraction):
		page.Title, page.Explanation = "This page was open for too long", "For your safety, a sign-in has to be finished within an hour."
		page.Advice = "Go back to the app and sign in again."
	case errors.Is(err, identity.ErrSecondStep):
		page.Title, page.Explanation = "This took too long", "A second step has to be finished within ten minutes, and is void when something about the account changes."
		page.Advice, page.RetryURI = "Sign in again.", "/sign-in"
	case errors.Is(err, federation.ErrRequest):
		page.Title, page.Explanation = "This sign-in has ended", "It took too long, it was finished before, or it began in another browser."
		page.Advice, page.RetryURI = "Nothing is lost: sign in again.", "/sign-in"
	case errors.Is(err, identity.ErrProof):
		page.Title, page.Explanation = "This link does not work any more", "It was used before, it is too old, or a newer one was sent."
		page.Advice = "Ask for a new one where you asked for this, and use the last mail that you got."
	case errors.Is(err, errForm):
		page.Title, page.Explanation = "We could not read this", "The form that was sent is malformed or too large."
		page.Advice = "Go back and try again."
	case errors.Is(err, errCrossOrigin):
		page.Status, page.Title, page.Explanation = http.StatusForbidden, "This came from another site", "Another site tried to send this form in your name, so nothing was done."
		page.Advice = "If you wanted to do this, do it on our own pages."
	case errors.Is(err, errNotFound):
		page.Status, page.Title, page.Explanation = http.StatusNotFound, "There is no such page", "The address may be mistyped, or the page has moved."
		page.Advice = "Check the address, or begin at the start page."
	case errors.Is(err, errMethod):
		page.Status, page.Title, page.Explanation = http.StatusMethodNotAllowed, "This cannot be done here", "The address exists, but not for this kind of request."
		page.Advice = "Go back and try again."
	case errors.As(err, &limited):
		c.Header("Retry-After", strconv.Itoa(limited.Seconds()))
		page.Status, page.Title, page.Explanation = http.StatusTooManyRequests, "Too many requests", "So many came from your network, or for your account, that we have to let others go first."
		page.Advice = fmt.Sprintf("Try again in %d seconds.", max(2, limited.Seconds()))
	case errors.Is(err, identity.ErrBusy):
		c.Header("Retry-After", "5")
		page.Status, page.Title, page.Explanation = http.StatusServiceUnavailable, "A moment, please", "Many people are signing in just now."
		page.Advice = "Try again in a few seconds."
	default:
		s.logFault(c, err)
		page.Status, page.Title, page.Explanation = http.StatusInternalServerError, "Something went wrong on our side", "Your request could not be finished."
		page.Advice = "Try again. If it happens again, send the request id below to whoever runs this service."
	}
	if err := s.show(c, page.Status, page); err != nil {
		s.logFault(c, err)
		c.Status(http.StatusInternalServerError)
	}
}

// tellApp ends a request of an app that failed, with the RFC's JSON.
func (s *Server) tellApp(c *gin.Context, err error) {
	var protocol *oidc.Error
	var limited *storage.Limited
	if !errors.As(err, &protocol) {
		switch {
		case errors.As(err, &limited):
			c.Header("Retry-After", strconv.Itoa(limited.Seconds()))
			if c.Writer.Header().Get("Access-Control-Allow-Origin") == "" {
				allowAnyOrigin(c) // a page should be able to tell this from a network that is down
			}
			protocol = &oidc.Error{Code: "temporarily_unavailable", Description: fmt.Sprintf("Too many requests: try again in %d seconds.", limited.Seconds()), Status: http.StatusTooManyRequests}
		case errors.Is(err, errForm):
			protocol = &oidc.Error{Code: "invalid_request", Description: "The body must be application/x-www-form-urlencoded and at most 64 KiB.", Status: http.StatusBadRequest}
		default:
			protocol = &oidc.Error{Code: "server_error", Description: "Something went wrong on our side. Try again.", Status: http.StatusInternalServerError}
		}
	}
	if protocol.Status >= http.StatusInternalServerError {
		s.logFault(c, err)
	}
	if protocol.Challenge != "" {
		c.Header("WWW-Authenticate", protocol.Challenge)
	}
	c.JSON(protocol.Status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{protocol.Code, protocol.Text()})
}

func (s *Server) logFault(c *gin.Context, err error) {
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		return // the visitor left
	}
	s.Log.ErrorContext(c.Request.Context(), "fault", "request_id", audit.ActorOf(c.Request.Context()).RequestID, "path", c.Request.URL.Path, "error", err.Error())
}
