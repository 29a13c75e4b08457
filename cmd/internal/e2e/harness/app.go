package harness

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/sampleapp"
	"github.com/wicket-id/wicket/oidc/clients"
)

// ServeApp serves an app on an origin of its own until the test ends.
func ServeApp(t testing.TB, handler http.Handler) (origin string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// StartSampleApp registers the sample app and serves it until the test ends. It returns the app's origin.
func (h *Server) StartSampleApp(t testing.TB) (origin string) {
	t.Helper()
	var app http.Handler // made below: it has to know its own origin
	origin = ServeApp(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
	config := sampleapp.Config{Issuer: h.Issuer, BaseURL: origin, ClientID: "daybook", SPAClientID: "pocket"}
	client := h.AddClient(t, func(c *clients.Client) {
		c.ID, c.Name, c.AuthMethod = config.ClientID, sampleapp.Name, clients.AuthBasic
		c.RedirectURIs = []string{config.RedirectURI()}
		c.PostLogoutRedirectURIs = []string{config.PostLogoutRedirectURI()}
	})
	config.ClientSecret = client.Secret
	var err error
	if app, err = sampleapp.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return origin
}
