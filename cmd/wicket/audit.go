package main

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage/audit"
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

// auditView is an entry as the command prints it.
type auditView struct {
	At        time.Time       `json:"at"`
	Entity    string          `json:"entity"`
	EntityID  string          `json:"entity_id"`
	Action    string          `json:"action"`
	OldValues json.RawMessage `json:"old_values,omitempty"`
	NewValues json.RawMessage `json:"new_values,omitempty"`
	UserID    *uuid.UUID      `json:"user_id"`
	Actor     string          `json:"actor"`
	IP        string          `json:"ip"`
	UserAgent string          `json:"user_agent"`
	SessionID string          `json:"session_id"`
	RequestID string          `json:"request_id"`
}

// Run lists the audit trail.
func (c auditList) Run(ctx operator, s *server.Server, out printer) error {
	filter := audit.Filter{Entity: c.Entity, Action: c.Action, Since: c.Since, Until: c.Until, Limit: c.Limit}
	if c.User != "" {
		user, err := named{User: c.User}.find(ctx, s)
		if err != nil {
			return err
		}
		filter.UserID = user.ID
	}
	entries, err := audit.Entries(ctx, s.Database, filter)
	if err != nil {
		return err
	}
	views, rows := make([]auditView, len(entries)), make([][]any, len(entries))
	for i, entry := range entries {
		views[i] = auditView{
			At: entry.At, Entity: entry.Entity, EntityID: entry.EntityID, Action: entry.Action, OldValues: entry.OldValues,
			NewValues: entry.NewValues, Actor: entry.Actor, IP: entry.IP, UserAgent: entry.UserAgent,
			SessionID: entry.SessionID, RequestID: entry.RequestID,
		}
		if entry.UserID.Valid {
			views[i].UserID = &entry.UserID.UUID
		}
		rows[i] = []any{
			entry.At.Format(time.RFC3339), entry.Entity, entry.EntityID, entry.Action, entry.Actor, entry.IP,
			string(entry.NewValues),
		}
	}
	return out.print(views, func() { out.table([]any{"AT", "ENTITY", "ID", "ACTION", "BY", "FROM", "NEW VALUES"}, rows) })
}
