package manage

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/wicket-id/wicket/identity/refusal"
)

// ETag is the entity tag of a thing as it is shown (RFC 9110, section 8.8.3), without the quotes: the digest of its
// JSON. Two that look the same have the same.
func ETag(view any) string {
	encoded, err := json.Marshal(view)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(encoded)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// ErrChanged says that a thing is not any more as its caller has seen it: RFC 9110, section 13.1.1.
var ErrChanged = refusal.New("precondition.failed", "it was changed by somebody else meanwhile; read it again")

// ErrExists says that what was to be made is there already.
var ErrExists = refusal.New("precondition.exists", "it exists already")

// Unchanged returns ErrChanged where a thing is not as its caller has seen it. An empty tag is any.
func Unchanged(seen string, view any) error {
	if seen != "" && seen != ETag(view) {
		return ErrChanged
	}
	return nil
}
