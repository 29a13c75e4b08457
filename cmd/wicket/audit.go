package main

import (
	"time"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
)

type auditCommands struct {
	List auditList `cmd:"" help:"List what was changed, by whom and from where, the newest first."`
}

type auditList struct {
	User   string    `help:"Only about this person: a username, a verified e-mail address or an id."`
	Entity string    `help:"Only about this kind of thing: user, session, email, client, grant, consent, role, signing_key ..."`
	Action string    `help:"Only this action: created, ended, granted ..."`
	Since  time.Time `format:"2006-01-02" help:"Only from this day on (UTC), such as 2026-01-31."`
	Until  time.Time `format:"2006-01-02" help:"Only before this day (UTC)."`
	Limit  int       `default:"100" help:"How many to list at the most."`
}

// Run lists the audit trail.
func (c auditList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	filter := activity.EntryFilter{Entity: c.Entity, Action: c.Action, Since: c.Since, Until: c.Until}
	if c.User != "" {
		user, err := named{User: c.User}.find(ctx, s)
		if err != nil {
			return err
		}
		filter.UserID = user.ID
	}
	entries, part := []activity.Entry{}, manage.Part{}
	for more := true; more && len(entries) < c.Limit; more = part.Cursor != "" {
		part.Limit = min(c.Limit-len(entries), manage.MaxLimit)
		page, err := s.Activity.Entries(ctx, by(ctx), filter, part)
		if err != nil {
			return err
		}
		entries, part.Cursor = append(entries, page.Items...), page.Next
	}
	rows := make([][]any, len(entries))
	for i, entry := range entries {
		rows[i] = []any{
			entry.At.Format(time.RFC3339), entry.Entity, entry.EntityID, entry.Action, entry.Actor, entry.IP,
			string(entry.New),
		}
	}
	return out.Print(
		entries,
		func() { out.Table([]any{"AT", "ENTITY", "ID", "ACTION", "BY", "FROM", "NEW VALUES"}, rows) },
	)
}
