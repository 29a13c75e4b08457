package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
)

// What could take an account from its owner needs a sign-in of the last quarter of an hour.
func TestReauthenticationLapses(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		for _, step := range []struct {
			passes time.Duration
			want   error
		}{{0, nil}, {15 * time.Minute, nil}, {time.Microsecond, identity.ErrSignInNotFresh}} {
			h.Pass(step.passes)
			proof, err := h.Reauthenticate(t.Context(), session, identitytest.Laptop)
			if !errors.Is(err, step.want) || (proof == nil) != (step.want != nil) {
				t.Errorf("after another %s: %v, %v", step.passes, proof, err)
			}
			if proof != nil && proof.ID != session.ID {
				t.Errorf("the proof is of session %s, not %s", proof.ID, session.ID)
			}
		}
	})
}

// A password is changed by who knows it; who has none must have signed in lately, and nobody is spared their second
// factor.
func TestAPasswordIsChangedAfterTheProofThatItTakes(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(time.Hour)
		secret, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, identitytest.AlicePassword, "purple elephants dance at noon",
		)
		if err != nil {
			t.Errorf("who knows it, an hour later: %v", err)
		}
		if session, err = h.Sessions().BySecret(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		h.Exec(t, "UPDATE users SET password_hash = NULL WHERE id = ?", alice.ID)
		if _, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, "", identitytest.AlicePassword,
		); !errors.Is(err, identity.ErrSignInNotFresh) {
			t.Errorf("without one, an hour later: %v", err)
		}
		session.AuthTime, session.User.TwoFactor = h.Clock, true
		if _, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, "", identitytest.AlicePassword,
		); !errors.Is(err, identity.ErrSecondFactorOwed) {
			t.Errorf("without the second factor: %v", err)
		}
		if hash := h.Read(t, alice.ID).PasswordHash; hash != "" {
			t.Errorf("there is a password: %s", hash)
		}
	})
}
