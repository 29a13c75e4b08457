package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// PostgreSQL is restarted, fails over to a replica or ends connections now and then. What was asked is asked again, on
// another connection and within a budget, wherever it is certain that it was not done: a query that only reads, a
// transaction that failed before its commit. What broke in its commit may have been done, and is an error.

// outagePatience is the budget: what is asked in an outage waits until it has lasted that long, and then fails at once
// until it ends.
const outagePatience = 10 * time.Second

// retries says for how long something is tried again, and how long the pauses are: the first, and at the most.
type retries struct{ all, pause, longestPause time.Duration }

// ofQueries tries at once, for another connection may do, and then a little later each time.
var ofQueries = retries{outagePatience, 0, 500 * time.Millisecond}

// passes tells whether an error is one that passes: the server ends the connection, is starting or stopping, has none
// to give, was demoted to a replica, or transactions were in each other's way.
func passes(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "40001", "40P01", "55P03", // serialization_failure, deadlock_detected, lock_not_available
			"53300", "53400", // too_many_connections, configuration_limit_exceeded
			"57P01", "57P02", "57P03", // admin_shutdown, crash_shutdown, cannot_connect_now
			readOnly:
			return true
		}
		return strings.HasPrefix(said.Code, "08") || // connection exceptions
			planChanged(said) || errors.As(err, new(errUnprepared))
	}
	var network *net.OpError
	return isBusy(err) || errors.Is(err, errGroupUndone) || pgconn.SafeToRetry(err) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}

const readOnly = "25006" // SQLSTATE read_only_sql_transaction

// pausing waits for about that long, and tells whether there is time left.
func pausing(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause/2 + rand.N(max(pause, 1)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// connector opens connections, and waits for a server that is away.
type connector struct {
	config  atomic.Pointer[pgx.ConnConfig] // with which the next connection is opened
	timeout time.Duration                  // of a query of a request

	// the texts of statements that PostgreSQL understands only with their arguments in them
	unprepared *lru.Cache[string, bool]
	pooled     atomic.Bool // a pooler was noticed, so nothing is prepared any more

	mu    sync.Mutex
	since time.Time // of the outage, zero where there is none
}

const maxUnprepared = 500 // texts; some have numbers in them

// newConnector waits for no server that it has never seen: a wrong URL is to be said at once.
func newConnector(config *pgx.ConnConfig, timeout time.Duration) *connector {
	unprepared, err := lru.New[string, bool](maxUnprepared)
	if err != nil {
		panic(err) // only for a size below one
	}
	c := &connector{timeout: timeout, unprepared: unprepared, since: time.Unix(0, 0)}
	c.config.Store(config)
	return c
}

// Driver is driver.Connector's.
func (*connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// Connect is driver.Connector's.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	asks := true
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		opened, err := stdlib.GetConnector(*c.config.Load()).Connect(ctx)
		if err != nil && ctx.Err() != nil { // which says nothing of the server
			return nil, err
		}
		if c.waited(err) >= outagePatience || err != nil && (!passes(err) || !pausing(ctx, pause)) {
			return nil, err
		}
		if err == nil {
			opened := opened.(*stdlib.Conn)
			prepares := asks && c.mayPrepare(ctx, opened.Conn())
			if opened.Conn().IsClosed() { // by a question that nobody answered: the next one is not asked
				asks = false
				continue
			}
			return conn{opened, c, prepares, make(map[string]bool)}, nil
		}
	}
}

// mayPrepare tells whether statements may be prepared on a connection. They stay with the server's process, which is
// not the one that was connected to where a pooler such as PgBouncer stands between: then every transaction may have
// another. statement_cache_capacity=0 in the URL says no, too.
func (c *connector) mayPrepare(ctx context.Context, opened *pgx.Conn) bool {
	if opened.Config().StatementCacheCapacity == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a pooler may have no server to ask just now
	defer cancel()
	var process uint32
	err := opened.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&process)
	return err == nil && process == opened.PgConn().PID()
}

