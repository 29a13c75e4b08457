package identity

import (
	"time"

	"github.com/wicket-id/wicket/storage"
)

// Store is the identity store. Its fields are what it leans on; set all of them.
type Store struct {
	Database *storage.Database
	Memory   *storage.Memory
	Hasher   *Hasher
	Now      func() time.Time // UTC, to the microsecond: see Clock

	SessionLifetime time.Duration // a session ends this long after it began, whatever happens
	SessionIdle     time.Duration // and this long after it was last seen
	MaxFailures     int64         // wrong passwords in a row after which an account is locked
	LockDuration    time.Duration // for this long
}

// Clock is the wall clock as rows hold it: UTC, to the microsecond.
func Clock() time.Time {
	return time.Now().UTC().Truncate(time.Microsecond)
}
