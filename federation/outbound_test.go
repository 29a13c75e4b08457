package federation

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
)

// A provider that accepts a connection and does not answer holds no request up for long.
func TestSilenceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	u := &Upstreams{Now: time.Now}
	began := time.Now()
	_, _, err := u.metadata(t.Context(), &Provider{ID: "silent", Kind: KindOpenID, Issuer: server.URL})
	if took := time.Since(began); !errors.Is(err, ErrUnreachable) || took > callTimeout+5*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
}

func TestRedirectsAreLookedAt(t *testing.T) {
	var to string
	posted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posted++
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	p := Provider{Issuer: server.URL}
	for _, to = range []string{"https://169.254.169.254/", "https://10.0.0.1/", "http://example.com/", "ftp://127.0.0.1/", server.URL} {
		if response, err := p.client().Get(server.URL); err == nil {
			_ = response.Body.Close()
			t.Errorf("%s was followed: %s", to, response.Status)
		}
	}
	if response, err := p.client().Post(server.URL, "text/plain", strings.NewReader("secret")); err == nil {
		_ = response.Body.Close()
		t.Error("what holds a secret was redirected")
	}
	if posted != 1 {
		t.Errorf("posted %d times", posted)
	}
}

// A provider on the internet does not get us to call this machine, whatever its name resolves to or it redirects to.
func TestCallsStayOutside(t *testing.T) {
	reached := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer inside.Close()
	for name, c := range map[string]struct {
		p    Provider
		want int
	}{
		"a provider on the internet":   {Provider{Issuer: "https://login.example.com"}, 0},
		"one at a public address":      {Provider{Issuer: "https://8.8.8.8"}, 0},
		"one in our network":           {Provider{Issuer: "https://10.0.0.1"}, 0},
		"one on this machine":          {Provider{Issuer: "http://127.0.0.1:1"}, 1},
		"one on this machine, by name": {Provider{Issuer: "http://localhost:1"}, 1},
		"one for which it is allowed": {Provider{
			Issuer: "https://login.example.com", Settings: Settings{AllowPrivate: true},
		}, 1},
		"the cloud's address, as issuer": {Provider{Issuer: "https://169.254.169.254"}, 0},
	} {
		reached = 0
		response, err := c.p.client().Get(inside.URL)
		if err == nil {
			_ = response.Body.Close()
		}
		if reached != c.want || (c.want == 0) != errors.Is(err, storage.ErrPrivateAddress) {
			t.Errorf("%s: reached %d times, %v", name, reached, err)
		}
	}
	// Even where everything is allowed, not the machine's own link.
	allowed := Provider{Issuer: "http://localhost:1", Settings: Settings{AllowPrivate: true}}
	if _, err := allowed.client().Get(
		"http://169.254.169.254/latest/meta-data",
	); !errors.Is(err, storage.ErrPrivateAddress) {
		t.Errorf("the cloud's own address: %v", err)
	}
}
