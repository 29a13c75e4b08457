package factor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
)

// A security key that is touched stays, and the audit trail says so; its copy, whose counter is behind, keeps nothing.
func TestDisownedSecurityKeyStaysWhenItIsTouched(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, key, due := h.Alice(t), newFuzzKey(t), h.Clock.Add(time.Hour)
		row := &factor.HardwareKey{RemovalDueAt: &due, Authenticator: factor.Authenticator{
			ID: storage.NewID(), UserID: alice.ID, Name: "Key", RPID: "localhost", CredentialID: key.id, PublicKey: key.public,
			Transports: []string{}, Flags: present, SignCount: 7, AttestationType: "none", AttestationFormat: "none",
			Attestation: json.RawMessage("{}"), CreatedAt: h.Clock,
		}}
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(row).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			counter uint32
			kept    int
		}{{counter: 6}, {counter: 8, kept: 1}} {
			proved, err := h.Factors.CheckSecondKey(t.Context(), alice, touch(t, h, key, c.counter))
			if err != nil || proved == nil {
				t.Fatal(err)
			}
			_, err = storage.Write(t.Context(), h.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
				return proved.Use(ctx, tx, h.Clock)
			})
			if err != nil {
				t.Fatal(err)
			}
			keys, err := h.Factors.HardwareKeys().List(t.Context(), alice.ID)
			if err != nil || (keys[0].RemovalDueAt == nil) != (c.kept == 1) ||
				len(h.Lines(t, "hardware_key", "kept")) != c.kept {
				t.Errorf("after the count of %d: %+v, %v", c.counter, keys, err)
			}
		}
	})
}

// touch is what a key answers to a question for a second step that is asked of alice just now.
func touch(t *testing.T, h *identitytest.Stack, key *fuzzKey, counter uint32) factor.Answer {
	t.Helper()
	alice, err := h.Users().ByLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	ceremony, err := h.Factors.BeginSecondKey(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	said := []byte(`{"type":"webauthn.get","challenge":"` + challengeOf(t, ceremony) + `","origin":"http://localhost"}`)
	party, hash := sha256.Sum256([]byte("localhost")), sha256.Sum256(said)
	data := binary.BigEndian.AppendUint32(append(party[:], present), counter)
	signed := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, key.private, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	response := `{"id":"` + encode(key.id) + `","rawId":"` + encode(key.id) + `","type":"public-key","response":{` +
		`"clientDataJSON":"` + encode(said) + `","authenticatorData":"` + encode(data) +
		`","signature":"` + encode(signature) + `"}}`
	return factor.Answer{State: ceremony.State, Response: response}
}
