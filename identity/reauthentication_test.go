package identity

import (
	"errors"
	"testing"
	"time"
)

// What could take an account from its owner needs a sign-in of the last quarter of an hour.
func TestReauthenticationLapses(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		for _, step := range []struct {
			passes time.Duration
			want   error
		}{{0, nil}, {15 * time.Minute, nil}, {time.Microsecond, ErrSignInNotFresh}} {
			h.pass(step.passes)
			proof, err := h.Reauthenticate(t.Context(), session, laptop)
			if !errors.Is(err, step.want) || (proof == nil) != (step.want != nil) {
				t.Errorf("after another %s: %v, %v", step.passes, proof, err)
			}
			if proof != nil && proof.ID != session.ID {
				t.Errorf("the proof is of session %s, not %s", proof.ID, session.ID)
			}
		}
	})
}

// A password is changed by who knows it; who has none must have signed in lately, and nobody is spared their second factor.
func TestAPasswordIsChangedAfterTheProofThatItTakes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		h.pass(time.Hour)
		secret, err := h.ChangePassword(t.Context(), session, laptop, alicePassword, "purple elephants dance at noon")
		if err != nil {
			t.Errorf("who knows it, an hour later: %v", err)
		}
		if session, err = h.SessionBySecret(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		h.exec(t, "UPDATE users SET password_hash = NULL WHERE id = ?", alice.ID)
		if _, err := h.ChangePassword(t.Context(), session, laptop, "", alicePassword); !errors.Is(err, ErrSignInNotFresh) {
			t.Errorf("without one, an hour later: %v", err)
		}
		session.AuthTime, session.User.TwoFactor = h.clock, true
		if _, err := h.ChangePassword(t.Context(), session, laptop, "", alicePassword); !errors.Is(err, ErrSecondFactorOwed) {
			t.Errorf("without the second factor: %v", err)
		}
		if hash := h.read(t, alice.ID).PasswordHash; hash != "" {
			t.Errorf("there is a password: %s", hash)
		}
	})
}
