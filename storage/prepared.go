package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL plans a statement in several times the time that it takes to run it, unless it is prepared. bun writes
// arguments into the text, so that no two texts are alike. Here, below it, they are taken out again: what is left is
// prepared once for each connection, and planned seldom. So every query of every package is, and none has to know.

// statement is a statement whose text literals are arguments, in their order: $1 and so on.
type statement struct {
	text string
	args []string
}

// maxArguments is how many arguments are taken out of one statement: those of bulk inserts come but once.
const maxArguments = 500

// parameterize takes the text literals out of statements that are separated by semicolons. ok is false for what bun
// does not write and this does not read: comments, dollar quotes, other prefixes, arguments that are out already.
func parameterize(query string) (statements []statement, ok bool) {
	var text strings.Builder
	var args []string
	end := func() {
		if strings.TrimSpace(text.String()) != "" {
			statements = append(statements, statement{strings.TrimSpace(text.String()), args})
		}
		text.Reset()
		args = nil
	}
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == ';':
			end()
		case c == '"':
			name, found := quoted(query[i:])
			if !found {
				return nil, false
			}
			text.WriteString(query[i : i+name])
			i += name - 1
		case c == '\'':
			literal, found := quoted(query[i:])
			if !found || i > 0 && isWord(query[i-1]) || len(args) == maxArguments {
				return nil, false
			}
			if isTypeName(query[:i]) {
				text.WriteString(query[i : i+literal])
			} else {
				args = append(args, strings.ReplaceAll(query[i+1:i+literal-1], "''", "'"))
				text.WriteString("$" + strconv.Itoa(len(args)))
			}
			i += literal - 1
		case c == '$', c == '-' && strings.HasPrefix(query[i:], "--"), c == '/' && strings.HasPrefix(query[i:], "/*"):
			return nil, false
		default:
			text.WriteByte(c)
		}
	}
	end()
	return statements, len(statements) > 0
}

// quoted returns how long the quoted text is that s begins with, its quotes included: a quote in it is doubled.
func quoted(s string) (length int, found bool) {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1, true
	}
	return 0, false
}

func isWord(c byte) bool {
	return c == '_' || c == '&' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isTypeName tells whether what stands before a literal is the name of its type, as in INTERVAL '1 day': such a literal
// cannot be an argument.
func isTypeName(before string) bool {
	before = strings.TrimRight(before, " \n\t")
	word := before[strings.LastIndexFunc(before, func(r rune) bool { return r > 127 || !isWord(byte(r)) })+1:]
	switch strings.ToLower(word) {
	case "interval", "timestamp", "timestamptz", "date", "time":
		return true
	}
	return false
}

// isPlanned tells whether a statement is one that PostgreSQL plans.
func (s statement) isPlanned() bool {
	for _, verb := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"} {
		if strings.HasPrefix(s.text, verb) {
			return true
		}
	}
	return false
}

// mayPrepare tells whether statements may be prepared on the connection: see connector.mayPrepare, and judge.
func (c conn) mayPrepare() bool { return c.prepares && !c.connector.pooled.Load() }

// prepared returns how a query is asked with its arguments taken out; ok is false where it is asked as it is.
func (c conn) prepared(query string) (s statement, args []driver.NamedValue, ok bool) {
	if !c.mayPrepare() {
		return s, nil, false
	}
	statements, ok := parameterize(query)
	if !ok || len(statements) != 1 || len(statements[0].args) == 0 || !statements[0].isPlanned() {
		return s, nil, false
	}
	s = statements[0]
	if _, refused := c.connector.unprepared.Load(s.text); refused {
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
		c.connector.unprepared.Store(s.text, true)
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

// inOneTrip marks a context in which several statements, outside a transaction, are one: see script.
type inOneTrip struct{}

// pipeline runs several prepared statements as one transaction, in one round trip. It returns false, and has done
// nothing, where they cannot be prepared.
func (c conn) pipeline(ctx context.Context, query string) (done bool, err error) {
	statements, ok := parameterize(query)
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
		if _, refused := c.connector.unprepared.Load(s.text); refused || !s.isPlanned() {
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
			values[j] = []byte(arg)
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
