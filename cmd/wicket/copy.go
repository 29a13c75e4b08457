package main

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

type copyCommand struct {
	From     string `required:"" placeholder:"URL" help:"The database that holds everything, such as sqlite:wicket-data/wicket.db. Nothing there is changed."`
	To       string `placeholder:"URL" help:"The database that is to hold it, empty or with a part of this copy. Left out: WICKET_DATABASE_URL, which no list of processes shows."`
	Rehearse bool   `help:"Copy beside a running server, to see whether and how fast it goes. Jobs such as mails stay where they are, and the target must be emptied before the real copy."`
}

// copyView is what a copy came to, as the command prints it.
type copyView struct {
	From      storage.Kind `json:"from"`
	To        storage.Kind `json:"to"`
	Rehearsal bool         `json:"rehearsal"`
	Tables    []tableView  `json:"tables"`
	Rows      int64        `json:"rows"`
	Added     int64        `json:"added"` // by this run
	Jobs      int          `json:"jobs"`  // by this run
}

type tableView struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Added  int64  `json:"added"`
	SHA256 string `json:"sha256"` // of all rows, the same in both databases
}

// Run copies one database into another.
func (c copyCommand) Run(ctx context.Context, env server.Environment, out printer) error {
	config, err := c.configuration(env)
	if err != nil {
		return err
	}
	from, err := c.openSource(ctx, config.Seal)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := c.openTarget(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }()
	progress := copyProgress{out: os.Stderr, screen: isTerminal(os.Stderr), now: time.Now, last: time.Now()}
	run := copying.Copy{From: from, To: to, Rehearsal: c.Rehearse, Progress: progress.show}
	tables, jobs, err := run.Run(ctx)
	progress.end()
	if err != nil {
		return c.advise(err)
	}
	view := copyView{
		From: from.Kind, To: to.Kind, Rehearsal: c.Rehearse, Tables: make([]tableView, len(tables)), Jobs: jobs,
	}
	rows := make([][]any, len(tables))
	for i, table := range tables {
		view.Tables[i] = tableView{table.Table, table.Rows, table.Added, table.Digest}
		rows[i] = []any{table.Table, table.Rows, table.Added}
		view.Rows += table.Rows
		view.Added += table.Added
	}
	return out.print(view, func() {
		out.table([]any{"TABLE", "ROWS", "ADDED"}, rows)
		out.line("\n%d rows, %d of them added now, and each was read back and compared. %d jobs that waited were added.",
			view.Rows, view.Added, view.Jobs)
		if c.Rehearse {
			out.line("This was a rehearsal: empty the target before you copy in earnest.")
		}
	})
}

// openSource opens the source as it is, once it is known that the master key of the target's servers opens what is
// sealed there.
func (c copyCommand) openSource(ctx context.Context, master *seal.Seal) (*storage.Database, error) {
	database, err := storage.Open(ctx, c.From)
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
			"could be read at the target; set it to " + c.masterKeyOfSource())
	case err != nil:
		err = fmt.Errorf("--from: %w", err)
	default:
		return database, nil
	}
	_ = database.Close()
	return nil, err
}

// openTarget opens the target and brings it up to date.
func (c copyCommand) openTarget(ctx context.Context, config *server.Config) (*storage.Database, error) {
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
func (c copyCommand) configuration(env server.Environment) (*server.Config, error) {
	if path := server.EmbeddedPath(c.From); path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("--from: there is no database: %w", err)
		}
	}
	if c.To != "" {
		env = env.With("WICKET_DATABASE_URL", c.To)
	}
	if err := c.masterKeyGiven(env); err != nil {
		return nil, err
	}
	return server.Load(env)
}

// masterKeyGiven sees to it that no new master key is made, or asked for, for the target.
func (c copyCommand) masterKeyGiven(target server.Environment) error {
	key, err := target.Value("WICKET_SECRET")
	if err == nil && key == "" {
		err = errors.New("is needed, here and for the server that will work with the copy: " + c.masterKeyOfSource())
	}
	if err != nil {
		return fmt.Errorf("WICKET_SECRET: %w", err)
	}
	return nil
}

// masterKeyOfSource says where it is to be found.
func (c copyCommand) masterKeyOfSource() string {
	database := server.EmbeddedPath(c.From)
	if database == "" {
		return "what the servers on the source have"
	}
	if _, err := os.Stat(server.MasterKeyPath(database)); err != nil {
		return "what the server on the source has"
	}
	return "what the source has, with WICKET_SECRET_FILE=" + server.MasterKeyPath(database)
}

// advise says what to do about what stopped a copy.
func (c copyCommand) advise(err error) error {
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

// copyProgress tells what a copy is at: one line that is written over on a screen, else a line every ten seconds.
type copyProgress struct {
	out    io.Writer
	screen bool
	now    func() time.Time
	last   time.Time
	shown  bool
}

func (p *copyProgress) show(doing copying.Phase, table string, rows int64) {
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
func (p *copyProgress) end() {
	if p.screen && p.shown {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
