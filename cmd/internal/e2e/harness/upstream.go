package harness

import (
	"testing"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
)

// AddProvider registers a provider upstream.
func (h *Server) AddProvider(t testing.TB, p *federation.Provider) {
	t.Helper()
	p.IsActive = true
	if err := h.Upstreams.Add(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// Linked returns the accounts at providers that somebody signs in with.
func (h *Server) Linked(t testing.TB, user *identity.User) []identity.ExternalAccount {
	t.Helper()
	accounts, err := h.Identity.ExternalAccounts().List(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}
