package identity

import (
	"context"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// BeginSecondStep asks the person's keys. It returns storage.ErrNotFound where they have none.
func (s *Store) BeginSecondStep(ctx context.Context, step *SecondStep) (*Ceremony, error) {
	keys, err := s.secondKeys(ctx, step.UserID)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, storage.ErrNotFound
	}
	options, session, err := s.RelyingParty.hardwareKeys.BeginLogin(keyHolder{user: step.user, credentials: credentials(keys)}, webauthn.WithUserVerification(protocol.VerificationDiscouraged))
	return s.ceremony(ceremonySecondStep, options, session, err)
}

// secondKey is a key that can be touched as a second step, and the table where it lives.
type secondKey struct {
	*Authenticator

	kind  string
	model any
}

func (s *Store) secondKeys(ctx context.Context, userID uuid.UUID) ([]secondKey, error) {
	hardwareKeys, err := s.HardwareKeys(ctx, userID)
	if err != nil {
		return nil, err
	}
	passkeys, err := s.Passkeys(ctx, userID)
	if err != nil {
		return nil, err
	}
	var keys []secondKey
	for i := range hardwareKeys {
		keys = append(keys, secondKey{&hardwareKeys[i].Authenticator, "hardware_key", (*HardwareKey)(nil)})
	}
	for i := range passkeys {
		keys = append(keys, secondKey{&passkeys[i].Authenticator, "passkey", (*Passkey)(nil)})
	}
	return keys, nil
}

func credentials(keys []secondKey) []webauthn.Credential {
	credentials := make([]webauthn.Credential, len(keys))
	for i, key := range keys {
		credentials[i] = key.credential()
	}
	return credentials
}

// checkKey verifies what a key said: nil where it proves nothing.
func (s *Store) checkKey(ctx context.Context, step *SecondStep, given Answer, device Device) (*answer, error) {
	session, err := s.resume(ctx, ceremonySecondStep, given.State)
	if err != nil {
		return nil, nil
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(given.Response))
	if err != nil {
		return nil, nil
	}
	keys, err := s.secondKeys(ctx, step.UserID)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(keys, func(k secondKey) bool { return slices.Equal(k.CredentialID, parsed.RawID) })
	if at < 0 {
		return nil, nil
	}
	key, party := keys[at], s.RelyingParty.passkeys
	if key.kind == "hardware_key" { // whose model may have come into disrepute
		party = s.RelyingParty.hardwareKeys
	}
	credential, err := party.ValidateLogin(keyHolder{user: step.user, credentials: credentials(keys)}, *session, parsed)
	if err != nil {
		return nil, nil
	}
	return &answer{method: key.kind, evidence: touched(key.Authenticator), use: func(ctx context.Context, tx bun.Tx, now time.Time) (bool, error) {
		genuine, err := s.used(ctx, tx, key.model, now, key.Authenticator, credential)
		if err != nil || genuine {
			return genuine, err
		}
		return false, s.warnOfClone(ctx, tx, now, firstStep{user: step.user, login: step.Login, method: key.kind, device: device}, key.kind, key.Authenticator)
	}}, nil
}
