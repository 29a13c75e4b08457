package storage

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// OneTimeMark says that something which works once was used. It is a row, so that every replica refuses it from then
// on. Make one with NewOneTimeMark.
type OneTimeMark struct {
	bun.BaseModel `bun:"table:one_time_marks"`

	Hash      []byte    `bun:"hash,pk"`
	Purpose   string    `bun:"purpose"`
	ExpiresAt time.Time `bun:"expires_at"`
}

// ErrUsedBefore says that a mark was set already.
var ErrUsedBefore = errors.New("this works once, and was used before")

// NewOneTimeMark returns the mark of value among those of purpose, which is one line. It is kept until expiresAt at
// least: from then on something else must refuse the value.
func NewOneTimeMark(purpose, value string, expiresAt time.Time) *OneTimeMark {
	return &OneTimeMark{Hash: Digest(purpose + "\n" + value), Purpose: purpose, ExpiresAt: expiresAt}
}

// Set sets the mark as part of tx. It returns ErrUsedBefore, and tx can go on then: of several at once one sets it,
// and the others wait for its commit.
func (m *OneTimeMark) Set(ctx context.Context, tx bun.Tx) error {
	return m.insert(ctx, tx)
}

// Mark sets a mark that belongs to no other change. It returns ErrUsedBefore.
func (d *Database) Mark(ctx context.Context, m *OneTimeMark) error {
	if d.Kind != Postgres {
		return d.Write(ctx, m.Set)
	}
	// One statement is one transaction, and one round trip.
	return untilItPasses(ctx, ofQueries, func() (again bool, err error) {
		err = connected(ctx, d, func(ctx context.Context, conn bun.Conn) error { return m.insert(ctx, conn) })
		return undone(err), err
	})
}

// marksKept is for how long marks are kept after they have expired: a replica whose clock is behind may still take what
// they are of for fresh.
const marksKept = time.Minute

// ForgetMarks deletes the marks that have expired a while ago, in bounded batches, and returns how many there were.
func ForgetMarks(ctx context.Context, d *Database, now time.Time) (int64, error) {
	return d.DeleteBatches(ctx, "one_time_marks", "hash", "expires_at < ?", now.Add(-marksKept))
}

func (m *OneTimeMark) insert(ctx context.Context, on bun.IDB) error {
	result, err := on.NewInsert().Model(m).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = ErrUsedBefore
	}
	return err
}
