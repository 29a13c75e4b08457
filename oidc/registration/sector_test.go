package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A limit of what is fetched keeps no app from anything for which nothing is fetched; and where it does keep one, that
// is not said to be a fault of the app's document.
func TestALimitOfSectorsIsForWhatIsFetched(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	h.Provider.Limits = &cache.Limits{Cache: h.Cache, Rates: cache.Rates{"documents.host": {N: 1, Per: time.Hour}}}
	const list, host = "https://sector.example/list", "sector.example"
	var name atomic.Value
	name.Store("App")
	redirect := "https://app.example/callback"
	server := httptest.NewUnstartedServer(nil)
	metadata := func(id, name, redirect string) []byte {
		object, _ := json.Marshal(map[string]any{
			"client_id": id, "client_name": name, "redirect_uris": []string{redirect}, "subject_type": "pairwise",
			"sector_identifier_uri": list, "token_endpoint_auth_method": "none",
		})
		return object
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(metadata("http://"+r.Host+r.URL.Path, name.Load().(string), redirect))
	})
	server.Start()
	t.Cleanup(server.Close)
	h.Registration.AllowPrivate = true
	known := func(id, origin string) {
		client := &clients.Client{
			ID: id, Name: "App", Origin: origin, AuthMethod: clients.AuthNone, RedirectURIs: []string{redirect},
			SubjectType: clients.SubjectPairwise, SectorIdentifierURI: list, RegistrationHash: storage.Digest("token"),
			RegistrationPolicy: json.RawMessage(`{}`),
		}
		if err := client.Complete(); err != nil {
			t.Fatal(err)
		}
		if err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return clients.Insert(ctx, tx, h.Clock, client)
		}); err != nil {
			t.Fatal(err)
		}
	}
	document := server.URL + "/known"
	known("app", clients.OriginOpen)
	known(document, clients.OriginDocument)
	h.Pass(time.Second)
	for range 1000 { // others have asked for the sector, as often as may be
		if h.Limits.Take(t.Context(), "documents", "host", host) != nil {
			break
		}
	}
	limited := func(err error) bool { return errors.As(err, new(*cache.Limited)) }
	if _, err := h.Registration.Replace(t.Context(), "app", "token", metadata("app", "Another", redirect)); err != nil {
		t.Errorf("registered, another name: %v", err)
	}
	h.Pass(time.Second)
	elsewhere := metadata("app", "Another", redirect+"2")
	if _, err := h.Registration.Replace(t.Context(), "app", "token", elsewhere); !limited(err) {
		t.Errorf("registered, another redirect URI: %v", err)
	}
	name.Store("Another")
	if client, err := registration.Adopt(h.Registration, t.Context(), document); err != nil || client.Name != "Another" {
		t.Errorf("by a document, another name: %v", err)
	}
	if _, err := registration.Adopt(h.Registration, t.Context(), server.URL+"/new"); !limited(err) {
		t.Errorf("by a document, new: %v", err)
	}
}
