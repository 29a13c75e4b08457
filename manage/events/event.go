package events

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage/audit"
)

// Event is that something has changed, as programs elsewhere are told. There is nothing of a person in it but ids,
// unless somebody wants the values too.
type Event struct {
	ID        uuid.UUID `json:"id" doc:"The same however often it is told."`
	Type      string    `json:"type" doc:"What happened: one of docs/events.md."`
	Version   int       `json:"version" doc:"Of what the type means."`
	Sequence  int64     `json:"sequence" doc:"Counts events one by one, in the order in which they became known."`
	Timestamp time.Time `json:"timestamp" doc:"When it happened."`
	Data      EventData `json:"data"`
}

// EventData is what has changed, and by whom.
type EventData struct {
	Entity  string          `json:"entity" doc:"What kind of thing has changed, as the audit trail calls it."`
	ID      string          `json:"id" doc:"Which one."`
	UserID  *uuid.UUID      `json:"user_id" format:"uuid" nullable:"true" doc:"The person whom it is about; null: nobody, or somebody who is erased."`
	Actor   string          `json:"actor" doc:"Who did it: user:ID, client:ID, api-key:ID, operator or system."`
	Via     string          `json:"via" doc:"The way by which an administrator did it: api or cli."`
	Changed []string        `json:"changed" doc:"The names of the values that are new or another."`
	Old     json.RawMessage `json:"old_values,omitempty" doc:"As it was; only where values are wanted."`
	New     json.RawMessage `json:"new_values,omitempty" doc:"As it became; only where values are wanted."`
}

// row is an event in the database. What is told of it is in its line of the audit trail, so that nothing of a person is
// kept in two places.
type row struct {
	bun.BaseModel `bun:"table:events,alias:event"`

	Sequence int64     `bun:"sequence,pk"`
	ID       uuid.UUID `bun:"id,type:uuid"`
	Type     string    `bun:"type"`
	At       time.Time `bun:"at"` // of the line, and its id
	EntryID  int64     `bun:"entry_id"`
}

// found is an event with its line.
type found struct {
	Sequence int64     `bun:"sequence"`
	EventID  uuid.UUID `bun:"event_id,type:uuid"`
	Type     string    `bun:"event_type"`

	audit.Entry `bun:",extend"`
}

// withLines selects events with their lines: those that a query selects, which are few. That there are few is what the
// database has to know to look each line up, and not to read the whole trail.
func withLines(db bun.IDB, few *bun.SelectQuery) *bun.SelectQuery {
	return db.NewSelect().TableExpr("(?) AS event", few).
		Join("JOIN audit_trail AS entry ON entry.at = event.at AND entry.id = event.entry_id").
		ColumnExpr("event.sequence AS sequence, event.id AS event_id, event.type AS event_type").
		ColumnExpr("entry.id, entry.at, entry.entity, entry.entity_id, entry.action").
		ColumnExpr("entry.old_values, entry.new_values, entry.user_id, entry.actor, entry.via")
}

// event is what is told.
func (f *found) event(values bool) Event {
	event := Event{
		ID: f.EventID, Type: f.Type, Version: Version, Sequence: f.Sequence, Timestamp: f.At,
		Data: EventData{
			Entity: f.Entity, ID: f.EntityID, Actor: f.Actor, Via: f.Via, Changed: changed(f.OldValues, f.NewValues),
		},
	}
	if f.UserID.Valid {
		event.Data.UserID = &f.UserID.UUID
	}
	if values {
		event.Data.Old, event.Data.New = f.OldValues, f.NewValues
	} else {
		event.Data.Actor = nameless(f.Actor)
	}
	return event
}

// nameless is an actor without what an operator is called on their machine.
func nameless(actor string) string {
	if strings.HasPrefix(actor, "operator:") {
		return "operator"
	}
	return actor
}

// changed are the names of the values that are not the same before and after, in their order.
func changed(before, after json.RawMessage) []string {
	var old, new map[string]json.RawMessage
	_ = json.Unmarshal(before, &old) // empty: there are none
	_ = json.Unmarshal(after, &new)
	names := map[string]bool{}
	for name, value := range new {
		if was, known := old[name]; !known || !bytes.Equal(was, value) {
			names[name] = true
		}
	}
	for name := range old {
		if _, known := new[name]; !known {
			names[name] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(names))...)
}
