package signin

import (
	"context"
	"sync"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/password"
)

const (
	checkedAtOnce  = 8                // attempts of one source; its others wait for their turn
	keptPerSource  = 200              // attempts of one source that are checked or wait
	keptAltogether = 1000             // attempts of all sources; as many again of those that have few
	turnPatience   = 10 * time.Second // of an attempt that waits
)

// turns keeps the attempts of one source from taking all slots for passwords: few of them are checked at once, whatever
// their number. The zero value is ready. It is of one process, for it shares out what that process has.
type turns struct {
	mu      sync.Mutex
	sources map[string]*sourceTurns
	kept    int
}

type sourceTurns struct {
	checked chan struct{}
	kept    int
}

// turn is one attempt's place.
type turn struct {
	of          *turns
	source      string
	sourceTurns *sourceTurns
	hasher      *password.Hasher // whose slots are for it
	isChecked   bool
}

// enter gives an attempt a place, to be left in the end. It returns password.ErrBusy where the source, or all together,
// have too many.
func (t *turns) enter(source string, hasher *password.Hasher) (*turn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turns := t.sources[source]
	if turns != nil && turns.kept >= checkedAtOnce && (turns.kept >= keptPerSource || t.kept >= keptAltogether) ||
		t.kept >= 2*keptAltogether {
		return nil, password.ErrBusy
	}
	if t.sources == nil {
		t.sources = make(map[string]*sourceTurns)
	}
	if turns == nil {
		turns = &sourceTurns{checked: make(chan struct{}, checkedAtOnce)}
		t.sources[source] = turns
	}
	turns.kept++
	t.kept++
	return &turn{of: t, source: source, sourceTurns: turns, hasher: hasher}, nil
}

// enter gives an attempt its place. A browser that is known to the account waits for no other, and what others do in
// its network does not count.
func (s Attempts) enter(ctx context.Context, known *identity.KnownDevice, device identity.Device) (*turn, error) {
	if known != nil {
		return s.knownTurns.enter(known.ID.String(), s.KnownHasher)
	}
	if err := checkSource(ctx, s.Cache, device); err != nil {
		return nil, err
	}
	return s.turns.enter(device.Source(), s.Hasher)
}

// wait returns when it is the attempt's turn to be checked, or password.ErrBusy where that takes too long.
func (t *turn) wait(ctx context.Context) error {
	timer := time.NewTimer(turnPatience)
	defer timer.Stop()
	select {
	case t.sourceTurns.checked <- struct{}{}:
		t.isChecked = true
		return nil
	case <-timer.C:
		return password.ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish lets the next attempt of the source be checked.
func (t *turn) finish() {
	if t.isChecked {
		<-t.sourceTurns.checked
	}
	t.isChecked = false
}

// leave gives the place back.
func (t *turn) leave() {
	t.finish()
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.of.kept--
	if t.sourceTurns.kept--; t.sourceTurns.kept == 0 {
		delete(t.of.sources, t.source)
	}
}
