// Package clock tells the time that all replicas share.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wicket-id/wicket/storage"
)

// Clock is the time that all replicas share. It is the machine's own as long as that agrees with the database's, and
// the database's otherwise: what lives for a minute by one replica's clock must not be dead by another's.
type Clock struct {
	database *storage.Database
	machine  func() time.Time
	log      *slog.Logger
	ahead    atomic.Int64 // by how many nanoseconds the database's clock is ahead of the machine's; 0: they agree
}

const (
	// tolerance is how far two clocks may be apart and be said to agree.
	tolerance = time.Second
	// compared is how often the two are compared.
	compared = time.Minute
	// asks is how often the database is asked for each comparison. The quickest answer counts: what it took is how
	// wrong the difference may be, and a connection may have to be made first.
	asks = 4
)

// New compares the two clocks once. machine is this machine's, in UTC.
func New(
	ctx context.Context, database *storage.Database, machine func() time.Time, log *slog.Logger,
) (*Clock, error) {
	c := &Clock{database: database, machine: machine, log: log}
	return c, c.compare(ctx)
}

// Now returns the time, in UTC.
func (c *Clock) Now() time.Time { return c.machine().Add(time.Duration(c.ahead.Load())) }

// Watch compares the clocks every minute until ctx ends: a machine may wake up late, and a database may move to another
// one.
func (c *Clock) Watch(ctx context.Context) {
	ticker := time.NewTicker(compared)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := c.compare(ctx); err != nil && ctx.Err() == nil {
				c.log.Error("compare the clock with the database's; it goes on as before", "error", err)
			}
		}
	}
}

// compare asks the database for its time. An embedded database has the machine's.
func (c *Clock) compare(ctx context.Context) error {
	if c.database.Kind == storage.SQLite {
		return nil
	}
	var ahead, shortest time.Duration
	for n := range asks {
		var there time.Time
		asked := c.machine()
		if err := c.database.Reader().NewRaw("SELECT clock_timestamp()").Scan(ctx, &there); err != nil {
			return fmt.Errorf("ask the database for its time: %w", err)
		}
		answered := c.machine()
		if took := answered.Sub(asked); n == 0 || took < shortest {
			ahead, shortest = aheadBy(there, asked, answered), took
		}
	}
	if before := time.Duration(c.ahead.Swap(int64(ahead))); (before - ahead).Abs() > tolerance {
		if ahead == 0 {
			c.log.Info("this machine's clock agrees with the database's again")
		} else {
			c.log.Warn(
				"this machine's clock is wrong, or the database's is; all replicas go by the database's", "machine_ahead", -ahead,
			)
		}
	}
	return nil
}

// aheadBy is by how much a clock is ahead of the one that said asked before it was read and answered after it: 0 where
// the two may well agree.
func aheadBy(read, asked, answered time.Time) time.Duration {
	if read.After(asked.Add(-tolerance)) && read.Before(answered.Add(tolerance)) {
		return 0
	}
	return read.Sub(asked.Add(answered.Sub(asked) / 2)).Truncate(time.Microsecond) // the databases keep no finer times
}
