package cache

import (
	"context"
	"sync"
	"time"
)

// Local is the Memory of one process. It is bounded by time, for every key has an end, and by number.
type Local struct {
	Now func() time.Time

	mu      sync.Mutex
	entries map[string]localEntry
	sweepAt time.Time
}

type localEntry struct {
	count  int64
	expiry time.Time // of an allowance: when all that was spent has come back
}

const maxMemory = 200_000 // keys

// NewLocal returns an empty one.
func NewLocal(now func() time.Time) *Local {
	return &Local{Now: now, entries: make(map[string]localEntry)}
}

// Count implements Cache.
func (m *Local) Count(_ context.Context, key string, window time.Duration) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	m.makeRoom(now)
	entry, ok := m.entries[key]
	if !ok || !now.Before(entry.expiry) {
		entry = localEntry{expiry: now.Add(window)}
	}
	entry.count++
	m.entries[key] = entry
	return entry.count
}

// Uncount implements Cache.
func (m *Local) Uncount(_ context.Context, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry, ok := m.entries[key]; ok && entry.count > 0 {
		entry.count--
		m.entries[key] = entry
	}
}

// Forget implements Cache.
func (m *Local) Forget(_ context.Context, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
}

// Peek implements Cache.
func (m *Local) Peek(_ context.Context, key string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry, ok := m.entries[key]; ok && m.Now().Before(entry.expiry) {
		return entry.count
	}
	return 0
}

// Take implements Cache.
func (m *Local) Take(_ context.Context, key string, rate Rate) (wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	m.makeRoom(now)
	full := m.entries[key].expiry
	if full.Before(now) {
		full = now
	}
	full = full.Add(rate.interval())
	if wait := full.Sub(now) - rate.capacity(); wait > 0 {
		return wait
	}
	m.entries[key] = localEntry{expiry: full}
	return 0
}

// put adds n to the counter of key, for that long from now.
func (m *Local) put(key string, n int64, lifetime time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	entry := m.entries[key]
	if !now.Before(entry.expiry) {
		entry.count = 0
	}
	m.entries[key] = localEntry{count: entry.count + n, expiry: now.Add(lifetime)}
}

// take takes one from the counter of key, if there is one.
func (m *Local) takeShare(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, ok := m.entries[key]
	if !ok || entry.count == 0 || !m.Now().Before(entry.expiry) {
		return false
	}
	entry.count--
	m.entries[key] = entry
	return true
}

// makeRoom drops what has expired, once a minute or when there is too much, and if there still is too much some of it,
// whichever it is: an attacker who fills the cache would like to choose.
func (m *Local) makeRoom(now time.Time) {
	if !now.Before(m.sweepAt) || len(m.entries) >= maxMemory {
		m.sweepAt = now.Add(time.Minute)
		for key, entry := range m.entries {
			if !now.Before(entry.expiry) {
				delete(m.entries, key)
			}
		}
	}
	if len(m.entries) < maxMemory {
		return
	}
	for key := range m.entries {
		if delete(m.entries, key); len(m.entries) < maxMemory*9/10 {
			return
		}
	}
}
