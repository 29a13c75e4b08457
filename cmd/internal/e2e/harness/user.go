package harness

import (
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
)

// Register registers somebody.
func (h *Server) Register(t testing.TB, person identity.NewUser) *identity.User {
	t.Helper()
	user, err := h.Identity.Users().Create(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// registerAlice registers the user that every server begins with.
func (h *Server) registerAlice(t testing.TB) *identity.User {
	t.Helper()
	return h.Register(t, identity.NewUser{
		Username: Username, Email: Email, EmailVerified: true, Password: Password, Name: Name,
	})
}

// Reauthenticated is the proof that a user has just signed in, as strongly as anybody can.
func (h *Server) Reauthenticated(t testing.TB, user *identity.User) *identity.Reauthenticated {
	t.Helper()
	session := identitytest.NewSession(t, h.Identity, user)
	proof, err := h.Identity.Reauthenticate(t.Context(), session, identity.Device{})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}
