package oidc

import "sync/atomic"

// hitCount counts how often a cache knew the answer, for metrics.
type hitCount struct{ hits, misses atomic.Int64 }

func (h *hitCount) note(hit bool) {
	if hit {
		h.hits.Add(1)
	} else {
		h.misses.Add(1)
	}
}

func (h *hitCount) read() (hits, misses int64) { return h.hits.Load(), h.misses.Load() }

// Caches returns what tells of each cache how often it knew the answer since the start, and how often not.
func (p *Provider) Caches() map[string]func() (hits, misses int64) {
	return map[string]func() (hits, misses int64){"clients": p.clients.counted.read, "access_tokens": p.verified.counted.read}
}
