package storage

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// A transaction in which no statement waits for the answer of another need not go to and fro: Append and Claim make one
// statement of theirs on PostgreSQL, where each costs a trip and a plan to be begun and ended, and run them as an
// ordinary transaction on SQLite, where there is no trip. So none of them may see what another has written, and no two
// may change the same row; foreign keys are looked at when all are done.

// Draft is where statements for Append and Claim are written. They run there, not here.
func (d *Database) Draft() bun.IDB { return d.writer }

// Append runs statements that ask nothing, such as inserts, in one transaction: all of them or none.
func (d *Database) Append(ctx context.Context, statements ...schema.QueryAppender) error {
	if d.Kind == Postgres {
		return writeAsOne(ctx, d, nil, statements)
	}
	return d.Write(ctx, func(ctx context.Context, tx bun.Tx) error { return script(ctx, tx, statements...) })
}

// Claim runs claims, updates that find their row only if no other call was faster (UPDATE ... WHERE used_at IS NULL),
// and the other statements if they did; all in one transaction, and in that order. It tells whether this call made the
// claims: all of them or none. Without claims it is Append.
func (d *Database) Claim(
	ctx context.Context, claims []*bun.UpdateQuery, then ...schema.QueryAppender,
) (claimed bool, err error) {
	if d.Kind == Postgres {
		err = writeAsOne(ctx, d, claims, then)
		if fault := (*pgconn.PgError)(nil); errors.As(err, &fault) && fault.Code == divisionByZero {
			return false, nil
		}
		return err == nil, err
	}
	err = d.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, claim := range claims {
			result, err := tx.ExecContext(ctx, "?", claim)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, errUnclaimed)
			}
		}
		return script(ctx, tx, then...)
	})
	if errors.Is(err, errUnclaimed) {
		return false, nil
	}
	return err == nil, err
}

// errUnclaimed undoes the transaction of a claim that another call has made.
var errUnclaimed = errors.New("another call was faster")

// undone tells whether a commit or a script that failed has certainly done nothing: the server said so itself, which it
// does before the commit or not at all, or it never heard of it. Where the connection merely broke it is not known.
// That is so of a commit that waits for a standby, too: its connection may be ended, and then the server, which has
// committed, sends a notice and no error.
func undone(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errGroupUndone) ||
		pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed) // as pgx calls one that broke, too
}

const divisionByZero = "22012" // SQLSTATE

// writeAsOne runs claims and statements as one statement of PostgreSQL, which fails where a claim finds nothing.
func writeAsOne(
	ctx context.Context, d *Database, claims []*bun.UpdateQuery, then []schema.QueryAppender,
) error {
	statement, err := asOne(schema.NewQueryGen(d.writer.Dialect()), claims, then)
	if err != nil || len(statement) == 0 {
		return err
	}
	return untilItPasses(ctx, ofQueries, func() (again bool, err error) {
		err = connected(ctx, d, func(ctx context.Context, conn bun.Conn) error {
			_, err := conn.ExecContext(context.WithValue(ctx, inOneTrip{}, true), string(statement))
			return err
		})
		noteFailure(d, err)
		return undone(err), err
	})
}

// Several is a statement that has a WITH of its own. It appends the parts of that instead, and itself as one: the first
// under a name, the others under names that begin with it.
type Several interface {
	AppendParts(gen schema.QueryGen, b []byte, name string) ([]byte, error)
}

// asOne writes claims and statements as one. An update that finds nothing does not fail, so its count is made to; that
// is asked first, claim by claim, and PostgreSQL then runs what nobody has asked for.
func asOne(gen schema.QueryGen, claims []*bun.UpdateQuery, then []schema.QueryAppender) (text []byte, err error) {
	if len(claims) == 0 && len(then) <= 1 {
		for _, statement := range then {
			text, err = statement.AppendQuery(gen, text)
		}
		return text, err
	}
	parts := make([]schema.QueryAppender, 0, len(claims)+len(then))
	counts := make([]string, 0, len(claims))
	for i, claim := range claims {
		parts = append(parts, claim.Returning("1"))
		counts = append(counts, fmt.Sprintf("1 / (SELECT count(*) FROM w%d)", i))
	}
	before := [...]string{"WITH", ",\n"}
	for i, part := range append(parts, then...) {
		name := fmt.Sprintf("w%d", i)
		text = append(text, before[min(i, 1)]+" "...)
		if several, ok := part.(Several); ok {
			text, err = several.AppendParts(gen, text, name)
		} else {
			text, err = part.AppendQuery(gen, append(text, name+" AS ("...))
			text = append(text, ')')
		}
		if err != nil {
			return nil, err
		}
	}
	return append(text, "\nSELECT "+cmp.Or(strings.Join(counts, ", "), "1")...), nil
}

// script sends statements of a transaction in one piece.
func script(ctx context.Context, on bun.IDB, statements ...schema.QueryAppender) error {
	gen := schema.NewQueryGen(on.Dialect())
	var text []byte
	for i, statement := range statements {
		if i > 0 {
			text = append(text, ";\n"...)
		}
		var err error
		if text, err = statement.AppendQuery(gen, text); err != nil {
			return err
		}
	}
	_, err := on.ExecContext(ctx, string(text))
	return err
}
