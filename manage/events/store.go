package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Store keeps events; set all of it.
type Store struct {
	*manage.Store

	FeedIsOn bool          // events are kept though there be no webhook, and may be read
	Kept     time.Duration // how long; 0: for ever
	Every    time.Duration // how often Watch looks for lines that have no number yet
	Log      *slog.Logger

	// Hear is told of events in the transaction that numbers them.
	Hear func(ctx context.Context, tx bun.Tx, events []Event) error
}

// atOnce is how many lines a transaction numbers.
const atOnce = 100

// Watch numbers the lines of the audit trail that somebody listens for, and has them told, until ctx ends. It may run
// in several processes at once.
func (s *Store) Watch(ctx context.Context) {
	ticker := time.NewTicker(s.Every)
	defer ticker.Stop()
	switched, failing := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := error(nil)
		if !switched {
			err = s.switchFeed(ctx)
			switched = err == nil
		}
		for more := true; more && err == nil; {
			more, err = s.Number(ctx)
		}
		if err != nil && !failing && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "events cannot be told for the moment; none is lost", "error", err)
		}
		failing = err != nil
	}
}

// switchFeed sees to it that the database knows whether the feed is on.
func (s *Store) switchFeed(ctx context.Context) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if !s.FeedIsOn {
			_, err := tx.ExecContext(ctx, "UPDATE event_feed SET is_on = FALSE WHERE is_on")
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO event_feed (id, is_on, last_sequence) VALUES (1, TRUE, 0)
			ON CONFLICT (id) DO UPDATE SET is_on = TRUE WHERE NOT event_feed.is_on`)
		return err
	})
}

// Number numbers lines that wait in the outbox, the oldest first, and tells whether there may be more. They leave the
// outbox in the transaction that numbers them and in which they are heard: each is heard once.
func (s *Store) Number(ctx context.Context) (more bool, err error) {
	waits, err := s.Database.Reader().NewSelect().Table("event_outbox").Exists(ctx)
	if err != nil || !waits {
		return false, err
	}
	more, err = storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
		// Whoever else numbers waits here, and then sees what this transaction has done.
		var last int64
		err := tx.NewRaw(`INSERT INTO event_feed (id, is_on, last_sequence) VALUES (1, FALSE, 0)
			ON CONFLICT (id) DO UPDATE SET last_sequence = event_feed.last_sequence RETURNING last_sequence`).Scan(ctx, &last)
		if err != nil {
			return false, err
		}
		var ids []int64
		err = tx.NewSelect().Table("event_outbox").Column("entry_id").Order("entry_id").Limit(atOnce).Scan(ctx, &ids)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		if err := s.number(ctx, tx, last, ids); err != nil {
			return false, err
		}
		_, err = tx.NewDelete().Table("event_outbox").Where("entry_id IN (?)", bun.List(ids)).Exec(ctx)
		return len(ids) == atOnce, err
	})
	if err != nil {
		return false, fmt.Errorf("number events: %w", err)
	}
	return more, nil
}

// number makes events of the lines with these ids, with the numbers after last.
func (s *Store) number(ctx context.Context, tx bun.Tx, last int64, ids []int64) error {
	var lines []audit.Entry
	err := tx.NewSelect().Model(&lines).
		Join("JOIN event_outbox AS waiting ON waiting.entry_at = entry.at AND waiting.entry_id = entry.id").
		Where("waiting.entry_id IN (?)", bun.List(ids)).Order("entry.id").Scan(ctx)
	if err != nil || len(lines) == 0 {
		return err
	}
	rows, told := make([]row, len(lines)), make([]Event, len(lines))
	for i := range lines {
		last++
		rows[i] = row{
			Sequence: last, ID: storage.NewID(), Type: nameOf(&lines[i]), At: lines[i].At, EntryID: lines[i].ID,
		}
		line := found{Sequence: last, EventID: rows[i].ID, Type: rows[i].Type, Entry: lines[i]}
		told[i] = line.event(false)
	}
	if _, err := tx.NewInsert().Model(&rows).Returning("NULL").Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE event_feed SET last_sequence = ?", last); err != nil {
		return err
	}
	return s.Hear(ctx, tx, told)
}

// Feed is a part of the feed.
type Feed struct {
	Items []Event `json:"items"`
	After int64   `json:"after" doc:"Give it as after to get what comes next: at once where there may be more, or later."`
	More  bool    `json:"more" doc:"There is more already."`
}

// Filter says which events are wanted.
type Filter struct {
	After  int64    // those with a higher number
	Types  []string // names, beginnings such as "user.*", or "*"; none: all
	Values bool     // with the values, as the audit trail has them
}

// What can be wrong with a question to the feed.
var (
	ErrOff  = refusal.New("event.off", "no events are kept here; switch the feed on with WICKET_EVENT_FEED=on")
	ErrGone = refusal.New("event.gone", "the events after that number are not all there any more, or never were; read everything anew, and go on after the last number")
)

// List reads the feed: events in their order, the oldest first. It returns a *manage.ForbiddenError, ErrType, ErrOff,
// or ErrGone where events that were to come next are kept no longer, or where the number is none that was given.
func (s *Store) List(ctx context.Context, by manage.Caller, filter Filter, limit int) (*Feed, error) {
	if err := by.Demand(manage.ReadAuditTrail); err != nil {
		return nil, err
	}
	types, err := Chosen(filter.Types)
	if err != nil {
		return nil, err
	}
	db := s.Database.Reader()
	// This first: all that has a number up to that one can be read by now.
	last, err := s.last(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := s.reaches(ctx, db, filter.After, last); err != nil {
		return nil, err
	}
	size := manage.Part{Limit: limit}.Size()
	few := db.NewSelect().Model((*row)(nil)).Where("sequence > ? AND sequence <= ?", filter.After, last).
		Order("sequence").Limit(int64(size + 1))
	if len(types) > 0 {
		few.Where("type IN (?)", bun.List(types))
	}
	var rows []found
	if err := withLines(db, few).Order("event.sequence").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	page := &Feed{Items: make([]Event, min(len(rows), size)), After: last, More: len(rows) > size}
	for i := range page.Items {
		page.Items[i] = rows[i].event(filter.Values)
	}
	if page.More {
		page.After = page.Items[size-1].Sequence
	}
	return page, nil
}

// last is the last number that was given, or ErrOff.
func (s *Store) last(ctx context.Context, db bun.IDB) (last int64, err error) {
	err = storage.NotFound(db.NewSelect().Table("event_feed").Column("last_sequence").Where("is_on").Scan(ctx, &last))
	if errors.Is(err, storage.ErrNotFound) {
		return 0, ErrOff
	} else if err != nil {
		return 0, fmt.Errorf("read the feed: %w", err)
	}
	return last, nil
}

// reaches returns ErrGone where the feed does not go on after a number. 0 is where it begins.
func (s *Store) reaches(ctx context.Context, db bun.IDB, after, last int64) error {
	if after == 0 || after == last {
		return nil
	}
	if after > last || after < 0 {
		return ErrGone
	}
	there, err := db.NewSelect().Model((*row)(nil)).Where("sequence = ?", after+1).Exists(ctx)
	if err != nil {
		return fmt.Errorf("read the feed: %w", err)
	}
	if !there {
		return ErrGone
	}
	return nil
}

// Find returns the event with that number as a webhook is told of it, or storage.ErrNotFound.
func (s *Store) Find(ctx context.Context, sequence int64, values bool) (*Event, error) {
	var rows []found
	db := s.Database.Reader()
	few := db.NewSelect().Model((*row)(nil)).Where("sequence = ?", sequence).Limit(1)
	if err := withLines(db, few).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("event %d: %w", sequence, err)
	}
	if len(rows) == 0 {
		return nil, storage.ErrNotFound
	}
	event := rows[0].event(values)
	return &event, nil
}

// Known is an event as it is looked through to be told again.
type Known struct {
	Sequence int64     `bun:"sequence"`
	ID       uuid.UUID `bun:"id,type:uuid"`
	Type     string    `bun:"type"`
}

// Since returns events that happened since a time, with numbers after one, in their order, as part of tx; limit is how
// many at the most.
func Since(
	ctx context.Context, tx bun.Tx, since time.Time, after int64, types []string, limit int,
) (known []Known, err error) {
	err = tx.NewSelect().Model((*row)(nil)).Column("sequence", "id", "type").
		Where("sequence > ? AND at >= ? AND type IN (?)", after, since, bun.List(types)).
		Order("sequence").Limit(int64(limit)).Scan(ctx, &known)
	return known, err
}

// Expire deletes events that are kept no longer, and what was noted of telling them, and returns how many.
func (s *Store) Expire(ctx context.Context) (int64, error) {
	if s.Kept == 0 {
		return 0, nil
	}
	return s.Database.DeleteBatches(ctx, "events", "sequence", "at < ?", s.Now().Add(-s.Kept))
}
