package password

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/wicket-id/wicket/identity/refusal"
)

// ErrBusy says that too many passwords are being checked. Another try a moment later may find fewer.
var ErrBusy = refusal.New("password.busy", "too many passwords are being checked")

// waitingPerSlot is how many may wait for each slot: about a second's work. Who comes then is told to come again at
// once, because those who wait cost memory and would be answered after their browser has given up.
const waitingPerSlot = 40

// slots bounds how many passwords are hashed at once, and how many wait for it and for how long.
type slots struct {
	running  chan struct{}
	waiting  atomic.Int64
	patience time.Duration
}

func newSlots(parallel int, patience time.Duration) *slots {
	return &slots{running: make(chan struct{}, parallel), patience: patience}
}

// acquire waits for a slot. It returns ErrBusy where too many wait already, or none came free in time.
func (s *slots) acquire(ctx context.Context) (release func(), err error) {
	release = func() { <-s.running }
	select {
	case s.running <- struct{}{}:
		return release, nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(cap(s.running)*waitingPerSlot) {
		return nil, ErrBusy
	}
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case s.running <- struct{}{}:
		return release, nil
	case <-timer.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// load tells how many slots are taken and how many wait for one.
func (s *slots) load() (running, waiting int) { return len(s.running), int(s.waiting.Load()) }
