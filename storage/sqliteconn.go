package storage

import (
	"context"
	"database/sql/driver"
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

// Close is driver.Conn's.
func (c sqliteConn) Close() error {
	c.kept.Purge()
	return c.sqliteDriverConn.Close()
}

// statement returns the prepared statement for a query, and its arguments; nil where the query is asked as it is.
func (c sqliteConn) statement(
	ctx context.Context, query string, args []driver.NamedValue,
) (*keptStatement, []driver.NamedValue, error) {
	if len(args) > 0 {
		return nil, nil, nil
	}
	statements, ok := parameterize(query, sqliteArgument)
	if !ok || len(statements) != 1 || !statements[0].isKept() {
		return nil, nil, nil
	}
	s, found := c.kept.Get(statements[0].text)
	if !found {
		prepared, err := c.PrepareContext(ctx, statements[0].text)
		if err != nil {
			return nil, nil, err
		}
		s = &keptStatement{Stmt: prepared}
		c.kept.Add(statements[0].text, s)
	}
	if s.reading {
		return nil, nil, nil
	}
	for i, arg := range statements[0].args {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return s, args, nil
}

// isKept tells whether a statement comes again and again.
func (s statement) isKept() bool {
	return s.isPlanned() || strings.HasSuffix(s.text, " member") // a savepoint of groupcommit.go
}

// ExecContext is driver.ExecerContext's.
func (c sqliteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	switch s, taken, err := c.statement(ctx, query, args); {
	case err != nil:
		return nil, err
	case s != nil:
		return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, taken)
	}
	return c.sqliteDriverConn.ExecContext(ctx, query, args)
}

// QueryContext is driver.QueryerContext's.
func (c sqliteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	switch s, taken, err := c.statement(ctx, query, args); {
	case err != nil:
		return nil, err
	case s != nil:
		rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, taken)
		if err != nil {
			return nil, err
		}
		s.reading = true
		return keptRows{rows.(sqliteRows), s}, nil
	}
	return c.sqliteDriverConn.QueryContext(ctx, query, args)
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
	if r.of.reading = false; r.of.dropped {
		_ = r.of.Stmt.Close()
	}
	return err
}
