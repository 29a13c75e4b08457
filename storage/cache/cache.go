package cache

import (
	"context"
	"time"
)

// Cache keeps counters and allowances. It holds nothing that cannot be lost, so its verbs return
// no error: whatever happens, they answer. Local is one process's own; Redis is shared by all replicas.
type Cache interface {
	// Count adds one to the counter of key and returns its new value. The counter begins with the first call and is
	// forgotten window after it.
	Count(ctx context.Context, key string, window time.Duration) int64

	// Peek returns the counter of key without counting.
	Peek(ctx context.Context, key string) int64

	// Uncount takes one back from the counter of key.
	Uncount(ctx context.Context, key string)

	// Forget drops the counter of key.
	Forget(ctx context.Context, key string)

	// Take takes one from the allowance of key. It returns zero if there was one to take, or how long it will be until
	// there is.
	Take(ctx context.Context, key string, rate Rate) (wait time.Duration)
}

// Rate is an allowance: N in the time Per, all of which may be spent at once. What was spent comes back evenly (GCRA,
// the leaky bucket seen as a meter), so that no border between two windows lets twice as much through.
type Rate struct {
	N   int64
	Per time.Duration
}

// interval is how long it takes one of N to come back, in whole microseconds: the finest that Redis counts in.
func (r Rate) interval() time.Duration {
	return (r.Per / time.Duration(r.N)).Truncate(time.Microsecond)
}

// capacity is how long it takes all of them.
func (r Rate) capacity() time.Duration { return r.interval() * time.Duration(r.N) }
