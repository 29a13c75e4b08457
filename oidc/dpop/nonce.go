package dpop

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/wicket-id/wicket/oidc"
)

// A nonce of ours says in which minute it was given (RFC 9449, section 8). It is made of the time and a key that only
// we have: every replica knows it, and nothing is kept.
const (
	nonceStep  = time.Minute
	nonceSteps = 2 // how many older ones are taken, and newer ones, for the clocks of replicas may differ a little
	nonceBytes = 16
)

// nonceOf is what clients have to use at that time.
func (v Verifier) nonceOf(now time.Time) string { return v.noncesAt(now, 0)[0] }

// noncesAt are the nonces of so many steps ago: by each master key, the newest first.
func (v Verifier) noncesAt(now time.Time, ago int) []string {
	step := now.Unix()/int64(nonceStep.Seconds()) - int64(ago)
	derived := v.Seal.Derive("DPoP nonce", []byte(strconv.FormatInt(step, 10)))
	nonces := make([]string, len(derived))
	for i, key := range derived {
		nonces[i] = base64.RawURLEncoding.EncodeToString(key[:nonceBytes])
	}
	return nonces
}

// ageOf tells of how many steps ago a nonce is, and whether it is one that is good still.
func (v Verifier) ageOf(nonce string, now time.Time) (age int, known bool) {
	for ago := -nonceSteps; ago <= nonceSteps; ago++ {
		for _, ours := range v.noncesAt(now, ago) {
			if subtle.ConstantTimeCompare([]byte(nonce), []byte(ours)) == 1 {
				return ago, true
			}
		}
	}
	return 0, false
}

// wantNonce asks a client for a proof with the nonce that it is given here.
func (v Verifier) wantNonce(now time.Time) error {
	return &oidc.Error{
		Code: CodeNonce, Status: http.StatusBadRequest, DPoPNonce: v.nonceOf(now),
		Description: "Make a DPoP proof with the nonce of the header DPoP-Nonce.",
	}
}