// waited notes how an attempt ended and tells how long the outage has lasted.
func (c *connector) waited(err error) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.since = time.Time{}
		return 0
	case c.since.IsZero():
		c.since = time.Now()
	}
	return time.Since(c.since)
}

// conn is a connection that tells database/sql when a query may be asked on another one, and ends those that take too
// long.
type conn struct {
	*stdlib.Conn

	connector *connector
	prepares  bool
	pipelined map[string]bool // the texts that pipeline has prepared here
}

// ResetSession is driver.SessionResetter's: the connection is somebody else's from now on.
func (c conn) ResetSession(ctx context.Context) error {
	if err := c.Conn.Conn().PgConn().Conn().SetDeadline(time.Time{}); err != nil {
		return driver.ErrBadConn
	}
	return c.Conn.ResetSession(ctx)
}

// bound gives a query outside a transaction an end of its own where what it belongs to has one too, as a request does,
// or its caller cannot end it. What was asked is cancelled on the server, and the connection closed.
func (c conn) bound(ctx context.Context, alone bool) {
	if _, ends := ctx.Deadline(); alone && (ends || ctx.Done() == nil) {
		_ = c.Conn.Conn().PgConn().Conn().SetDeadline(time.Now().Add(c.connector.timeout)) // if it fails so does the query
	}
}

// QueryContext is driver.QueryerContext's.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	alone := c.isAlone()
	c.bound(ctx, alone)
	closed, reads := c.Conn.Conn().IsClosed(), strings.HasPrefix(query, "SELECT")
	rows, err := c.query(ctx, query, args)
	c.leave(err)
	switch {
	case alone && reads && !errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil && passes(err):
		return nil, driver.ErrBadConn
	case !closed && !reads && errors.Is(err, driver.ErrBadConn):
		return nil, errBroken
	}
	return rows, err
}

func (c conn) query(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if s, taken, ok := c.prepared(query); ok && len(args) == 0 {
		rows, err := c.Conn.QueryContext(ctx, s.text, taken)
		if err = c.judge(s, err); !errors.As(err, new(errUnprepared)) || !c.isAlone() {
			return rows, err
		}
	}
	return c.Conn.QueryContext(ctx, query, args)
}

// ExecContext is driver.ExecerContext's.
func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.bound(ctx, c.isAlone())
	closed := c.Conn.Conn().IsClosed()
	result, err := c.exec(ctx, query, args)
	c.leave(err)
	if !closed && errors.Is(err, driver.ErrBadConn) {
		err = errBroken
	}
	return result, err
}

// errBroken is of a connection that broke after something was sent, or may have been. pgx and its driver call it one
// that was closed before, and database/sql would ask again what may be done already.
var errBroken = fmt.Errorf("the connection to the database broke: %w", io.ErrUnexpectedEOF)

func (c conn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if ctx.Value(inOneTrip{}) != nil {
		if done, err := c.pipeline(ctx, query); done || err != nil {
			return driver.RowsAffected(0), err
		}
	}
	if s, taken, ok := c.prepared(query); ok && len(args) == 0 {
		result, err := c.Conn.ExecContext(ctx, s.text, taken)
		if err = c.judge(s, err); !errors.As(err, new(errUnprepared)) || !c.isAlone() {
			return result, err
		}
	}
	return c.Conn.ExecContext(ctx, query, args)
}

// isAlone tells whether what is asked next is outside a transaction.
func (c conn) isAlone() bool { return c.Conn.Conn().PgConn().TxStatus() == 'I' }

// leave closes a connection to a server that was demoted, or whose prepared statements are too old, or the pool would
// offer it again.
func (c conn) leave(err error) {
	var said *pgconn.PgError
	if errors.As(err, &said) && (said.Code == readOnly || planChanged(said)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Conn.Conn().Close(ctx)
	}
}
