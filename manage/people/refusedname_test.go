package people_test

import (
	"errors"
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/manage/people"
)

// Names of before that nobody could choose today are found, with whose they are and why.
func TestRefusedNamesOfBefore(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		bob := h.Register(t, identity.NewUser{Username: "bob"})
		h.Exec(t, "UPDATE users SET username = 'admin', username_key = 'admin' WHERE id = ?", bob.ID)
		found := map[string]error{}
		err := people.EachRefused(t.Context(), h.Database, func(user *identity.User, fault error) {
			found[user.Username] = fault
		})
		if err != nil || len(found) != 1 || !errors.Is(found["admin"], identifier.ErrUsernameReserved) {
			t.Errorf("found %v, %v", found, err)
		}
	})
}
