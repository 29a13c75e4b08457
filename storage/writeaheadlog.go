package storage

import (
	"context"
	"log/slog"
	"os"
	"time"
)

// LogSize is how large the write-ahead log of an embedded database is, in bytes.
func (d *Database) LogSize() int64 {
	info, err := os.Stat(d.path + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}

// largeLog is the size in bytes from which on the log is too large for what a server writes while somebody reads.
const largeLog = 64 << 20

// logWatch says in the log of the program that the write-ahead log is large, once a minute at the most.
type logWatch struct {
	saidAt time.Time
}

const (
	logLookedAt = 15 * time.Second
	logSaid     = time.Minute
)

// WatchLog warns, until ctx ends, that the write-ahead log of an embedded database is large. SQLite cannot begin it
// anew while somebody reads what was there before: a backup, a copy, another program. It grows by what is written
// until they end.
func WatchLog(ctx context.Context, d *Database, log *slog.Logger) {
	if d.Kind != SQLite {
		return
	}
	ticker := time.NewTicker(logLookedAt)
	defer ticker.Stop()
	var watch logWatch
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			watch.look(d.LogSize(), now, log)
		}
	}
}

func (w *logWatch) look(size int64, now time.Time, log *slog.Logger) {
	if size < largeLog || now.Sub(w.saidAt) < logSaid {
		return
	}
	w.saidAt = now
	log.Warn("the write-ahead log of the database is large: somebody has read for long, such as a backup or another "+
		"program, and it grows by what is written until they end", "bytes", size)
}
