package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// External is what a provider upstream says of a person who comes from it. Who makes one has verified it.
type External struct {
	Provider     string // the id of the provider
	ProviderName string // what people call it
	Issuer       string
	Subject      string
	Label        string // what its owner knows the account by
	Email        string // or empty
	Evidence     Evidence
	SID          string    // the provider's own name of the session there, or empty
	AuthTime     time.Time // when they signed in there, where the provider tells and was not asked to have them do it anew
	Username     string    // what they might like to be called here
	Claims       json.RawMessage
	Tokens       []byte // to be kept sealed, or none

	Told   map[string]string // what a new profile says, by the names of its fields
	Mapped map[string]string // what a profile says from each sign-in on
	Roles  map[string]bool   // which of the roles that the provider gives the person deserves

	EmailProved         bool // the operator believes the provider that the address is this person's
	EmailsAuthoritative bool // and that whose address it is may enter the account that has verified it here
	MayRegister         bool // who is nobody here yet may make an account
}

// What can come of a sign-in with an account of elsewhere.
var (
	// ErrNobodyYet says that the account of elsewhere is linked to none here.
	ErrNobodyYet = errors.New("this account is not linked to one here")
	// ErrMayNotRegister says that this provider's people do not get accounts here by themselves.
	ErrMayNotRegister = errors.New("new accounts cannot be made this way; sign in to the account that you have, or ask whoever runs this service for one")
	// ErrHasAccount says that the address, which is theirs, belongs to an account already.
	ErrHasAccount = errors.New("there is an account with this e-mail address already; sign in to it to link the two")
)

func (e External) account(userID uuid.UUID, now time.Time) *ExternalAccount {
	return &ExternalAccount{
		ID: newID(), UserID: userID, Provider: e.Provider, Issuer: e.Issuer, Subject: e.Subject, Label: e.Label, Profile: e.Claims,
		LastUsedAt: now, CreatedAt: now, ModifiedAt: now,
	}
}

// SignInExternally starts a session for the person whose account of elsewhere it is, as SignIn does, and brings what is
// kept of that account up to date. It returns ErrNobodyYet where it is nobody's, and ErrSignInRefused where the account
// here lets nobody in. An account here with the same e-mail address is not theirs for that, unless the operator has
// declared the provider's addresses authoritative.
func (s *Store) SignInExternally(ctx context.Context, external External, device Device, current *Session) (*Admission, error) {
	account, user, err := s.externalOwner(ctx, external)
	if err != nil {
		return nil, err
	}
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Admission, error) {
		now, account := s.Now(), account
		if account == nil { // theirs by the address
			if err := s.lockWaysIn(ctx, tx, user.ID); err != nil {
				return nil, err
			}
			var err error
			if account, err = s.link(ctx, tx, now, user, external, true); err != nil {
				return nil, err
			}
		}
		admission, err := s.admit(ctx, tx, now, externalStep(external, user, account, device, current))
		if err != nil {
			return nil, err
		}
		if admission.Session != nil {
			ctx = audit.AsNamed(ctx, user.Actor())
		}
		return admission, s.refresh(ctx, tx, now, account, external)
	})
	if errors.Is(err, errUnlinked) || errors.Is(err, ErrSignInRefused) {
		return nil, ErrSignInRefused
	}
	if err != nil {
		return nil, fmt.Errorf("sign in with %s: %w", external.Provider, err)
	}
	return admission, nil
}

var errUnlinked = errors.New("the account was unlinked meanwhile")

// externalOwner finds whose an account of elsewhere is. The account is nil where the person is known by their address
// alone, and it is the operator's will that this is enough. It returns ErrNobodyYet.
func (s *Store) externalOwner(ctx context.Context, external External) (*ExternalAccount, *User, error) {
	account := new(ExternalAccount)
	err := storage.NotFound(selectExternal(s.Database.Reader(), account, external).Scan(ctx))
	if err == nil {
		user, err := s.User(ctx, account.UserID)
		if errors.Is(err, storage.ErrNotFound) { // erased just now
			return nil, nil, ErrNobodyYet
		}
		return account, user, err
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, nil, fmt.Errorf("whose external account: %w", err)
	}
	if !external.EmailsAuthoritative || !external.EmailProved {
		return nil, nil, ErrNobodyYet
	}
	user, err := s.userByLogin(ctx, external.Email) // a verified address; it has an @
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, ErrNobodyYet
	}
	return nil, user, err
}

// externalStep is the first step of a person who comes from that account.
func externalStep(external External, user *User, account *ExternalAccount, device Device, current *Session) firstStep {
	evidence := external.Evidence
	evidence.External = &ExternalOrigin{AccountID: account.ID, SID: external.SID}
	return firstStep{
		user: user, login: external.Label, method: "fed", evidence: evidence, authTime: external.AuthTime,
		device: device, current: current,
	}
}

// refresh brings what is kept of an account of elsewhere, and what follows from it, up to date. It fails where the account
// was unlinked since it was read, and so does the sign-in.
func (s *Store) refresh(ctx context.Context, tx bun.Tx, now time.Time, account *ExternalAccount, external External) error {
	update := tx.NewUpdate().Model((*ExternalAccount)(nil)).Set("label = ?", external.Label).Set("profile = ?", string(external.Claims)).
		Set("last_used_at = ?", now).Set("modified_at = ?", now).Where("id = ? AND user_id = ?", account.ID, account.UserID)
	if len(external.Tokens) > 0 {
		update.Set("sealed_tokens = ?", s.Seal.Close(sealForTokens, external.Tokens))
	} else {
		update.Set("sealed_tokens = NULL") // the operator does not want them any more
	}
	if err := oneRow(update.Exec(ctx)); errors.Is(err, storage.ErrNotFound) {
		return errUnlinked
	} else if err != nil {
		return err
	}
	return s.follow(ctx, tx, now, account.UserID, external)
}

