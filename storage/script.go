package storage

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// A transaction in which no statement waits for the answer of another need not go to and fro: Append and Claim run
// theirs in one round trip on PostgreSQL, where each costs more than the statement itself, and as an ordinary
// transaction on SQLite, where there is no trip.

// Draft is where statements for Append and Claim are written. They run there, not here.
func (d *Database) Draft() bun.IDB { return d.writer }

// Append runs statements that ask nothing, such as inserts, in one transaction: all of them or none.
func (d *Database) Append(ctx context.Context, statements ...schema.QueryAppender) error {
	if d.Kind == Postgres {
		return untilItPasses(ctx, ofQueries, func() (again bool, err error) {
			err = writeScript(ctx, d, statements...)
			return undone(err), err
		})
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
		statements := make([]schema.QueryAppender, 0, len(claims)+len(then))
		for _, claim := range claims {
			// A script is one transaction that stops at the first statement that fails. An update that finds nothing does
			// not fail, so its count is made to.
			query, err := claim.Returning("1").AppendQuery(schema.NewQueryGen(d.writer.Dialect()), nil)
			if err != nil {
				return false, err
			}
			statements = append(statements,
				d.writer.NewRaw("WITH claimed AS (?) SELECT 1 / count(*) FROM claimed", bun.Safe(query)))
		}
		statements = append(statements, then...)
		err = untilItPasses(ctx, ofQueries, func() (again bool, err error) {
			err = writeScript(ctx, d, statements...)
			return undone(err), err
		})
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

// writeScript is script on a connection for writing.
func writeScript(ctx context.Context, d *Database, statements ...schema.QueryAppender) error {
	err := connected(ctx, d, func(ctx context.Context, conn bun.Conn) error {
		return script(context.WithValue(ctx, inOneTrip{}, true), conn, statements...)
	})
	noteFailure(d, err)
	return err
}

// script sends statements in one piece. Outside a transaction, on PostgreSQL, they are one.
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
