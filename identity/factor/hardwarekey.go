package factor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// HardwareKey is a security key that is touched as the second step after a password. What it attested of itself is
// kept.
type HardwareKey struct {
	bun.BaseModel `bun:"table:hardware_keys,alias:hardware_key"`

	Authenticator

	RemovalDueAt *time.Time `bun:"removal_due_at"` // unless it is used or kept before: see Disown
	KeptAt       *time.Time `bun:"kept_at"`        // when that was called off last
}

// Begin begins to register a security key for a person. It returns ErrTooManyFactors or ErrNoKeys.
func (s HardwareKeys) Begin(ctx context.Context, user *identity.User) (*Ceremony, error) {
	if s.RelyingParty == nil {
		return nil, ErrNoKeys
	}
	held, err := s.List(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if len(held) >= maxFactorsOfKind {
		return nil, ErrTooManyFactors
	}
	var excluded []protocol.CredentialDescriptor
	for _, key := range held {
		credential := key.credential()
		excluded = append(excluded, credential.Descriptor())
	}
	options, session, err := s.RelyingParty.hardwareKeys.BeginRegistration(keyHolder{user: user},
		webauthn.WithExclusions(excluded),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			AuthenticatorAttachment: protocol.CrossPlatform, ResidentKey: protocol.ResidentKeyRequirementDiscouraged,
			UserVerification: protocol.VerificationDiscouraged,
		}))
	return s.ceremony(ceremonyHardwareKey, options, session, err)
}

// Add registers the key that a browser made for Begin; name may be empty, and is the model's then. It
// returns the session's new secret, or ErrAuthenticator, ErrAuthenticatorModel, ErrAuthenticatorListed, ErrFactorName
// or ErrTooManyFactors.
func (s HardwareKeys) Add(
	ctx context.Context, by *identity.Reauthenticated, state, response, name string,
) (secret string, err error) {
	registered, mark, err := s.register(ceremonyHardwareKey, by.User, state, response, name, "Security key")
	if err != nil {
		return "", err
	}
	if err := s.RelyingParty.policy.check(registered); err != nil {
		return "", err
	}
	key := &HardwareKey{Authenticator: *registered}
	change := Change{Kind: "hardware_key", ID: key.ID, name: key.Name, evidence: key.evidence()}
	secret, err = s.add(ctx, by, change, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		if err := mark.Set(ctx, tx); err != nil {
			return err
		}
		if err := mayHaveAnother(ctx, tx, (*HardwareKey)(nil), by.UserID); err != nil {
			return err
		}
		row := *key
		row.CreatedAt = now // as a passkey's
		row.SessionID = uuid.NullUUID{UUID: by.ID, Valid: true}
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrUsedBefore):
		return "", ErrAuthenticator
	case storage.Violates(err, "credential_id"):
		return "", ErrAuthenticatorListed
	}
	return secret, err
}

// check returns ErrAuthenticatorModel where the operator allows other keys only. A key that does not tell its model is
// none of those.
func (p HardwareKeyPolicy) check(key *Authenticator) error {
	if len(p.Models) > 0 && !slices.Contains(p.Models, key.AAGUID) {
		return ErrAuthenticatorModel
	}
	unattested := key.AttestationFormat == string(protocol.AttestationFormatNone) ||
		key.AttestationType == string(metadata.None) || key.AttestationType == string(metadata.BasicSurrogate)
	if p.Attestation && unattested {
		return ErrAuthenticatorModel
	}
	return nil
}

// evidence is what touching the key proves.
func (k *HardwareKey) evidence() identity.Evidence { return touched(&k.Authenticator) }

// touched is what any key proves that is touched as a second step.
func touched(key *Authenticator) identity.Evidence {
	return identity.Evidence{AMR: []string{key.method(), "user"}, ACR: identity.ACRPhishingResistant, FactorID: key.ID}
}

// List lists a person's security keys, the oldest first.
func (s HardwareKeys) List(ctx context.Context, userID uuid.UUID) ([]HardwareKey, error) {
	var keys []HardwareKey
	err := s.Database.Reader().NewSelect().Model(&keys).
		Where("user_id = ?", userID).Where(notDue, s.Now()).
		Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("hardware keys: %w", err)
	}
	return keys, nil
}

// Remove removes a security key. It returns the session's new secret, or storage.ErrNotFound.
func (s HardwareKeys) Remove(
	ctx context.Context, by *identity.Reauthenticated, id uuid.UUID,
) (secret string, err error) {
	keys, err := s.List(ctx, by.UserID)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(keys, func(k HardwareKey) bool { return k.ID == id })
	if at < 0 {
		return "", storage.ErrNotFound
	}
	return s.remove(ctx, by, Change{Kind: "hardware_key", ID: id, name: keys[at].Name}, (*HardwareKey)(nil))
}
