package harness

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// LogoutReceiver is an app's back-channel logout endpoint. It verifies logout tokens with a library that others wrote,
// and what that accepts it answers as Answer says; nil: 200.
type LogoutReceiver struct {
	URI    string
	Answer func(w http.ResponseWriter, r *http.Request, nth int)

	t        testing.TB
	mu       sync.Mutex
	verifier *gooidc.IDTokenVerifier
	heard    []*gooidc.LogoutToken
}

// NewLogoutReceiver serves one until the test ends. An app has to be registered with its URI, and Expect called, before
// it is told anything.
func NewLogoutReceiver(t testing.TB) *LogoutReceiver {
	t.Helper()
	r := &LogoutReceiver{t: t}
	r.URI = ServeApp(t, r) + "/backchannel-logout"
	return r
}

// Expect makes the receiver that of an app of a server.
func (r *LogoutReceiver) Expect(issuer, clientID string) {
	r.t.Helper()
	provider, err := gooidc.NewProvider(r.t.Context(), issuer)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = provider.Verifier(&gooidc.Config{
		ClientID: clientID, SupportedSigningAlgs: []string{gooidc.RS256, gooidc.ES256, gooidc.EdDSA},
	})
}

// ServeHTTP takes a logout token.
func (r *LogoutReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	token, err := r.verifier.VerifyLogout(request.Context(), request.PostFormValue("logout_token"))
	if err != nil {
		r.mu.Unlock()
		r.t.Errorf("a logout token is refused: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.heard = append(r.heard, token)
	nth, answer := len(r.heard), r.Answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, request, nth)
	}
}

// Heard are the tokens that have come, in their order.
func (r *LogoutReceiver) Heard() []*gooidc.LogoutToken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}
