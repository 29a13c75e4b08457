package shell

import (
	"errors"

	"github.com/wicket-id/wicket/storage"
)

// Gone is an error that is none where there is no such thing: what was to be ended has ended already.
func Gone(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
