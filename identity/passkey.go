package identity

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

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Passkey is a key that signs its owner in by itself: it knows who they are and verifies them, by finger, face or PIN.
type Passkey struct {
	bun.BaseModel `bun:"table:passkeys,alias:passkey"`

	Authenticator
}

// evidence is what a passkey proves: two factors, for it verifies its user.
func (p *Passkey) evidence() Evidence {
	return Evidence{AMR: []string{p.method(), "user", "mfa"}, ACR: ACRPhishingResistant}
}

// BeginPasskey begins to register a passkey for the person of a session. It returns ErrTooManyFactors or ErrNoKeys.
func (s *Store) BeginPasskey(ctx context.Context, user *User) (*Ceremony, error) {
	if s.RelyingParty == nil {
		return nil, ErrNoKeys
	}
	held, err := s.Passkeys(ctx, user.ID)
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
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		}),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	return s.ceremony(ceremonyPasskey, options, session, err)
}

// AddPasskey registers the passkey that a browser made for BeginPasskey; name may be empty, and is the model's then. It
// returns the session's new secret, or ErrAuthenticator, ErrAuthenticatorListed, ErrFactorName or ErrTooManyFactors.
func (s *Store) AddPasskey(ctx context.Context, by *Reauthenticated, state, response, name string) (secret string, err error) {
	registered, err := s.register(ctx, ceremonyPasskey, by.User, state, response, name, "Passkey")
	if err != nil {
		return "", err
	}
	passkey := &Passkey{Authenticator: *registered}
	change := factorChange{kind: "passkey", id: passkey.ID, name: passkey.Name, evidence: passkey.evidence()}
	secret, err = s.addFactor(ctx, by, change, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		if err := mayHaveAnother(ctx, tx, (*Passkey)(nil), by.UserID); err != nil {
			return err
		}
		row := *passkey
		row.CreatedAt = now // what is disowned is all that was added since, by the time of the transaction
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	if storage.Violates(err, "credential_id") {
		return "", ErrAuthenticatorListed
	}
	return secret, err
}

// register verifies the answer to a registration: Web Authentication, Level 3, section 7.1.
func (s *Store) register(ctx context.Context, purpose string, user *User, state, response, name, fallback string) (*Authenticator, error) {
	session, err := s.resume(ctx, purpose, state)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil {
		return nil, ErrAuthenticator
	}
	party := s.RelyingParty.passkeys
	if purpose == ceremonyHardwareKey {
		party = s.RelyingParty.hardwareKeys
	}
	credential, err := party.CreateCredential(keyHolder{user: user}, *session, parsed)
	if err != nil {
		var told *protocol.Error
		if errors.As(err, &told) { // what it says of itself is for people; why is apart
			return nil, fmt.Errorf("%w: %s: %s", ErrAuthenticator, told.Details, told.DevInfo)
		}
		return nil, fmt.Errorf("%w: %w", ErrAuthenticator, err)
	}
	authenticator, err := s.newAuthenticator(user, credential, name, s.Now())
	if err == nil && authenticator.Name == "" {
		authenticator.Name = fallback
	}
	return authenticator, err
}

// BeginPasskeySignIn asks whoever is there for a passkey of theirs, whoever they are. It returns ErrNoKeys.
func (s *Store) BeginPasskeySignIn() (*Ceremony, error) {
	if s.RelyingParty == nil {
		return nil, ErrNoKeys
	}
	options, session, err := s.RelyingParty.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return s.ceremony(ceremonyPasskeySignIn, options, session, err)
}

// PasskeySignIn is an attempt to sign in with a passkey.
type PasskeySignIn struct {
	State    string // of the Ceremony
	Response string // of the browser, as JSON
	Device   Device
	Current  *Session // the live session that this browser has already, or nil
}

// SignInWithPasskey verifies a passkey (Web Authentication, Level 3, section 7.2) and starts a session, as SignIn does. It
// returns ErrSignInRefused, or ErrTooManySignIns.
func (s *Store) SignInWithPasskey(ctx context.Context, attempt PasskeySignIn) (*Admission, error) {
	sender := "sign-in failures from " + attempt.Device.Source()
	if s.Memory.Count(ctx, sender, failureWindow) > maxFailuresPerSource {
		return nil, ErrTooManySignIns
	}
	session, err := s.resume(ctx, ceremonyPasskeySignIn, attempt.State)
	if err != nil {
		return nil, ErrSignInRefused
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(attempt.Response))
	if err != nil {
		return nil, ErrSignInRefused
	}
	// Looked up before the library asks for it: of what goes wrong there it tells only that the passkey is not good.
	user, passkey, err := s.passkeyOwner(ctx, parsed.Response.UserHandle, parsed.RawID)
	if err != nil {
		return nil, fmt.Errorf("sign in with a passkey: %w", err)
	}
	if user == nil {
		return nil, ErrSignInRefused // there is no account to note it for
	}
	credential, err := s.RelyingParty.passkeys.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) {
		if passkey == nil {
			return nil, storage.ErrNotFound
		}
		return keyHolder{user: user, credentials: []webauthn.Credential{passkey.credential()}}, nil
	}, *session, parsed)
	step := firstStep{user: user, login: user.Username, method: "passkey", device: attempt.Device, current: attempt.Current}
	verified := err == nil
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Admission, error) {
		now := s.Now()
		if !verified {
			if err := step.note(ctx, tx, now, failedPasskey); err != nil {
				return nil, err
			}
			return nil, storage.Refuse(ErrSignInRefused)
		}
		genuine, err := s.used(ctx, tx, (*Passkey)(nil), now, &passkey.Authenticator, credential)
		if err != nil {
			return nil, err
		}
		if !genuine {
			if err := s.warnOfClone(ctx, tx, now, step, "passkey", &passkey.Authenticator); err != nil {
				return nil, err
			}
			return nil, storage.Refuse(ErrSignInRefused)
		}
		shown := step
		shown.evidence = passkey.evidence()
		return s.admit(ctx, tx, now, shown)
	})
	if errors.Is(err, ErrSignInRefused) {
		return nil, ErrSignInRefused
	} else if err != nil {
		return nil, fmt.Errorf("sign in with a passkey: %w", err)
	}
	s.Memory.Uncount(ctx, sender)
	return admission, nil
}

