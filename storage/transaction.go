package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// Write runs do in one transaction, and returns what do returned once that is committed. Where do returns an error
// all is rolled back, unless it is made by Refuse; then, and where the commit fails, Write returns the zero value and
// the error.
//
// do must use tx for every query and must not do slow work: no network, no password hashing, no signing. It is called
// again where the transaction failed before its commit for a reason that passes (failover.go), so nothing may leave
// it but its result: it sets no variable from outside and changes nothing that a pointer from outside leads to.
func Write[T any](ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) (T, error)) (T, error) {
	return write(ctx, d, transact, do)
}

// transactor runs do in a transaction.
type transactor func(ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) error) error

func write[T any](
	ctx context.Context, d *Database, transact transactor, do func(ctx context.Context, tx bun.Tx) (T, error),
) (T, error) {
	var result T
	attempt := 0
	var refused *refusal
	err := untilItPasses(ctx, ofQueries, func() (again bool, err error) {
		attempt++
		committing := false
		err = countAfter(ctx, func(ctx context.Context) error {
			return transact(ctx, d, func(ctx context.Context, tx bun.Tx) (err error) {
				err = toItsEnd(ctx, tx, func(ctx context.Context, tx bun.Tx) (err error) {
					result, err = do(ctx, tx)
					if refused = nil; errors.As(err, &refused) {
						err = nil
					}
					return err
				})
				if d.rehearse != nil {
					if failed := d.rehearse(ctx, tx, attempt); failed != nil {
						return failed
					}
				}
				committing = err == nil
				return err
			})
		})
		return !committing || undone(err), err
	})
	noteFailure(d, err)
	if err == nil && refused != nil {
		err = refused.reason
	}
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// Write is the function of that name for transactions that return nothing.
func (d *Database) Write(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	_, err := Write(ctx, d, func(ctx context.Context, tx bun.Tx) (struct{}, error) { return struct{}{}, do(ctx, tx) })
	return err
}

// WriteMuch is Database.Write for a transaction that may change very many rows.
func WriteMuch(ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) error) error {
	_, err := WriteAlone(ctx, d,
		func(ctx context.Context, tx bun.Tx) (struct{}, error) { return struct{}{}, do(ctx, tx) })
	return err
}

// WriteAlone is Write for a transaction that may change very many rows, or that is there to be rolled back.
func WriteAlone[T any](
	ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) (T, error),
) (T, error) {
	return write(ctx, d, transactAlone, do)
}

// Refuse is returned by a transaction that refuses what was asked and keeps what it has written, such as a failed
// attempt or the end of a family of tokens: it is committed, and Write returns reason as it is.
func Refuse(reason error) error { return &refusal{reason} }

type refusal struct{ reason error }

func (r *refusal) Error() string { return r.reason.Error() }
func (r *refusal) Unwrap() error { return r.reason }

// transact is a transactor: on SQLite others share the transaction, as they share its writer.
func transact(ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) error) error {
	if d.Kind == SQLite {
		return d.groups.run(ctx, d.writer, do)
	}
	return connected(ctx, d, func(ctx context.Context, conn bun.Conn) error { return conn.RunInTx(ctx, nil, do) })
}

// transactAlone is a transactor: nobody shares the transaction.
func transactAlone(ctx context.Context, d *Database, do func(ctx context.Context, tx bun.Tx) error) error {
	if d.Kind == SQLite {
		return d.groups.runAlone(ctx, d.writer, do)
	}
	return transact(ctx, d, do)
}

// connected runs do on a connection for writing. It gives up waiting for one when ctx ends. Once there is one, do goes
// on though its caller may have gone, for a write must not be cut in the middle.
func connected(ctx context.Context, d *Database, do func(ctx context.Context, conn bun.Conn) error) error {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := Outlasting(ctx)
	defer cancel()
	err = do(ctx, conn)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// transactionPatience is how long a transaction may take.
const transactionPatience = 30 * time.Second

// Outlasting returns a context for what must be brought to its end though its caller goes away. It ends when the time
// of ctx is over, if that is limited, and after half a minute at the latest.
func Outlasting(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(transactionPatience)
	if deadline, limited := ctx.Deadline(); limited && deadline.Before(end) {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

// maxUndone is how often a transaction is run again at once that was undone with others.
const maxUndone = 20

// untilItPasses calls try until it succeeds, fails for good or the time for it is over. try tells whether it may be
// called again.
func untilItPasses(ctx context.Context, may retries, try func() (again bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, may.all)
	defer cancel()
	undone := 0 // by the fault of others, however long they took
	for pause := may.pause; ; pause = max(10*time.Millisecond, min(2*pause, may.longestPause)) {
		again, err := try()
		if undone++; again && errors.Is(err, errGroupUndone) && undone <= maxUndone {
			continue
		}
		if err == nil || !again || !passes(err) || !pausing(ctx, pause) {
			return err
		}
	}
}
