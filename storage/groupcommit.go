package storage

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
)

// SQLite has one writer, and each commit waits for the disk. So transactions that wait for each other share one: the
// first begins it, each is a savepoint in it, and the last commits. None is answered before that.

const (
	groupSize = 64                    // transactions that share a commit, at the most
	groupTime = 20 * time.Millisecond // for which a group takes in others
)

// groupCommits is the queue of those who write.
type groupCommits struct {
	turn     chan struct{} // holds a value while somebody writes or commits
	waiting  atomic.Int64  // those who want to
	open     *commitGroup  // for whoever has the turn
	patience time.Duration // how long a transaction may take
}

func newGroupCommits() *groupCommits {
	return &groupCommits{turn: make(chan struct{}, 1), patience: transactionPatience}
}

// commitGroup is a transaction of SQLite in which several of ours are.
type commitGroup struct {
	tx      bun.Tx
	finish  context.CancelFunc
	begun   time.Time
	members int
	ended   chan struct{} // closed when err says how
	err     error
}

// errGroupUndone says that SQLite has undone the whole group, as it does where a write is interrupted or the disk is
// full. Whoever was in it runs again.
var errGroupUndone = errors.New("the group of transactions was undone")

// run runs do in a transaction and returns when that is committed, or was rolled back because do failed: then with the
// error of do. It gives up waiting for its turn when ctx ends; what has begun goes on, though its caller may have gone
// and its time may be over, for others share the transaction.
func (g *groupCommits) run(ctx context.Context, writer *bun.DB, do func(ctx context.Context, tx bun.Tx) error) error {
	if err := g.awaitTurn(ctx); err != nil {
		return err
	}
	group, err := g.join(ctx, writer)
	if err != nil {
		<-g.turn
		return err
	}
	undid, err := g.member(ctx, group, do)
	<-group.ended
	if group.err != nil && (err == nil || !undid) { // what a refusal has read was not kept either
		return group.err
	}
	return err
}

// runAlone is run for what writes much: it shares with nobody, so that nobody waits for it who came before, and what it
// sets aside is in a file.
func (g *groupCommits) runAlone(
	ctx context.Context, writer *bun.DB, do func(ctx context.Context, tx bun.Tx) error,
) error {
	if err := g.awaitTurn(ctx); err != nil {
		return err
	}
	defer func() { <-g.turn }()
	if g.open != nil {
		g.commit()
	}
	return settingAside(ctx, writer, func(conn bun.Conn) error {
		ctx, cancel := Outlasting(ctx)
		defer cancel()
		return conn.RunInTx(ctx, nil, do)
	})
}

// settingAside runs do on the connection that writes, which meanwhile keeps in a file what it sets aside for a rollback
// of a part: in memory that might be all that a large transaction changes.
func settingAside(ctx context.Context, writer *bun.DB, do func(conn bun.Conn) error) error {
	conn, err := writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA temp_store = FILE"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA temp_store = MEMORY") }()
	return do(conn)
}

// awaitTurn returns when it is the caller's turn, or with the reason why ctx ended before.
func (g *groupCommits) awaitTurn(ctx context.Context) error {
	g.waiting.Add(1)
	select {
	case g.turn <- struct{}{}:
		g.waiting.Add(-1)
		if ctx.Err() == nil {
			return nil
		}
		<-g.turn
	case <-ctx.Done():
		g.waiting.Add(-1)
	}
	go g.settle()
	return ctx.Err()
}

// settle commits a group that was left open for one who gave up.
func (g *groupCommits) settle() {
	g.turn <- struct{}{}
	if g.open != nil && g.waiting.Load() == 0 {
		g.commit()
	}
	<-g.turn
}

// join returns the group that is open, or begins one.
func (g *groupCommits) join(ctx context.Context, writer *bun.DB) (*commitGroup, error) {
	if g.open != nil {
		return g.open, nil
	}
	// The transaction may outlast the time of whoever begins it; waiting for it may not.
	lasting, finish := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, finish)
	tx, err := writer.BeginTx(lasting, nil)
	if !stop() { // the time was over meanwhile
		if err == nil {
			_ = tx.Rollback()
		}
		err = ctx.Err()
	}
	if err != nil {
		finish()
		return nil, err
	}
	g.open = &commitGroup{tx: tx, finish: finish, begun: time.Now(), ended: make(chan struct{})}
	return g.open, nil
}

// member runs do in a savepoint of a group, gives the turn back, and leaves the group open for those who wait. undid
// says that SQLite has undone the group because of do.
func (g *groupCommits) member(
	ctx context.Context, group *commitGroup, do func(ctx context.Context, tx bun.Tx) error,
) (undid bool, err error) {
	defer func() { <-g.turn }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.patience)
	defer cancel()
	keeps := false
	defer func() { // also where do panics
		if fault := group.leave(context.WithoutCancel(ctx), keeps); fault != nil {
			undid = true
			_ = group.tx.Rollback()
			g.end(fmt.Errorf("%w: %w", errGroupUndone, fault))
		} else if g.waiting.Load() == 0 || group.members >= groupSize || time.Since(group.begun) > groupTime {
			g.commit()
		}
	}()
	if _, err = group.tx.ExecContext(ctx, "SAVEPOINT member"); err != nil {
		return false, err
	}
	err = do(ctx, group.tx)
	keeps = err == nil
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return false, err
}

// leave ends the savepoint of a member, whose work is kept or not. It fails where the group is undone already.
func (c *commitGroup) leave(ctx context.Context, keeps bool) error {
	if keeps {
		c.members++
	} else if _, err := c.tx.ExecContext(ctx, "ROLLBACK TO member"); err != nil {
		return err
	}
	_, err := c.tx.ExecContext(ctx, "RELEASE member")
	return err
}

// commit ends the group that is open and keeps what its members have done.
func (g *groupCommits) commit() {
	if g.open.members == 0 {
		_ = g.open.tx.Rollback()
		g.end(nil)
		return
	}
	g.end(g.open.tx.Commit())
}

// end tells the members of the group that is open how it ended.
func (g *groupCommits) end(err error) {
	group := g.open
	g.open = nil
	group.finish()
	group.err = err
	close(group.ended)
}