// warnOfClone notes that a key whose counter went back was refused, and tells its owner: somebody may have a copy.
func (s *Store) warnOfClone(ctx context.Context, tx bun.Tx, now time.Time, step firstStep, kind string, key *Authenticator) error {
	if err := step.note(ctx, tx, now, failedCloned); err != nil {
		return err
	}
	err := audit.Record(ctx, tx, now, audit.Change{
		Entity: kind, EntityID: key.ID.String(), Action: "clone_suspected", UserID: step.user.ID, New: audit.Values{"name": key.Name},
	})
	if err != nil {
		return err
	}
	values := from(step.device)
	values["name"] = key.Name
	return s.tellOwner(ctx, tx, now, step.user, MessageKeyCloned, proofNotMe, notMeProofLifetime, nil, values)
}

// Passkeys lists a person's passkeys, the oldest first.
func (s *Store) Passkeys(ctx context.Context, userID uuid.UUID) ([]Passkey, error) {
	var passkeys []Passkey
	err := s.Database.Reader().NewSelect().Model(&passkeys).Where("user_id = ?", userID).Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return passkeys, nil
}

// RemovePasskey removes a passkey. It returns the session's new secret, or storage.ErrNotFound or ErrLastFactor.
func (s *Store) RemovePasskey(ctx context.Context, by *Reauthenticated, id uuid.UUID) (secret string, err error) {
	passkeys, err := s.Passkeys(ctx, by.UserID)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(passkeys, func(p Passkey) bool { return p.ID == id })
	if at < 0 {
		return "", storage.ErrNotFound
	}
	return s.removeFactor(ctx, by, factorChange{kind: "passkey", id: id, name: passkeys[at].Name}, (*Passkey)(nil))
}

// passkeyOwner returns the person whom a user handle names and their passkey with that credential id; nil where there
// is no such person, and where they have no such passkey.
func (s *Store) passkeyOwner(ctx context.Context, handle, credentialID []byte) (*User, *Passkey, error) {
	id, malformed := uuid.FromBytes(handle)
	if malformed != nil {
		return nil, nil, nil
	}
	user, err := s.User(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	passkey := new(Passkey)
	err = s.Database.Reader().NewSelect().Model(passkey).Where("user_id = ? AND credential_id = ?", id, credentialID).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return user, nil, nil
	}
	return user, passkey, err
}
