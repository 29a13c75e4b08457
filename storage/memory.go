package storage

import (
	"context"
	"sync"
	"time"
)

// Memory is the in-process cache. It holds nothing that cannot be lost: counters for rate limits and marks that
// something was seen once. It is bounded by time, for every key has an end, and by number.
type Memory struct {
	Now func() time.Time

	mu      sync.Mutex
	entries map[string]memoryEntry
	sweepAt time.Time
}

type memoryEntry struct {
	count  int64
	expiry time.Time
}

const maxMemory = 200_000 // keys

// NewMemory returns an empty cache.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{Now: now, entries: make(map[string]memoryEntry)}
}

// Count adds one to the counter of key and returns its new value. The counter begins with the first call and is
// forgotten window after it.
func (m *Memory) Count(_ context.Context, key string, window time.Duration) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	m.sweep(now)
	if len(m.entries) >= maxMemory { // whoever fills it would like that: drop some, whichever they are
		for other := range m.entries {
			if delete(m.entries, other); len(m.entries) < maxMemory*9/10 {
				break
			}
		}
	}
	entry, ok := m.entries[key]
	if !ok || !now.Before(entry.expiry) {
		entry = memoryEntry{expiry: now.Add(window)}
	}
	entry.count++
	m.entries[key] = entry
	return entry.count
}

// Once marks key as seen until expiry and tells whether this was the first time.
func (m *Memory) Once(ctx context.Context, key string, expiry time.Time) bool {
	return m.Count(ctx, key, expiry.Sub(m.Now())) == 1
}

// Uncount takes one back from the counter of key.
func (m *Memory) Uncount(_ context.Context, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry, ok := m.entries[key]; ok && entry.count > 0 {
		entry.count--
		m.entries[key] = entry
	}
}

// Forget drops the counter or mark of key.
func (m *Memory) Forget(_ context.Context, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
}

// sweep drops what has expired, at most once a minute.
func (m *Memory) sweep(now time.Time) {
	if now.Before(m.sweepAt) {
		return
	}
	m.sweepAt = now.Add(time.Minute)
	for key, entry := range m.entries {
		if !now.Before(entry.expiry) {
			delete(m.entries, key)
		}
	}
}

// Peek returns the counter of key without counting.
func (m *Memory) Peek(_ context.Context, key string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry, ok := m.entries[key]; ok && m.Now().Before(entry.expiry) {
		return entry.count
	}
	return 0
}
