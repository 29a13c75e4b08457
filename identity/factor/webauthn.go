package factor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// register verifies the answer to a registration: Web Authentication, Level 3, section 7.1. Whoever keeps the
// authenticator sets the question's mark with it.
func (s *Store) register(
	purpose string, user *identity.User, state, response, name, fallback string,
) (*Authenticator, *storage.OneTimeMark, error) {
	session, err := s.resume(purpose, state)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil {
		return nil, nil, ErrAuthenticator
	}
	party := s.RelyingParty.passkeys
	if purpose == ceremonyHardwareKey {
		party = s.RelyingParty.hardwareKeys
	}
	credential, err := party.CreateCredential(keyHolder{user: user}, *session, parsed)
	if err != nil {
		var told *protocol.Error
		if errors.As(err, &told) { // what it says of itself is for people; why is apart
			return nil, nil, fmt.Errorf("%w: %s: %s", ErrAuthenticator, told.Details, told.DevInfo)
		}
		return nil, nil, fmt.Errorf("%w: %w", ErrAuthenticator, err)
	}
	authenticator, err := s.newAuthenticator(user, credential, name, s.Now())
	if err == nil && authenticator.Name == "" {
		authenticator.Name = fallback
	}
	return authenticator, s.answered(session), err
}

// Authenticator is what is kept of a passkey or a hardware key: the credential record of Web Authentication, Level 3.
type Authenticator struct {
	ID                uuid.UUID       `bun:"id,pk,type:uuid"`
	UserID            uuid.UUID       `bun:"user_id,type:uuid"`
	Name              string          `bun:"name"` // what its owner calls it
	RPID              string          `bun:"rp_id"`
	CredentialID      []byte          `bun:"credential_id"`
	PublicKey         []byte          `bun:"public_key"` // COSE
	AAGUID            uuid.UUID       `bun:"aaguid,type:uuid"`
	Transports        []string        `bun:"transports,type:jsonb"`
	Flags             int64           `bun:"flags"` // the octet of the authenticator data
	SignCount         int64           `bun:"sign_count"`
	CloneWarningAt    *time.Time      `bun:"clone_warning_at"` // when its counter last went back: there may be a copy
	AttestationType   string          `bun:"attestation_type"`
	AttestationFormat string          `bun:"attestation_format"`
	Attestation       json.RawMessage `bun:"attestation,type:jsonb"` // webauthn.CredentialAttestation, as it came
	LastUsedAt        *time.Time      `bun:"last_used_at"`
	CreatedAt         time.Time       `bun:"created_at"`
	SessionID         uuid.NullUUID   `bun:"session_id,type:uuid"` // in which it was registered
}

// IsBackedUp tells whether the key is kept in several places, such as a password manager's cloud.
func (a *Authenticator) IsBackedUp() bool {
	return protocol.AuthenticatorFlags(a.Flags).HasBackupState()
}

// Model is the name of the authenticator's model, or empty where it is not known.
func (a *Authenticator) Model() string { return models[a.AAGUID] }

// method is the authentication method reference of the key: RFC 8176, section 2.
func (a *Authenticator) method() string {
	if protocol.AuthenticatorFlags(a.Flags).HasBackupEligible() {
		return "swk" // it can be copied by software
	}
	return "hwk"
}

func (a *Authenticator) credential() webauthn.Credential {
	credential := webauthn.Credential{
		ID: a.CredentialID, PublicKey: a.PublicKey, AttestationType: a.AttestationType,
		AttestationFormat: a.AttestationFormat,
		Flags:             webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(a.Flags)),
		Authenticator:     webauthn.Authenticator{AAGUID: a.AAGUID[:], SignCount: uint32(a.SignCount)},
	}
	for _, transport := range a.Transports {
		credential.Transport = append(credential.Transport, protocol.AuthenticatorTransport(transport))
	}
	return credential
}

// newAuthenticator is the row of a credential that has just been registered.
func (s *Store) newAuthenticator(
	user *identity.User, credential *webauthn.Credential, name string, now time.Time,
) (*Authenticator, error) {
	attestation, err := json.Marshal(credential.Attestation)
	if err != nil {
		return nil, err
	}
	authenticator := &Authenticator{
		ID: storage.NewID(), UserID: user.ID, RPID: s.RelyingParty.id, CredentialID: credential.ID,
		PublicKey: credential.PublicKey,
		Flags:     int64(credential.Flags.ProtocolValue()), SignCount: int64(credential.Authenticator.SignCount),
		Transports:      []string{},
		AttestationType: credential.AttestationType, AttestationFormat: credential.AttestationFormat,
		Attestation: attestation, CreatedAt: now,
	}
	copy(authenticator.AAGUID[:], credential.Authenticator.AAGUID)
	for _, transport := range credential.Transport {
		known := slices.Contains(authenticator.Transports, string(transport))
		if transportName.MatchString(string(transport)) && !known && len(authenticator.Transports) < maxTransports {
			authenticator.Transports = append(authenticator.Transports, string(transport))
		}
	}
	if authenticator.Name, err = factorName(name); err != nil {
		return nil, err
	}
	if authenticator.Name == "" {
		authenticator.Name = authenticator.Model()
	}
	return authenticator, nil
}

// transportName is how the ways to reach an authenticator are called, also those of the future. The browser tells them
// and nothing signs them, so that they could be any text, which a database need not take.
var transportName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

const maxTransports = 10 // there are six: Web Authentication, Level 3, section 5.8.4

// RelyingParty is Wicket as authenticators know it.
type RelyingParty struct {
	id           string
	origins      []string
	passkeys     *webauthn.WebAuthn
	hardwareKeys *webauthn.WebAuthn
	policy       HardwareKeyPolicy
}

