package protocol

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A redirect URI that is not registered is not on the page, which is ours; the operator finds it in the log, cut.
func TestAForeignRedirectURIIsLogged(t *testing.T) {
	t.Parallel()
	h, log := harness.StartSecure(t, storagetest.URL(t, storage.SQLite))
	foreign := "https://app.example/wrong\n" + strings.Repeat("x", 2000)
	h.NewBrowser(t).Get(t, h.AuthorizeURL(h.AddClient(t, nil), url.Values{"redirect_uri": {foreign}}))
	for line := range strings.Lines(log.String()) {
		var entry struct{ Msg, Error, Cause string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Msg == "refused" && entry.Error == "invalid_request" {
			if !strings.Contains(entry.Cause, `https://app.example/wrong\nxxx`) || len(entry.Cause) > 600 {
				t.Errorf("the log says %q", entry.Cause)
			}
			return
		}
	}
	t.Errorf("the refusal is not logged:\n%s", log)
}

// The log of requests and the audit trail name who a request turned out to be of, also where that became known on its
// way.
func TestRequestsAreLoggedByWhoTheyAreOf(t *testing.T) {
	t.Parallel()
	h, log := harness.StartSecure(t, storagetest.URL(t, storage.SQLite))
	client, b := h.AddClient(t, nil), h.NewBrowser(t)
	b.Get(t, "/sign-in")
	tokens := h.Redeem(t, client, b.Code(t, client, nil))
	b.Get(t, "/account")
	refreshed := h.Refresh(t, client, tokens.Text("refresh_token"))
	h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {refreshed.Text("access_token")}})
	h.Call(t, oidc.PathRevoke, client, url.Values{"token": {refreshed.Text("access_token")}})

	person, app := h.User.Actor(), "client:"+client.ID
	actors := map[string]string{} // of the last request of each kind
	for line := range strings.Lines(log.String()) {
		var entry struct{ Msg, Method, Path, Actor string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Msg == "request" {
			actors[entry.Method+" "+entry.Path] = entry.Actor
		}
	}
	for request, want := range map[string]string{
		"GET /sign-in": "anonymous", "POST /sign-in": person, "POST /consent": person, "GET /account": person,
		"POST " + oidc.PathToken: app, "POST " + oidc.PathIntrospect: app, "POST " + oidc.PathRevoke: app,
	} {
		if got := actors[request]; got != want {
			t.Errorf("%s is logged as of %q, want %q; all: %v", request, got, want, actors)
		}
	}

	entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{UserID: h.User.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]string{}
	for _, entry := range entries {
		recorded[entry.Entity+" "+entry.Action] = entry.Actor
	}
	for change, want := range map[string]string{
		"session started": person, "consent granted": person, "grant created": person, "grant code_redeemed": app,
		"grant refresh_token_redeemed": app,
	} {
		if got := recorded[change]; got != want {
			t.Errorf("%s is recorded as of %q, want %q", change, got, want)
		}
	}
}
