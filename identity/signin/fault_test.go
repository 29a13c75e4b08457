package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
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
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		signIn := func(user uuid.UUID) error {
			ceremony, err := h.Factors.Passkeys().BeginSignIn()
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.SignIn.WithPasskey(t.Context(), signin.PasskeyAttempt{
				State: ceremony.State, Response: assertion(t, user), Device: identitytest.Laptop,
			})
			return err
		}
		for name, user := range map[string]uuid.UUID{"unknown": storage.NewID(), "without a passkey": alice.ID} {
			if err := signIn(user); !errors.Is(err, signin.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if refused := h.Refused(t); len(refused) != 1 || refused[0].FailureReason != signin.FailedPasskey ||
			refused[0].UserID.UUID != alice.ID {
			t.Errorf("noted %+v", refused)
		}
		if err := h.Database.Close(); err != nil {
			t.Fatal(err)
		}
		if err := signIn(alice.ID); err == nil || errors.Is(err, signin.ErrRefused) {
			t.Errorf("with the database away: %v", err)
		}
	})
}

func TestAFaultOfTheDatabaseAsksForNoSecondFactorAgain(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Read(t, h.Alice(t).ID)
		step := signin.AskForReset(h.SignIn, alice)
		step.Answered, step.Reset = true, "secret"
		answered, err := h.SignIn.SecondSteps().Sealed(step)
		if err != nil {
			t.Fatal(err)
		}
		if allowed, err := h.SignIn.Resets().Allowed(t.Context(), alice, "secret", answered); err != nil || !allowed {
			t.Errorf("allowed: %t, %v", allowed, err)
		}
		if allowed, err := h.SignIn.Resets().Allowed(t.Context(), alice, "secret", "nonsense"); err != nil || allowed {
			t.Errorf("with nonsense: %t, %v", allowed, err)
		}
		if err := h.Database.Close(); err != nil {
			t.Fatal(err)
		}
		if allowed, err := h.SignIn.Resets().Allowed(t.Context(), alice, "secret", answered); err == nil || allowed {
			t.Errorf("with the database away: %t, %v", allowed, err)
		}
	})
}