// HardwareKeyPolicy says which hardware keys may be registered.
type HardwareKeyPolicy struct {
	Models      []uuid.UUID       // AAGUIDs; none: any model
	Attestation bool              // the key must attest what it is, and Metadata must confirm it
	Metadata    metadata.Provider // of the FIDO Metadata Service, with Attestation; nil without
}

const ceremonyLifetime = time.Hour // as long as a page may be open

// NewRelyingParty returns the relying party with that id, a host name, of which the pages of these origins (scheme and
// host) are. Name is what an authenticator may show. It fails where they do not fit together.
func NewRelyingParty(id, name string, origins []string, policy HardwareKeyPolicy) (*RelyingParty, error) {
	timeouts := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLifetime, TimeoutUVD: ceremonyLifetime}
	config := webauthn.Config{
		RPID: id, RPDisplayName: name, RPOrigins: origins, AttestationPreference: protocol.PreferNoAttestation,
		Timeouts: webauthn.TimeoutsConfig{Login: timeouts, Registration: timeouts},
	}
	passkeys, err := webauthn.New(&config)
	if err != nil {
		return nil, err
	}
	strict := config
	strict.AttestationPreference = protocol.PreferDirectAttestation
	strict.MDS = policy.Metadata
	hardwareKeys, err := webauthn.New(&strict)
	if err != nil {
		return nil, err
	}
	return &RelyingParty{id: id, origins: origins, passkeys: passkeys, hardwareKeys: hardwareKeys, policy: policy}, nil
}

// Origins are those of whose pages people use the same keys: Web Authentication, Level 3, section 5.11.
func (r *RelyingParty) Origins() []string { return r.origins }

// keyHolder is a person as the library knows them.
type keyHolder struct {
	user        *identity.User
	credentials []webauthn.Credential
}

func (h keyHolder) WebAuthnID() []byte                         { return h.user.ID[:] }
func (h keyHolder) WebAuthnName() string                       { return h.user.Username }
func (h keyHolder) WebAuthnDisplayName() string                { return h.user.Username }
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// Ceremony is the one half of a question to an authenticator: Options go to the browser as JSON, State comes back with
// the answer. State is sealed, says what the answer may be used for, and one answer to it is accepted.
type Ceremony struct {
	Options json.RawMessage
	State   string
}

// What can be wrong with the answer of an authenticator.
var (
	// ErrAuthenticator covers every answer that does not prove what it should.
	ErrAuthenticator = refusal.New("key.refused", "the authenticator was not accepted")
	// ErrAuthenticatorModel says that the operator's rules allow other keys only.
	ErrAuthenticatorModel = refusal.New("key.model", "the model of the authenticator is not allowed")
	// ErrNoKeys says that there can be no keys here at all.
	ErrNoKeys = refusal.New(
		"key.unavailable", "the issuer has no domain name, which passkeys and security keys need",
	)
	// ErrAuthenticatorListed says that the key is registered already.
	ErrAuthenticatorListed = refusal.New("key.listed", "the authenticator is registered already")
)

// The purposes of ceremonies.
const (
	ceremonyPasskey       = "passkey"
	ceremonyHardwareKey   = "hardware key"
	ceremonyPasskeySignIn = "sign in"
	ceremonySecondStep    = "second step"
)

func (s *Store) ceremony(purpose string, options any, session *webauthn.SessionData, err error) (*Ceremony, error) {
	if err != nil {
		return nil, fmt.Errorf("begin a ceremony: %w", err)
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	state, err := json.Marshal(session)
	if err != nil {
		return nil, err
	}
	return &Ceremony{
		Options: encoded, State: base64.RawURLEncoding.EncodeToString(s.Seal.Close("webauthn "+purpose, state)),
	}, nil
}

// resume opens the state of a ceremony. It returns ErrAuthenticator.
func (s *Store) resume(purpose, state string) (*webauthn.SessionData, error) {
	if s.RelyingParty == nil {
		return nil, ErrAuthenticator
	}
	sealed, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		return nil, ErrAuthenticator
	}
	encoded, err := s.Seal.Open("webauthn "+purpose, sealed)
	if err != nil {
		return nil, ErrAuthenticator
	}
	session := new(webauthn.SessionData)
	if err := json.Unmarshal(encoded, session); err != nil {
		return nil, ErrAuthenticator
	}
	return session, nil
}

// answered is the mark of a question that was answered. It is set with what the answer changes: one authenticator in
// two counts nothing, so that its counter does not tell a second answer from the first.
func (s *Store) answered(session *webauthn.SessionData) *storage.OneTimeMark {
	return storage.NewOneTimeMark("webauthn", session.Challenge, s.Now().Add(ceremonyLifetime))
}

// used is what an assertion changes in the row of its key: its counter, flags and last use; and a warning where the
// counter did not go on, which is what a copy of the key looks like. The counter moves by compare and swap: of two
// assertions with the same count one is the copy's. It returns storage.ErrUsedBefore where the question was answered
// before.
func (s *Store) used(
	ctx context.Context, tx bun.Tx, model any, now time.Time, before *Authenticator, after *webauthn.Credential,
	mark *storage.OneTimeMark,
) (bool, error) {
	if err := mark.Set(ctx, tx); err != nil {
		return false, err
	}
	cloned := after.Authenticator.CloneWarning
	update := tx.NewUpdate().Model(model).
		Set("last_used_at = ?", now).
		Set("flags = ?", int64(after.Flags.ProtocolValue())).
		Where("id = ?", before.ID)
	if cloned {
		update.Set("clone_warning_at = ?", now)
	} else {
		update.Set("sign_count = ?", int64(after.Authenticator.SignCount)).Where("sign_count = ?", before.SignCount)
	}
	result, err := update.Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1 && !cloned, err
}
