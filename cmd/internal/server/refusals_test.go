package server

import (
	"log/slog"
	"testing"

	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What was refused in the last moment before the end is written all the same.
func TestRefusalsAreWrittenBeforeTheEnd(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		config, err := Load(Environment{"WICKET_DATABASE_URL": databaseURL, "WICKET_SECRET": seal.NewMasterKey()})
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(t.Context(), config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		const noted = 20
		for range noted {
			s.Refused.Note(t.Context(), refusals.Record{Place: refusals.AtToken})
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		database, err := storage.Open(t.Context(), databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = database.Close() })
		n, err := database.Reader().NewSelect().Model((*refusals.Record)(nil)).Count(t.Context())
		if err != nil || n != noted {
			t.Errorf("%d of %d are written: %v", n, noted, err)
		}
	})
}
