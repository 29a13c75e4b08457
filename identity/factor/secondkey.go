package factor

import (
	"context"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// BeginSecondKey asks for one of a person's keys, as a second step. It returns storage.ErrNotFound where they have
// none.
func (s *Store) BeginSecondKey(ctx context.Context, user *identity.User) (*Ceremony, error) {
	keys, err := s.secondKeys(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, storage.ErrNotFound
	}
	options, session, err := s.RelyingParty.hardwareKeys.BeginLogin(
		keyHolder{user: user, credentials: credentials(keys)},
		webauthn.WithUserVerification(protocol.VerificationDiscouraged),
	)
	return s.ceremony(ceremonySecondStep, options, session, err)
}

// secondKey is a key that can be touched as a second step, and the table where it lives.
type secondKey struct {
	*Authenticator

	kind  string
	model any
}

func (s *Store) secondKeys(ctx context.Context, userID uuid.UUID) ([]secondKey, error) {
	hardwareKeys, err := s.HardwareKeys().List(ctx, userID)
	if err != nil {
		return nil, err
	}
	passkeys, err := s.Passkeys().List(ctx, userID)
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

// CheckSecondKey verifies what a person's key said: nil where it proves nothing.
func (s *Store) CheckSecondKey(ctx context.Context, user *identity.User, given Answer) (*Proved, error) {
	session, err := s.resume(ceremonySecondStep, given.State)
	if err != nil {
		return nil, nil
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(given.Response))
	if err != nil {
		return nil, nil
	}
	keys, err := s.secondKeys(ctx, user.ID)
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
	credential, err := party.ValidateLogin(keyHolder{user: user, credentials: credentials(keys)}, *session, parsed)
	if err != nil {
		return nil, nil
	}
	mark := s.answered(session)
	return &Proved{
		Method: key.kind, Evidence: touched(key.Authenticator), Key: key.Authenticator,
		Use: func(ctx context.Context, tx bun.Tx, now time.Time) (bool, error) {
			genuine, err := s.used(ctx, tx, key.model, now, key.Authenticator, credential, mark)
			if err != nil || !genuine || key.kind != hardwareKeyKind.name {
				return genuine, err
			}
			return true, s.keep(ctx, tx, now, user, nil, key.ID, hardwareKeyKind)
		},
	}, nil
}
