package main

import (
	"context"
	"os"

	"github.com/wicket-id/wicket/cmd/internal/moving"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage"
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
func (c copyCommand) Run(ctx context.Context, env server.Environment, out printer.Printer) error {
	run := moving.Move{
		From: c.From, To: c.To, Rehearsal: c.Rehearse, Out: os.Stderr, Screen: isTerminal(os.Stderr),
	}
	moved, err := run.Run(ctx, env)
	if err != nil {
		return err
	}
	view := copyView{
		From: moved.From, To: moved.To, Rehearsal: c.Rehearse, Tables: make([]tableView, len(moved.Tables)), Jobs: moved.Jobs,
	}
	rows := make([][]any, len(moved.Tables))
	for i, table := range moved.Tables {
		view.Tables[i] = tableView{table.Table, table.Rows, table.Added, table.Digest}
		rows[i] = []any{table.Table, table.Rows, table.Added}
		view.Rows += table.Rows
		view.Added += table.Added
	}
	return out.Print(view, func() {
		out.Table([]any{"TABLE", "ROWS", "ADDED"}, rows)
		out.Line("\n%d rows, %d of them added now, and each was read back and compared. %d jobs that waited were added.",
			view.Rows, view.Added, view.Jobs)
		if c.Rehearse {
			out.Line("This was a rehearsal: empty the target before you copy in earnest.")
		}
	})
}
