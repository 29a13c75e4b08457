package frame

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newFrame returns a frame for an issuer, which has neither a database nor limits, and what it logs.
func newFrame(t *testing.T, issuer string) (*Frame, *bytes.Buffer) {
	t.Helper()
	provider := new(oidc.Provider)
	provider.Issuer = issuer
	log := new(bytes.Buffer)
	f, err := New(Config{
		Provider: provider, Authorize: &authorize.Service{Provider: provider},
		Log: slog.New(slog.NewTextHandler(log, nil)),
		Now: func() time.Time { return testTime },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, log
}

// serve sends a request through a wrapped handler.
func serve(handler gin.HandlerFunc, request *http.Request) *http.Response {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Handle(request.Method, "/x", handler)
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, request)
	return recorder.Result()
}

func get() *http.Request { return httptest.NewRequest(http.MethodGet, "https://id.example.com/x", nil) }
