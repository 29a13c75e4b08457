package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
)

// Upstreams are the providers that Wicket trusts. Set all exported fields.
type Upstreams struct {
	Issuer   string // our own
	Database *storage.Database
	Cache    cache.Cache // of limits
	Seal     *seal.Seal
	Identity *identity.Store
	Named    func() []Provider // those that the configuration has, checked
	Now      func() time.Time

	reads singleflight.Group // requests that wait for the same share one question, and each waits no longer than it wants

	mu         sync.Mutex
	active     []Provider
	readAt     time.Time
	discovered map[string]*discovered
}

const providersKept = 5 * time.Second // after that every process knows a provider that was added

// Active lists the providers with which people can sign in now.
func (u *Upstreams) Active(ctx context.Context) ([]Provider, error) {
	u.mu.Lock()
	active, readAt, now := u.active, u.readAt, u.Now()
	u.mu.Unlock()
	if !readAt.IsZero() && now.Sub(readAt) < providersKept {
		return active, nil
	}
	return shared(ctx, u, "active", func(ctx context.Context) ([]Provider, error) {
		return u.readActive(ctx, now, readAt)
	})
}

// readActive reads them anew. What was forgotten meanwhile is not put back.
func (u *Upstreams) readActive(ctx context.Context, now, before time.Time) ([]Provider, error) {
	all, err := u.All(ctx)
	if err != nil {
		return nil, err
	}
	var active []Provider
	for _, p := range all {
		if p.IsActive && p.kind() != nil { // a later version may know more kinds
			active = append(active, p)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.readAt.Equal(before) {
		u.active, u.readAt = active, now
	}
	return active, nil
}

// shared returns what read returns, or why ctx ended before. Of those who ask by the same key at one time one asks, and
// all wait for the answer; that they go away does not end it.
func shared[T any](ctx context.Context, u *Upstreams, key string, read func(context.Context) (T, error)) (T, error) {
	answer := u.reads.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTakes)
		defer cancel()
		return read(ctx)
	})
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case result := <-answer:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(T), nil
	}
}

// sharedTakes is how long a question may take that several wait for.
const sharedTakes = 15 * time.Second

// Provider returns the provider with that id, if people can sign in with it now, or storage.ErrNotFound.
func (u *Upstreams) Provider(ctx context.Context, id string) (*Provider, error) {
	active, err := u.Active(ctx)
	if err != nil {
		return nil, err
	}
	for i := range active {
		if active[i].ID == id {
			return &active[i], nil
		}
	}
	return nil, fmt.Errorf("provider %s: %w", id, storage.ErrNotFound)
}

// forget empties the cache of Active.
func (u *Upstreams) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.readAt = time.Time{}
	u.reads.Forget("active")
}

// Expire deletes rows that have expired, and returns how many of each table.
func (u *Upstreams) Expire(ctx context.Context) (map[string]int64, error) {
	deleted := make(map[string]int64)
	var faults []error
	for table, key := range map[string]string{"upstream_requests": "state_hash", "arrivals": "secret_hash"} {
		n, err := u.Database.DeleteBatches(ctx, table, key, "expires_at < ?", u.Now())
		deleted[table] = n
		faults = append(faults, err)
	}
	return deleted, errors.Join(faults...)
}

// SealedColumns are the columns of this package that are sealed with the master key, but for those of rows that expire
// within an hour.
var SealedColumns = []seal.SealedColumn{
	{Table: "providers", Key: "id", Column: "sealed_secret", Purpose: sealForProviders},
}
