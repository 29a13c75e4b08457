package web

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/wicket-id/wicket/storage/seal"
)

// OperatorHeader holds what OperatorProof returns.
const OperatorHeader = "Wicket-Operator"

// OperatorProof shows the server of that issuer for a minute or two that a request comes from who has its master key.
// Who gets hold of it meanwhile learns no more than what /healthz tells.
func OperatorProof(with *seal.Seal, issuer string, at time.Time) string {
	return base64.RawURLEncoding.EncodeToString(operatorProofs(with, issuer, at)[0])
}

// operatorProofs are those under each master key.
func operatorProofs(with *seal.Seal, issuer string, at time.Time) [][]byte {
	return with.Derive("operator", []byte(issuer+" "+strconv.FormatInt(at.Unix()/60, 10)))
}

// operator knows requests of who has the master key.
type operator struct {
	seal   *seal.Seal
	issuer string
	now    func() time.Time
}

// sent tells whether the operator sent a request. Clocks may differ by a minute.
func (o operator) sent(r *http.Request) bool {
	proof, err := base64.RawURLEncoding.DecodeString(r.Header.Get(OperatorHeader))
	if err != nil || len(proof) == 0 {
		return false
	}
	right := false
	for _, late := range []time.Duration{-time.Minute, 0, time.Minute} {
		for _, expected := range operatorProofs(o.seal, o.issuer, o.now().Add(late)) {
			right = hmac.Equal(proof, expected) || right
		}
	}
	return right
}
