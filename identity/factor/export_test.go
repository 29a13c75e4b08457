package factor

import "github.com/wicket-id/wicket/identity"

// Step is the time step to which a code belongs, or 0.
func (s TOTPs) Step(row *TOTP, code string) (int64, error) { return s.step(row, code) }

// Register verifies the answer to a registration of a passkey, and keeps nothing.
func (s *Store) Register(user *identity.User, state, response string) (*Authenticator, error) {
	authenticator, _, err := s.register(ceremonyPasskey, user, state, response, "", "Passkey")
	return authenticator, err
}
