// Package activity is what happened on this server: the audit trail, and the attempts to sign in. Begin with Store.
package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Store reads what happened.
type Store struct{ *manage.Store }

// Entry is one line of the audit trail: what changed, from what to what, and who did it.
type Entry struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	Entity    string          `json:"entity" doc:"What kind of thing: user, session, client."`
	EntityID  string          `json:"entity_id"`
	Action    string          `json:"action" doc:"A verb in the past: created, changed, ended."`
	Old       json.RawMessage `json:"old_values,omitempty" doc:"As it was, by column."`
	New       json.RawMessage `json:"new_values,omitempty" doc:"As it became, by column."`
	UserID    *uuid.UUID      `json:"user_id" format:"uuid" nullable:"true" doc:"The person whom it is about."`
	Actor     string          `json:"actor" doc:"user:ID, client:ID, api-key:ID, operator:NAME or system."`
	Via       string          `json:"via" doc:"The way by which an administrator did it: api or cli."`
	IP        string          `json:"ip"`
	UserAgent string          `json:"user_agent"`
	SessionID string          `json:"session_id"`
	RequestID string          `json:"request_id"`
}

// EntryFilter chooses lines. What is empty does not matter.
type EntryFilter struct {
	UserID                   uuid.UUID
	Entity, EntityID, Action string // EntityID together with Entity
	Since, Until             time.Time
}

// ErrEntity says that the id of a thing says nothing without its kind.
var ErrEntity = refusal.New("filter.entity", "give entity with entity_id")

// Entries lists lines of the audit trail, the newest first, in parts. It returns a *manage.ForbiddenError,
// ErrEntity or manage.ErrCursor.
func (s *Store) Entries(
	ctx context.Context, by manage.Caller, filter EntryFilter, part manage.Part,
) (page manage.Page[Entry], err error) {
	if err := by.Demand(manage.ReadAuditTrail); err != nil {
		return page, err
	}
	if filter.EntityID != "" && filter.Entity == "" {
		return page, ErrEntity
	}
	var rows []audit.Entry
	query := s.Database.Late().NewSelect().Model(&rows).Order("at DESC", "id DESC").Limit(int64(part.Size() + 1))
	after, err := s.follow(query, part, "audit", filter, "at")
	if err != nil {
		return page, err
	}
	for _, demand := range []struct{ column, value string }{
		{"entity", filter.Entity}, {"entity_id", filter.EntityID}, {"action", filter.Action},
	} {
		if demand.value != "" {
			query.Where("? = ?", bun.Ident(demand.column), demand.value)
		}
	}
	if filter.UserID != uuid.Nil {
		query.Where("user_id = ?", filter.UserID)
	}
	between(query, "at", filter.Since, filter.Until)
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("read the audit trail: %w", err)
	}
	entries := make([]Entry, len(rows))
	for i, row := range rows {
		entries[i] = Entry{
			ID: row.ID, At: row.At, Entity: row.Entity, EntityID: row.EntityID, Action: row.Action, Old: row.OldValues,
			New: row.NewValues, Actor: row.Actor, Via: row.Via, IP: row.IP, UserAgent: row.UserAgent,
			SessionID: row.SessionID, RequestID: row.RequestID,
		}
		if row.UserID.Valid {
			entries[i].UserID = &row.UserID.UUID
		}
	}
	return manage.NewPage(s.Store, part, "audit", filter, entries, func(e *Entry) any {
		after.At, after.ID = e.At, e.ID
		return after
	})
}

// position is where a part of a list ends that goes by time: an order that has an index in both databases.
type position struct {
	At time.Time `json:"a"`
	ID int64     `json:"i"`
}

// follow makes a query that is ordered by time, the newest first, go on after the part before.
func (s *Store) follow(
	query *bun.SelectQuery, part manage.Part, list string, filter any, column string,
) (after position, err error) {
	follows, err := s.After(part, list, filter, &after)
	if follows { // the first is for the partitions
		query.Where("? <= ?", bun.Ident(column), after.At).Where("(?, id) < (?, ?)", bun.Ident(column), after.At, after.ID)
	}
	return after, err
}

// between bounds the time of what a query finds; a zero time bounds nothing.
func between(query *bun.SelectQuery, column string, since, until time.Time) {
	if since.Year() >= 1970 { // PostgreSQL does not take every year, and nothing happened before
		query.Where("? >= ?", bun.Ident(column), since)
	}
	if until.Year() >= 1970 && until.Year() < 10_000 {
		query.Where("? < ?", bun.Ident(column), until)
	}
}
