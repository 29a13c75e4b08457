package audit

import (
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/storage"
)

// recording is a statement that writes lines, and puts them into the outbox of events where somebody listens: a
// webhook, or whoever reads the feed (manage/events). That is asked of the database in the same statement, so that no
// replica has to learn who listens. On PostgreSQL it is one statement; on SQLite, where none writes into two tables, it
// is two.
type recording struct {
	insert *bun.InsertQuery
	lines  int
}

var _ storage.Several = recording{}

// AppendQuery is schema.QueryAppender's.
func (r recording) AppendQuery(gen schema.QueryGen, b []byte) (_ []byte, err error) {
	if gen.Dialect().Name() == dialect.SQLite {
		if b, err = r.insert.Returning("NULL").AppendQuery(gen, b); err != nil {
			return nil, err
		}
		written := fmt.Sprintf("(SELECT id, at FROM audit_trail WHERE id > last_insert_rowid() - %d) AS written", r.lines)
		return append(append(b, ";\n"...), toOutbox(written)...), nil
	}
	if b, err = r.appendInsert(gen, append(b, "WITH "...), "written"); err != nil {
		return nil, err
	}
	return append(append(b, '\n'), toOutbox("written")...), nil
}

// AppendParts is storage.Several's.
func (r recording) AppendParts(gen schema.QueryGen, b []byte, name string) ([]byte, error) {
	b, err := r.appendInsert(gen, b, name)
	if err != nil {
		return nil, err
	}
	return append(append(b, ",\n"+name+"_told AS ("+toOutbox(name)...), ')'), nil
}

func (r recording) appendInsert(gen schema.QueryGen, b []byte, name string) ([]byte, error) {
	b, err := r.insert.Returning("id, at").AppendQuery(gen, append(b, name+" AS ("...))
	return append(b, ')'), err
}

// toOutbox puts lines into the outbox, where somebody listens.
func toOutbox(written string) string {
	return "INSERT INTO event_outbox (entry_id, entry_at) SELECT id, at FROM " + written +
		" WHERE EXISTS (SELECT 1 FROM webhooks WHERE is_active) OR EXISTS (SELECT 1 FROM event_feed WHERE is_on)"
}
