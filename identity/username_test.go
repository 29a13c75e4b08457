package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
)

// A login that is the username of one and the number of another lets nobody in, and a command is told of both.
func TestAReferenceThatNamesTwo(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		const number = "+4915112345678"
		alice := h.Alice(t)
		h.Verified(t, alice, number)
		if _, err := h.Users().Create(t.Context(), identity.NewUser{
			Username: number, Password: identitytest.AlicePassword,
		}); !errors.Is(err, identifier.ErrUsernameNumber) {
			t.Errorf("a number as a username: %v", err)
		}
		h.Enter(t, number, identitytest.AlicePassword, nil)

		mallory := h.Register(t, identity.NewUser{Username: "mallory", Password: identitytest.AlicePassword})
		h.Exec(t, "UPDATE users SET username = ?, username_key = ? WHERE id = ?", number, number, mallory.ID)
		if err := h.Try(t, number, identitytest.AlicePassword); err == nil {
			t.Error("a login that fits two lets one in")
		}
		_, err := h.Users().Find(t.Context(), number)
		ambiguous := new(identity.AmbiguousError)
		if !errors.As(err, &ambiguous) || !errors.Is(err, storage.ErrNotFound) || len(ambiguous.People) != 2 ||
			!strings.Contains(err.Error(), alice.ID.String()) || !strings.Contains(err.Error(), mallory.ID.String()) {
			t.Errorf("found: %v", err)
		}
		if user, err := h.Users().Find(t.Context(), alice.ID.String()); err != nil || user.ID != alice.ID {
			t.Errorf("by the id: %v", err)
		}
	})
}