// follow makes profile and roles what the provider says, as far as the operator wants it to be believed.
func (s *Store) follow(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, external External) error {
	if len(external.Mapped) > 0 {
		err := s.changeProfile(ctx, tx, now, userID, func(before *Profile) Profile { return before.with(external.Mapped) })
		if err != nil {
			return err
		}
	}
	return grantUpstreamRoles(ctx, tx, now, userID, external)
}

// HasAccount tells whether the address of a person who comes from elsewhere, if it is proved to be theirs, belongs to an
// account here. Of an address that is not proved it says nothing, for it might be anybody's.
func (s *Store) HasAccount(ctx context.Context, external External) (bool, error) {
	if !external.EmailProved {
		return false, nil
	}
	_, err := s.userByLogin(ctx, external.Email)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RegisterExternally makes an account for a person who comes from elsewhere, with that as the way in and no password, and
// starts a session. The e-mail address is verified if the provider is believed that it is theirs; if not, they get a link.
// Of several at once with the same account of elsewhere one makes the account, and all are let in.
//
// It returns FieldFaults for the username, ErrMayNotRegister, ErrHasAccount, ErrTooManyRegistrations or ErrTooManySendings.
func (s *Store) RegisterExternally(ctx context.Context, external External, username string, device Device, current *Session) (*Admission, error) {
	if !external.MayRegister {
		return nil, ErrMayNotRegister
	}
	if s.Memory.Count(ctx, "registration forms from "+device.Source(), registrationWindow) > maxRegistrationForms {
		return nil, ErrTooManyRegistrations
	}
	now := s.Now()
	user := &User{
		ID: newID(), Username: strings.TrimSpace(username), IsActive: true, SessionVersion: 1,
		LastLoginAt: &now, LastLoginIP: device.IP, CreatedAt: now, ModifiedAt: now,
	}
	user.CreatedBy, user.ModifiedBy = user.Actor(), user.Actor()
	var err error
	if user.UsernameKey, err = usernameKey(user.Username); err != nil {
		return nil, FieldFaults{"username": err}
	}
	email, err := s.newExternalEmail(ctx, user, external, now)
	if err != nil {
		return nil, err
	}
	if s.Memory.Count(ctx, "registrations from "+device.Source(), registrationWindow) > maxRegistrations {
		return nil, ErrTooManyRegistrations
	}
	self := audit.AsNamed(ctx, user.Actor()) // the person themself does this
	admission, err := storage.Write(self, s.Database, func(ctx context.Context, tx bun.Tx) (*Admission, error) {
		if err := insertUser(ctx, tx, now, user, "", email); err != nil {
			return nil, err
		}
		account, err := s.link(ctx, tx, now, user, external, false)
		if err != nil {
			return nil, err
		}
		if email != nil && email.VerifiedAt == nil {
			if err := s.sendEmailProof(ctx, tx, now, user, email); err != nil {
				return nil, err
			}
		}
		err = s.changeProfile(ctx, tx, now, user.ID, func(blank *Profile) Profile { return blank.with(external.Told) })
		if err != nil {
			return nil, err
		}
		if err := s.follow(ctx, tx, now, user.ID, external); err != nil {
			return nil, err
		}
		return s.start(ctx, tx, now, externalStep(external, user, account, device, current), notTrusted)
	})
	switch {
	case errors.Is(err, ErrExternalTaken): // by this person themself, in another tab, who was faster
		return s.SignInExternally(ctx, external, device, current)
	case errors.Is(err, ErrUsernameTaken):
		account, _, err := s.externalOwner(ctx, external)
		if err != nil && !errors.Is(err, ErrNobodyYet) {
			return nil, fmt.Errorf("register from %s: %w", external.Provider, err)
		}
		if account != nil { // by the same
			return s.SignInExternally(ctx, external, device, current)
		}
		return nil, FieldFaults{"username": ErrUsernameTaken}
	case storage.Violates(err, "address"):
		return nil, ErrHasAccount
	case err != nil:
		return nil, fmt.Errorf("register from %s: %w", external.Provider, err)
	}
	return admission, nil
}

// newExternalEmail is the address of a new account, nil where the provider tells none that is one. It returns ErrHasAccount
// where it is proved to be theirs, but verified by an account already.
func (s *Store) newExternalEmail(ctx context.Context, user *User, external External, now time.Time) (*Email, error) {
	email, unusable := newEmail(user.ID, external.Email, external.EmailProved, now)
	if unusable != nil {
		return nil, nil // an account without an address is one too
	}
	email.IsPrimary = true
	if has, err := s.HasAccount(ctx, external); err != nil {
		return nil, err
	} else if has {
		return nil, ErrHasAccount
	}
	if email.VerifiedAt == nil {
		if err := s.maySend(ctx, MessageVerifyEmail, email.AddressKey); err != nil {
			return nil, err
		}
	}
	return email, nil
}

// FreeUsername returns a username that nobody bears: what was wanted, as far as it can be one, if need be with a number.
func (s *Store) FreeUsername(ctx context.Context, wanted string) (string, error) {
	wanted, _, _ = strings.Cut(strings.TrimSpace(wanted), "@")
	wanted = strings.Join(strings.Fields(wanted), ".")
	if _, err := usernameKey(wanted); err != nil {
		return "", nil
	}
	for _, username := range []string{wanted, wanted + "2", wanted + "3", wanted + "4", wanted + "5"} {
		if taken, err := s.usernameTaken(ctx, username); err != nil || !taken {
			return username, err
		}
	}
	return "", nil
}
