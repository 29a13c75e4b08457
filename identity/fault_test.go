package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"
)

// assertion is what a browser says of a passkey of that person; what it has signed is nothing.
func assertion(t testing.TB, user uuid.UUID) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	said, err := json.Marshal(map[string]any{
		"id": encode([]byte("credential")), "rawId": encode([]byte("credential")), "type": "public-key",
		"response": map[string]any{
			"clientDataJSON":    encode([]byte(`{"type":"webauthn.get","challenge":"x","origin":"http://localhost"}`)),
			"authenticatorData": encode(make([]byte, 37)), "signature": encode([]byte("none")), "userHandle": encode(user[:]),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// A database that does not answer is a fault, not a refusal: nobody is to be told that their passkey is not good.
func TestAFaultOfTheDatabaseRefusesNoPasskey(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		signIn := func(user uuid.UUID) error {
			ceremony, err := h.BeginPasskeySignIn()
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.SignInWithPasskey(t.Context(), PasskeySignIn{State: ceremony.State, Response: assertion(t, user), Device: laptop})
			return err
		}
		for name, user := range map[string]uuid.UUID{"unknown": newID(), "without a passkey": alice.ID} {
			if err := signIn(user); !errors.Is(err, ErrSignInRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if refused := h.refused(t); len(refused) != 1 || refused[0].FailureReason != failedPasskey || refused[0].UserID.UUID != alice.ID {
			t.Errorf("noted %+v", refused)
		}
		if err := h.Database.Close(); err != nil {
			t.Fatal(err)
		}
		if err := signIn(alice.ID); err == nil || errors.Is(err, ErrSignInRefused) {
			t.Errorf("with the database away: %v", err)
		}
	})
}

func TestAFaultOfTheDatabaseAsksForNoSecondFactorAgain(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.read(t, h.alice(t).ID)
		step := askForReset(h.Store, alice)
		step.Answered, step.Reset = true, "secret"
		answered, err := h.seal(step)
		if err != nil {
			t.Fatal(err)
		}
		if allowed, err := h.resetAllowed(t.Context(), alice, "secret", answered); err != nil || !allowed {
			t.Errorf("allowed: %t, %v", allowed, err)
		}
		if allowed, err := h.resetAllowed(t.Context(), alice, "secret", "nonsense"); err != nil || allowed {
			t.Errorf("with nonsense: %t, %v", allowed, err)
		}
		if err := h.Database.Close(); err != nil {
			t.Fatal(err)
		}
		if allowed, err := h.resetAllowed(t.Context(), alice, "secret", answered); err == nil || allowed {
			t.Errorf("with the database away: %t, %v", allowed, err)
		}
	})
}
