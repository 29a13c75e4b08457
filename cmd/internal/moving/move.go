// Package moving moves everything from one database of Wicket into another: docs/moving-up.md. Begin with Move.
package moving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/copying"
	"github.com/wicket-id/wicket/storage/seal"
)

// Move says what to move where.
type Move struct {
	From, To  string // URLs of databases; To may be empty: that of the environment
	Rehearsal bool
	Out       io.Writer // is told how far it is
	Screen    bool      // somebody looks at Out
}

// Moved is what it came to.
type Moved struct {
	From, To storage.Kind
	Tables   []copying.Copied
	Jobs     int // that waited, and were added
}

// Run copies one database into another. env is that of the target's servers.
func (m Move) Run(ctx context.Context, env server.Environment) (*Moved, error) {
	config, err := m.configuration(env)
	if err != nil {
		return nil, err
	}
	from, err := m.openSource(ctx, config.Seal)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	to, err := m.openTarget(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = to.Close() }()
	told := progress{out: m.Out, screen: m.Screen, now: time.Now, last: time.Now()}
	run := copying.Copy{From: from, To: to, Rehearsal: m.Rehearsal, Progress: told.show}
	tables, jobs, err := run.Run(ctx)
	told.end()
	if err != nil {
		return nil, m.advise(err)
	}
	return &Moved{From: from.Kind, To: to.Kind, Tables: tables, Jobs: jobs}, nil
}

// openSource opens the source as it is, once it is known that the master key of the target's servers opens what is
// sealed there.
func (m Move) openSource(ctx context.Context, master *seal.Seal) (*storage.Database, error) {
	database, err := storage.Open(ctx, m.From)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	pending, err := database.Pending(ctx)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("the database lacks %d migrations: set WICKET_DATABASE_URL to it and run wicket migrate first",
			len(pending))
	}
	if err == nil {
		keys := keys.Keys{Database: database, Seal: master, Now: identity.Clock, Log: slog.New(slog.DiscardHandler)}
		err = keys.Reload(ctx)
	}
	switch {
	case errors.Is(err, seal.ErrSealed):
		err = errors.New("WICKET_SECRET: this is not the master key of the source, so nothing that is sealed there " +
			"could be read at the target; set it to " + m.masterKeyOfSource())
	case err != nil:
		err = fmt.Errorf("--from: %w", err)
	default:
		return database, nil
	}
	_ = database.Close()
	return nil, err
}

// openTarget opens the target and brings it up to date.
func (m Move) openTarget(ctx context.Context, config *server.Config) (*storage.Database, error) {
	database, err := storage.Open(ctx, config.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	if err := server.Prepare(ctx, database, config.Migrate, slog.New(slog.DiscardHandler)); err != nil {
		_ = database.Close()
		return nil, fmt.Errorf("--to: %w", err)
	}
	return database, nil
}

// configuration is the target's.
func (m Move) configuration(env server.Environment) (*server.Config, error) {
	if path := server.EmbeddedPath(m.From); path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("--from: there is no database: %w", err)
		}
	}
	if m.To != "" {
		env = env.With("WICKET_DATABASE_URL", m.To)
	}
	if err := m.masterKeyGiven(env); err != nil {
		return nil, err
	}
	return server.Load(env)
}

// masterKeyGiven sees to it that no new master key is made, or asked for, for the target.
func (m Move) masterKeyGiven(target server.Environment) error {
	key, err := target.Value("WICKET_SECRET")
	if err == nil && key == "" {
		err = errors.New("is needed, here and for the server that will work with the copy: " + m.masterKeyOfSource())
	}
	if err != nil {
		return fmt.Errorf("WICKET_SECRET: %w", err)
	}
	return nil
}

// masterKeyOfSource says where it is to be found.
func (m Move) masterKeyOfSource() string {
	database := server.EmbeddedPath(m.From)
	if database == "" {
		return "what the servers on the source have"
	}
	if _, err := os.Stat(server.MasterKeyPath(database)); err != nil {
		return "what the server on the source has"
	}
	return "what the source has, with WICKET_SECRET_FILE=" + server.MasterKeyPath(database)
}

// advise says what to do about what stopped a copy.
func (m Move) advise(err error) error {
	switch {
	case errors.Is(err, copying.ErrServed):
		return fmt.Errorf("%w: stop it first (one that was killed counts for a quarter of a minute more); "+
			"--rehearse copies beside a server of the source, to try it", err)
	case errors.Is(err, copying.ErrDiffers):
		return fmt.Errorf("%w\nEmpty the target and run it again, unless you named the wrong one", err)
	case errors.Is(err, copying.ErrWritten):
		return fmt.Errorf("%w: let nothing else work with it, empty the target and run it again", err)
	case errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(os.Stderr, "stopped; run it again to go on")
	}
	return err
}

const (
	progressInterval = 10 * time.Second
	progressOnScreen = 200 * time.Millisecond
)

// progress tells what a copy is at: one line that is written over on a screen, else a line every ten seconds.
type progress struct {
	out    io.Writer
	screen bool
	now    func() time.Time
	last   time.Time
	shown  bool
}

func (p *progress) show(doing copying.Phase, table string, rows int64) {
	interval := progressInterval
	if p.screen {
		interval = progressOnScreen
	}
	now := p.now()
	if now.Sub(p.last) < interval {
		return
	}
	p.last, p.shown = now, true
	text := fmt.Sprintf("%s %s: %d rows", doing, table, rows)
	if p.screen {
		_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", text)
	} else {
		_, _ = fmt.Fprintln(p.out, text)
	}
}

// end clears the line.
func (p *progress) end() {
	if p.screen && p.shown {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
