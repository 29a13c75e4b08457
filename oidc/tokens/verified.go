package tokens

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/wicket-id/wicket/oidc"
)

// verified keeps the claims of access tokens whose signature was found right, by the token's digest: apps show the same
// token again and again, and a P-256 verification costs more than all the rest of an answer. It says nothing of whether
// a token is still good: that is asked of the database each time.
type verified struct {
	entries *lru.Cache[[sha256.Size]byte, *AccessClaims]
	counted oidc.HitCount
}

const maxVerified = 20_000

func newVerified() *verified {
	entries, err := lru.New[[sha256.Size]byte, *AccessClaims](maxVerified)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &verified{entries: entries}
}

// get returns the claims of a token that was verified and has not expired, or nil.
func (v *verified) get(token string, now time.Time) *AccessClaims {
	claims, ok := v.entries.Get(sha256.Sum256([]byte(token)))
	hit := ok && now.Unix() < claims.Expiry
	v.counted.Note(hit)
	if !hit {
		return nil
	}
	return claims
}

// put keeps a token's claims. They are shared from now on and must not be changed.
func (v *verified) put(token string, claims *AccessClaims) {
	v.entries.Add(sha256.Sum256([]byte(token)), claims)
}
