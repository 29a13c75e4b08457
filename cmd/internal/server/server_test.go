package server

import (
	"log/slog"
	"testing"

	"github.com/wicket-id/wicket/storage/seal"
)

// testMasterKey is good for configuration whose database nobody opens.
const testMasterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// newTestServer makes a server on that database, which serves nothing.
func newTestServer(t *testing.T, databaseURL string) *Server {
	t.Helper()
	config, err := Load(Environment{"WICKET_DATABASE_URL": databaseURL, "WICKET_SECRET": seal.NewMasterKey()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
