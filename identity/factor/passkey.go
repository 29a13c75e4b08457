package factor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// Passkey is a key that signs its owner in by itself: it knows who they are and verifies them, by finger, face or PIN.
type Passkey struct {
	bun.BaseModel `bun:"table:passkeys,alias:passkey"`

	Authenticator
}

// Evidence is what a passkey proves: two factors, for it verifies its user.
func (p *Passkey) Evidence() identity.Evidence {
	return identity.Evidence{
		AMR: []string{p.method(), "user", "mfa"}, ACR: identity.ACRPhishingResistant, FactorID: p.ID,
	}
}

// Begin begins to register a passkey for the person of a session. It returns ErrTooManyFactors or ErrNoKeys.
func (s Passkeys) Begin(ctx context.Context, user *identity.User) (*Ceremony, error) {
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
	for _, passkey := range held {
		credential := passkey.credential()
		excluded = append(excluded, credential.Descriptor())
	}
	options, session, err := s.RelyingParty.passkeys.BeginRegistration(keyHolder{user: user},
		webauthn.WithExclusions(excluded),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		}),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	return s.ceremony(ceremonyPasskey, options, session, err)
}

// Add registers the passkey that a browser made for Begin; name may be empty, and is the model's then. It
// returns the session's new secret, or ErrAuthenticator, ErrAuthenticatorListed, ErrFactorName or ErrTooManyFactors.
func (s Passkeys) Add(
	ctx context.Context, by *identity.Reauthenticated, state, response, name string,
) (secret string, err error) {
	registered, mark, err := s.register(ceremonyPasskey, by.User, state, response, name, "Passkey")
	if err != nil {
		return "", err
	}
	passkey := &Passkey{Authenticator: *registered}
	change := Change{Kind: "passkey", ID: passkey.ID, name: passkey.Name, evidence: passkey.Evidence()}
	secret, err = s.add(ctx, by, change, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		if err := mark.Set(ctx, tx); err != nil {
			return err
		}
		if err := mayHaveAnother(ctx, tx, (*Passkey)(nil), by.UserID); err != nil {
			return err
		}
		row := *passkey
		row.CreatedAt = now // what is disowned is all that was added since, by the time of the transaction
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

// BeginSignIn asks whoever is there for a passkey of theirs, whoever they are. It returns ErrNoKeys.
func (s Passkeys) BeginSignIn() (*Ceremony, error) {
	if s.RelyingParty == nil {
		return nil, ErrNoKeys
	}
	options, session, err := s.RelyingParty.passkeys.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired),
	)
	return s.ceremony(ceremonyPasskeySignIn, options, session, err)
}

// ShownPasskey is a passkey that somebody has shown to sign in.
type ShownPasskey struct {
	User    *identity.User
	Passkey *Passkey // nil: the person has none like it

	verified   bool
	credential *webauthn.Credential
	mark       *storage.OneTimeMark
}

// Read verifies what a browser answered to BeginSignIn: Web Authentication, Level 3, section 7.2. It returns
// nil where that names nobody; Use tells whether the passkey is good.
func (s Passkeys) Read(ctx context.Context, state, response string) (*ShownPasskey, error) {
	session, err := s.resume(ceremonyPasskeySignIn, state)
	if err != nil {
		return nil, nil
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil {
		return nil, nil
	}
	// Looked up before the library asks for it: of what goes wrong there it tells only that the passkey is not good.
	user, passkey, err := s.passkeyOwner(ctx, parsed.Response.UserHandle, parsed.RawID)
	if err != nil || user == nil {
		return nil, err
	}
	credential, err := s.RelyingParty.passkeys.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) {
		if passkey == nil {
			return nil, storage.ErrNotFound
		}
		return keyHolder{user: user, credentials: []webauthn.Credential{passkey.credential()}}, nil
	}, *session, parsed)
	return &ShownPasskey{
		User: user, Passkey: passkey, verified: err == nil, credential: credential, mark: s.answered(session),
	}, nil
}

// IsVerified tells whether the passkey is the person's and signed the question.
func (p *ShownPasskey) IsVerified() bool { return p.verified }

// Use notes that a verified passkey was used, and tells whether it is genuine: a copy counts from an older number. It
// returns storage.ErrUsedBefore where the same question was answered before.
func (s Passkeys) Use(ctx context.Context, tx bun.Tx, now time.Time, shown *ShownPasskey) (genuine bool, err error) {
	return s.used(ctx, tx, (*Passkey)(nil), now, &shown.Passkey.Authenticator, shown.credential, shown.mark)
}

// List lists a person's passkeys, the oldest first.
func (s Passkeys) List(ctx context.Context, userID uuid.UUID) ([]Passkey, error) {
	var passkeys []Passkey
	err := s.Database.Reader().NewSelect().Model(&passkeys).Where("user_id = ?", userID).Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return passkeys, nil
}

// Remove removes a passkey. It returns the session's new secret, or storage.ErrNotFound or ErrLastFactor.
func (s Passkeys) Remove(ctx context.Context, by *identity.Reauthenticated, id uuid.UUID) (secret string, err error) {
	passkeys, err := s.List(ctx, by.UserID)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(passkeys, func(p Passkey) bool { return p.ID == id })
	if at < 0 {
		return "", storage.ErrNotFound
	}
	return s.remove(ctx, by, Change{Kind: "passkey", ID: id, name: passkeys[at].Name}, (*Passkey)(nil))
}

// passkeyOwner returns the person whom a user handle names and their passkey with that credential id; nil where there
// is no such person, and where they have no such passkey.
func (s Passkeys) passkeyOwner(ctx context.Context, handle, credentialID []byte) (*identity.User, *Passkey, error) {
	id, malformed := uuid.FromBytes(handle)
	if malformed != nil {
		return nil, nil, nil
	}
	user, err := s.Users().ByID(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	passkey := new(Passkey)
	err = s.Database.Reader().NewSelect().Model(passkey).
		Where("user_id = ? AND credential_id = ?", id, credentialID).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return user, nil, nil
	}
	return user, passkey, err
}
