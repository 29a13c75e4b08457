package frame

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/cache"
)

func fail(err error) Handler { return func(*Visit) error { return err } }

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatAPersonIsToldOfAnError(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	for _, c := range []struct {
		err        error
		status     int
		retryAfter string
	}{
		{authorize.ErrInteraction, 400, ""},
		{signin.ErrSecondStep, 400, ""},
		{federation.ErrRequest, 400, ""},
		{identity.ErrProof, 400, ""},
		{ErrForm, 400, ""},
		{errCrossOrigin, 403, ""},
		{ErrNotFound, 404, ""},
		{errMethod, 405, ""},
		{&cache.Limited{Wait: 90 * time.Second}, 429, "90"},
		{password.ErrBusy, 503, "5"},
		{&pgconn.PgError{Code: "53300", Message: "too many connections for role"}, 503, "5"},
		{&authorize.Refusal{Reason: oidc.ServerError(context.DeadlineExceeded)}, 503, "5"},
		{context.Canceled, 503, "5"},
		{&authorize.Refusal{Reason: &oidc.Error{Code: "invalid_request", Description: "The client_id is missing."}}, 400, ""},
		{errors.New("pq: password authentication failed for wicket"), 500, ""},
	} {
		response := serve(f.Page(fail(fmt.Errorf("wrapped: %w", c.err))), get())
		shown := body(t, response)
		if response.StatusCode != c.status || response.Header.Get("Retry-After") != c.retryAfter {
			t.Errorf("%v: %s, Retry-After %q", c.err, response.Status, response.Header.Get("Retry-After"))
		}
		if strings.Contains(shown, "wrapped") || strings.Contains(shown, "password authentication") {
			t.Errorf("%v: the page repeats it:\n%s", c.err, shown)
		}
	}
}

// A refusal goes to the app where its redirect URI can be trusted, and to the person alone where not.
func TestARefusalGoesToTheApp(t *testing.T) {
	f, log := newFrame(t, "https://id.example.com")
	refusal := &authorize.Refusal{
		Reason: &oidc.Error{Code: "access_denied", Description: "The user denied the request."},
		Authorization: &authorize.Request{
			Client: &clients.Client{ID: "shop"}, State: "s",
			RedirectURI: "https://shop.example.com/callback", ResponseMode: "query",
		},
	}
	response := serve(f.Page(fail(refusal)), get())
	location, err := response.Location()
	if err != nil || response.StatusCode != http.StatusSeeOther || location.Host != "shop.example.com" ||
		location.Query().Get("error") != "access_denied" || location.Query().Get("state") != "s" {
		t.Errorf("%s to %v", response.Status, location)
	}
	if logged := log.String(); !strings.Contains(logged, "client_id=shop error=access_denied") {
		t.Errorf("the log says %s", logged)
	}
}

// What an app is refused is logged once, with the client and the cause that the app is not told.
func TestWhatAnAppIsToldOfAnError(t *testing.T) {
	f, log := newFrame(t, "https://id.example.com")
	for _, c := range []struct {
		err           error
		status        int
		error, logged string
	}{
		{&oidc.Error{Code: "invalid_grant", Description: "The code has been used.", Status: 400}, 400, "invalid_grant",
			`level=INFO msg=refused request_id="" path=/x client_id=shop error=invalid_grant reason="The code has been used."`},
		{ErrForm, 400, "invalid_request", "level=INFO msg=refused"},
		{&cache.Limited{Wait: time.Second}, 429, "temporarily_unavailable", ""},
		{oidc.ServerError(&pgconn.PgError{Code: "57P03", Message: "connection lost"}), 503, "temporarily_unavailable",
			"level=ERROR msg=fault"},
		{context.DeadlineExceeded, 503, "temporarily_unavailable", "level=ERROR msg=fault"},
		{errors.New("connection lost"), 500, "server_error",
			`level=ERROR msg=fault request_id="" path=/x client_id=shop error="connection lost"`},
	} {
		log.Reset()
		request := httptest.NewRequest(http.MethodPost, "/x", nil)
		request.SetBasicAuth("shop", "secret")
		response := serve(f.App(fail(c.err)), request)
		told := body(t, response)
		if response.StatusCode != c.status || !strings.Contains(told, `"error":"`+c.error+`"`) ||
			strings.Contains(told, "lost") {
			t.Errorf("%v: %s %s", c.err, response.Status, told)
		}
		if later := response.Header.Get("Retry-After"); (later != "") != (c.error == "temporarily_unavailable") {
			t.Errorf("%v: Retry-After %q", c.err, later)
		}
		lines := strings.Count(log.String(), "\n")
		if !strings.Contains(log.String(), c.logged) || strings.Contains(log.String(), "secret") ||
			c.logged != "" && lines != 1 {
			t.Errorf("%v: the log says %s", c.err, log)
		}
	}
}

// A demand that has answered keeps the handler from running, and its answer is the only one.
func TestDemands(t *testing.T) {
	f, _ := newFrame(t, "https://id.example.com")
	unreached := func(*Visit) error {
		t.Error("the handler ran")
		return nil
	}
	response := serve(f.Page(unreached, SignedIn), get())
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/sign-in" ||
		body(t, response) != "" {
		t.Errorf("somebody who is not signed in: %s", response.Status)
	}
	request := httptest.NewRequest(http.MethodPost, "https://id.example.com/x", strings.NewReader("a=1"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response = serve(f.Page(unreached, Form), request.Clone(t.Context()))
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", response.Status)
	}
	ran := false
	serve(f.CrossSitePage(func(v *Visit) error {
		ran = v.Form.Get("a") == "1"
		return v.Redirect("/")
	}, Form, Text), request)
	if !ran {
		t.Error("a form of another site does not reach a page for other sites")
	}
}
