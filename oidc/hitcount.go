package oidc

import (
	"sync/atomic"
)

// HitCount counts how often a cache knew the answer, for metrics.
type HitCount struct{ hits, misses atomic.Int64 }

// Note counts one question.
func (h *HitCount) Note(hit bool) {
	if hit {
		h.hits.Add(1)
	} else {
		h.misses.Add(1)
	}
}

// Read returns what was counted since the start.
func (h *HitCount) Read() (hits, misses int64) { return h.hits.Load(), h.misses.Load() }
