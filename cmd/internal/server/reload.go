package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/wicket-id/wicket/storage"
)

const (
	filesLookedAt = 2 * time.Second  // how often
	adoptPatience = 15 * time.Second // what the database is waited for until the log says that it is in vain
	tryPatience   = 5 * time.Second  // what one is waited for whose URL is new
)

// errDatabaseURL says that what a new URL names could not be used when it was tried. The server may have to learn of
// the new password yet.
var errDatabaseURL = errors.New("the new URL was tried and does not work, so the old one stays until it does")

// WatchFiles takes over what has changed in files that variables name, soon after they change or at once on SIGHUP,
// until ctx ends: secrets are renewed without a restart. Where something in them is wrong, the log says so once and
// what was right before goes on, all of it. What fails for a reason that passes is tried again until it succeeds.
func (s *Server) WatchFiles(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	if !isatty.IsTerminal(os.Stderr.Fd()) { // whose end, which is told by the same signal, ends what runs in it
		signal.Notify(hangups, syscall.SIGHUP)
		defer signal.Stop(hangups)
	}
	ticker := time.NewTicker(filesLookedAt)
	defer ticker.Stop()
	seen := s.Config().files
	failed := false // the last time, for a reason that passes
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			asked = true
		case <-ticker.C:
		}
		now := digests(seen)
		changed := changes(seen, now)
		if len(changed) == 0 && !asked && !failed {
			continue
		}
		again := failed && len(changed) == 0 && !asked
		seen = now
		config, err := Load(s.Config().environment)
		if err == nil {
			seen = config.files
			adopting, cancel := context.WithTimeout(ctx, adoptPatience)
			err = s.adopt(adopting, config)
			cancel()
		}
		failed = storage.Unavailable(err) || errors.Is(err, errDatabaseURL) ||
			errors.Is(err, os.ErrNotExist) // of a file that is being replaced
		if err != nil && again && failed {
			continue // the log says so already
		}
		if err != nil {
			s.log.Error("what files that variables name say now is wrong, so what they said before goes on",
				"changed", changed, "error", err)
			continue
		}
		s.log.Info("took over what files that variables name say", "changed", changed)
	}
}

// adopt takes over what may change while the server runs: the master keys, how to get into the database and into
// Redis, what sends messages, and the clients and providers that are declared. What may be refused comes first, so that
// a configuration is taken over as a whole or not at all: a new database URL is tried before all else. The clients, for
// which the database may be away, come last.
func (s *Server) adopt(ctx context.Context, config *Config) error {
	if config.Seal == nil { // the database is gone too, and a new one must not begin under a running server
		return fmt.Errorf("WICKET_SECRET: %s is missing", MasterKeyPath(config.EmbeddedDatabase()))
	}
	if config.EmbeddedDatabase() != s.Config().EmbeddedDatabase() {
		return errors.New("WICKET_DATABASE_URL: another file, or another kind of database, takes a restart")
	}
	if err := s.tryDatabase(ctx, config.DatabaseURL); err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	if err := s.Identity.Seal.Adopt(config.Seal); err != nil { // the server has one Seal
		return fmt.Errorf("WICKET_SECRET: %w", err)
	}
	config.Seal = s.Identity.Seal
	if err := s.Database.Adopt(config.DatabaseURL); err != nil { // whose URL was found to be right
		return fmt.Errorf("WICKET_DATABASE_URL: %w", err)
	}
	if s.Redis != nil && config.Redis != nil {
		s.Redis.Adopt(config.Redis)
	}
	s.config.Store(config)
	return s.declare(ctx, config)
}

// tryDatabase sees whether the database at a URL of PostgreSQL that is new can be used: one that parses may still be
// mistyped, and connections are opened with it when nobody watches any more.
func (s *Server) tryDatabase(ctx context.Context, url string) error {
	if url == s.Config().DatabaseURL || s.Database.Kind != storage.Postgres {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	database, err := storage.Open(ctx, url)
	if err != nil {
		return fmt.Errorf("%w: %w", errDatabaseURL, err)
	}
	defer func() { _ = database.Close() }()
	pending, err := database.Pending(ctx)
	if err == nil && len(pending) > 0 {
		err = errors.New("the database there has not been migrated: is it another one?")
	}
	if err == nil {
		known, asked := s.Keys.KnownTo(ctx, database)
		if err = asked; err == nil && !known {
			err = errors.New("the database there is another Wicket's, with other signing keys")
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errDatabaseURL, err)
	}
	return nil
}

// digests reads the files anew. One that is away for the moment, while it is replaced, counts as it was.
func digests(before map[string][]byte) map[string][]byte {
	now := make(map[string][]byte, len(before))
	for path := range before {
		content, err := os.ReadFile(path)
		if now[path] = storage.Digest(string(content)); errors.Is(err, os.ErrNotExist) {
			now[path] = before[path]
		}
	}
	return now
}

// changes lists the paths whose digests differ.
func changes(before, now map[string][]byte) []string {
	changed := []string{}
	for path := range now {
		if !bytes.Equal(before[path], now[path]) {
			changed = append(changed, path)
		}
	}
	slices.Sort(changed)
	return changed
}
