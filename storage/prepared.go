package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL plans a statement in several times the time that it takes to run it, unless it is prepared. Here, below
// bun, each one is prepared without its arguments once for each connection, and planned seldom. So every query of every
// package is, and none has to know.

// mayPrepare tells whether statements may be prepared on the connection: see connector.mayPrepare, and judge.
func (c conn) mayPrepare() bool { return c.prepares && !c.connector.pooled.Load() }

// prepared returns how a query is asked with its arguments taken out; ok is false where it is asked as it is.
func (c conn) prepared(query string) (s statement, args []driver.NamedValue, ok bool) {
	if !c.mayPrepare() {
		return s, nil, false
	}
	statements, ok := parameterize(query, postgresArgument)
	if !ok || len(statements) != 1 || len(statements[0].args) == 0 || !statements[0].isPlanned() {
		return s, nil, false
	}
	s = statements[0]
	if _, refused := c.connector.unprepared.Get(s.text); refused {
		return s, nil, false
	}
	args = append(args, driver.NamedValue{Ordinal: 1, Value: pgx.QueryExecModeCacheStatement})
	for _, arg := range s.args {
		args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: arg})
	}
	return s, args, true
}

// errUnprepared says that a statement failed because it was prepared: PostgreSQL cannot tell what type an argument has,
// where it could tell of a literal, or does not know what was prepared. The next time the statement is asked as it is.
type errUnprepared struct{ error }

func (e errUnprepared) Unwrap() error { return e.error }

// judge remembers what an error says of preparing. A statement that fails while it is prepared is one that PostgreSQL
// does not understand with its arguments taken out; what fails later is not judged by that. Where the server does not
// know what was prepared, or knows what was not, a pooler stands between, though the connection did not look like it:
// then nothing is prepared any more.
func (c conn) judge(s statement, err error) error {
	var said *pgconn.PgError
	switch {
	case !errors.As(err, &said):
		return err
	case said.Code == "26000", said.Code == "42P05": // invalid_sql_statement_name, duplicate_prepared_statement
		c.connector.pooled.Store(true)
		return errUnprepared{err}
	case errors.As(err, new(*pgconn.PrepareError)) && strings.HasPrefix(said.Code, "42") &&
		said.Code != "42501": // insufficient_privilege
		c.connector.unprepared.Add(s.text, true)
		return errUnprepared{err}
	}
	return err
}

// planChanged tells whether a prepared statement is older than the table that it reads, which was altered meanwhile.
func planChanged(said *pgconn.PgError) bool {
	return said.Code == "0A000" && said.Routine == "RevalidateCachedQuery"
}

// maxPipelined is how many statements of pipelines a connection keeps.
const maxPipelined = 200

// inOneTrip marks a context in which what may be several statements is sent in one trip: see Later and writeAsOne.
type inOneTrip struct{}

// pipeline runs several prepared statements as one transaction, in one round trip. It returns false, and has done
// nothing, where they cannot be prepared.
func (c conn) pipeline(ctx context.Context, query string) (done bool, err error) {
	statements, ok := parameterize(query, postgresArgument)
	if !c.mayPrepare() || !ok {
		return false, nil
	}
	if len(c.pipelined) > maxPipelined { // numbers are in the texts, so that there may be many
		clear(c.pipelined)
		if err := c.Conn.Conn().DeallocateAll(ctx); err != nil {
			return false, err
		}
	}
	names := make([]string, len(statements))
	for i, s := range statements {
		if _, refused := c.connector.unprepared.Get(s.text); refused || !s.isPlanned() {
			return false, nil
		}
		prepared, err := c.Conn.Conn().Prepare(ctx, s.text, s.text) // at once, if it is already
		if err != nil {
			err = c.judge(s, err)
			return !errors.As(err, new(errUnprepared)), err
		}
		names[i] = prepared.Name
		c.pipelined[s.text] = true
	}
	pipeline := c.Conn.Conn().PgConn().StartPipeline(ctx)
	for i, s := range statements {
		values := make([][]byte, len(s.args))
		for j, arg := range s.args {
			values[j] = []byte(arg.(string))
		}
		pipeline.SendQueryPrepared(names[i], values, nil, nil)
	}
	err = pipeline.Sync()
	for err == nil {
		results, next := pipeline.GetResults()
		if err = next; err != nil || results == nil {
			break
		}
		if rows, isResult := results.(*pgconn.ResultReader); isResult {
			_, err = rows.Close()
		}
	}
	if closed := pipeline.Close(); err == nil {
		err = closed
	}
	return true, c.judge(statement{}, err) // all are prepared: it may be a pooler, and no statement of them
}
