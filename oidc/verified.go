package oidc

import (
	"crypto/sha256"
	"sync"
	"time"
)

// verified remembers access tokens whose signature was found right, by their digest: apps show the same token again and
// again, and a P-256 verification costs more than all the rest of an answer. It says nothing of whether a token is still
// good: that is asked of the database each time.
type verified struct {
	mu           sync.RWMutex
	young, older map[[sha256.Size]byte]*accessClaims
	counted      hitCount
}

// maxVerified bounds each of the two generations. When the young one is full it becomes the older, and what was not asked
// for since is forgotten.
const maxVerified = 10_000

// get returns the claims of a token that was verified and has not expired, or nil.
func (v *verified) get(token string, now time.Time) *accessClaims {
	digest := sha256.Sum256([]byte(token))
	v.mu.RLock()
	claims, young := v.young[digest]
	if !young {
		claims = v.older[digest]
	}
	v.mu.RUnlock()
	hit := claims != nil && now.Unix() < claims.Expiry
	v.counted.note(hit)
	if !hit {
		return nil
	}
	if !young {
		v.put(token, claims)
	}
	return claims
}

// put remembers a token. Its claims are shared from now on and must not be changed.
func (v *verified) put(token string, claims *accessClaims) {
	digest := sha256.Sum256([]byte(token))
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.young == nil || len(v.young) >= maxVerified {
		v.older, v.young = v.young, make(map[[sha256.Size]byte]*accessClaims)
	}
	v.young[digest] = claims
}
