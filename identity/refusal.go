package identity

import (
	"errors"
)

// Refused returns that one of known which err is, as it is: what it was wrapped with on its way is not for people. It
// returns nil where err is none of them.
func Refused(err error, known ...error) error {
	for _, refusal := range known {
		if errors.Is(err, refusal) {
			return refusal
		}
	}
	return nil
}
