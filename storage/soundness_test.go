package storage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A file that is damaged in the middle is told from one that is sound.
func TestADamagedFileIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wicket.db")
	open := func() *storage.Database {
		db, err := storage.Open(t.Context(), "sqlite:"+path)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What is damaged then is at the end of the file.
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		for i := range 2000 {
			if err := insertRevoked(ctx, tx, fmt.Sprint(i, strings.Repeat("x", 100))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CheckSoundness(t.Context()); err != nil {
		t.Errorf("a sound file: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for i := int64(1); i <= 5; i++ {
		if _, err := file.WriteAt([]byte(strings.Repeat("\xa5", page)), info.Size()-i*page); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer func() { _ = db.Close() }()
	if err := db.CheckSoundness(t.Context()); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a damaged file: %v", err)
	}
}

// A write that is tried changes nothing, and is not tried for everybody who asks.
func TestAProbeWritesNowAndThen(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.Database) {
		var counter queryCounter
		db.Observe(&counter)
		probe := storage.NewWriteProbe(db)
		for range 10 {
			if err := probe.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := counter.updates.Load(); n < 1 || n > 2 { // twice where it is rehearsed
			t.Errorf("tried %d times", n)
		}
	})
}

// queryCounter counts updates.
type queryCounter struct{ updates atomic.Int64 }

func (*queryCounter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *queryCounter) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if strings.HasPrefix(event.Query, "UPDATE") {
		c.updates.Add(1)
	}
}
