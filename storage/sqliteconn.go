package storage

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"modernc.org/sqlite"
)

// SQLite parses and plans a text each time that it is asked; a third of what a write costs is that. So each connection
// keeps its statements, prepared without their arguments.

// keptStatements is how many statements a connection keeps.
const keptStatements = 300

// sqliteConnector opens connections that keep their statements.
type sqliteConnector struct{ driver.Connector }

func newSQLiteConnector(dsn string) (driver.Connector, error) {
	opens, err := sqlite.NewConnector(dsn)
	return sqliteConnector{opens}, err
}

// Connect is driver.Connector's.
func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := simplelru.NewLRU(keptStatements, func(_ string, s *keptStatement) { s.drop() })
	if err != nil {
		return nil, err
	}
	return sqliteConn{opened.(sqliteDriverConn), kept}, nil
}

// sqliteDriverConn is what a connection of the driver can do for database/sql.
type sqliteDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteConn struct {
	sqliteDriverConn

	kept *simplelru.LRU[string, *keptStatement]
}

// keptStatement is a prepared statement of one connection, which does one thing at a time.
type keptStatement struct {
	driver.Stmt

	reading bool // its last answer is still read
	dropped bool // it is closed once that has been read
}

func (s *keptStatement) drop() {
	if s.dropped = true; !s.reading {
		_ = s.Close()
	}
}

// end says that the last answer has been read.
func (s *keptStatement) end() {
	if s.reading = false; s.dropped {
		_ = s.Close()
	}
}

// Close is driver.Conn's.
func (c sqliteConn) Close() error {
	c.kept.Purge()
	return c.sqliteDriverConn.Close()
}

// statements returns the statements of a query with their arguments taken out; none where it is asked as it is.
func (c sqliteConn) statements(query string, args []driver.NamedValue) []statement {
	if len(args) > 0 {
		return nil
	}
	statements, ok := parameterize(query, sqliteArgument)
	if !ok || slices.ContainsFunc(statements, func(s statement) bool { return !s.isKept() }) {
		return nil
	}
	return statements
}

// isKept tells whether a statement comes again and again.
func (s statement) isKept() bool {
	return s.isPlanned() || strings.HasSuffix(s.text, " member") // a savepoint of groupcommit.go
}

// prepare returns a statement prepared, and its arguments. One whose last answer is still read is prepared once more,
// and not kept.
func (c sqliteConn) prepare(ctx context.Context, s statement) (*keptStatement, []driver.NamedValue, error) {
	kept, found := c.kept.Get(s.text)
	if !found || kept.reading {
		prepared, err := c.PrepareContext(ctx, s.text)
		if err != nil {
			return nil, nil, err
		}
		kept = &keptStatement{Stmt: prepared, dropped: found}
		if !found {
			c.kept.Add(s.text, kept)
		}
	}
	args := make([]driver.NamedValue, len(s.args))
	for i, arg := range s.args {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return kept, args, nil
}

// ExecContext is driver.ExecerContext's.
func (c sqliteConn) ExecContext(
	ctx context.Context, query string, args []driver.NamedValue,
) (result driver.Result, err error) {
	statements := c.statements(query, args)
	if statements == nil {
		return c.sqliteDriverConn.ExecContext(ctx, query, args)
	}
	for _, s := range statements {
		prepared, args, err := c.prepare(ctx, s)
		if err != nil {
			return nil, err
		}
		result, err = prepared.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		if prepared.end(); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// QueryContext is driver.QueryerContext's.
func (c sqliteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	statements := c.statements(query, args)
	if len(statements) != 1 {
		return c.sqliteDriverConn.QueryContext(ctx, query, args)
	}
	prepared, args, err := c.prepare(ctx, statements[0])
	if err != nil {
		return nil, err
	}
	prepared.reading = true
	rows, err := prepared.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		prepared.end()
		return nil, err
	}
	return keptRows{rows.(sqliteRows), prepared}, nil
}

// sqliteRows is what an answer of the driver can do for database/sql.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeScanType
}

// keptRows is an answer of a statement that is kept.
type keptRows struct {
	sqliteRows

	of *keptStatement
}

// Close is driver.Rows'.
func (r keptRows) Close() error {
	err := r.sqliteRows.Close()
	r.of.end()
	return err
}
