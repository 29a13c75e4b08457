package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// What can come of a sign-in with an account of elsewhere.
var (
	// ErrNotLinked says that the account of elsewhere is linked to none here.
	ErrNotLinked = errors.New("this account is not linked to one here")
	// ErrMayNotRegister says that this provider's people do not get accounts here by themselves.
	ErrMayNotRegister = refusal.New("signup.not_allowed", "people of this provider may not sign up")
	// ErrHasAccount says that the address, which is theirs, belongs to an account already.
	ErrHasAccount = refusal.New("signup.has_account", "an account has this e-mail address already")
)

// SignIn starts a session for the person whose account of elsewhere it is, as SignIn does, and brings what is
// kept of that account up to date. It returns ErrNotLinked where it is nobody's, and ErrRefused where the account
// here lets nobody in. An account here with the same e-mail address is not theirs for that, unless the operator has
// declared the provider's addresses authoritative.
func (s External) SignIn(
	ctx context.Context, external identity.External, device identity.Device, current *identity.Session,
) (*Outcome, error) {
	account, user, err := s.owner(ctx, external)
	if err != nil {
		return nil, err
	}
	admission, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Outcome, error) {
		if err := s.LockWaysIn(ctx, tx, user.ID); err != nil {
			return nil, err
		}
		if err := external.DemandTrust(ctx, tx); err != nil {
			return nil, err
		}
		now, account := s.Now(), account
		if account == nil { // theirs by the address
			var err error
			if account, err = s.ExternalAccounts().Attach(ctx, tx, now, user, external, nil); err != nil {
				return nil, err
			}
		}
		if err := s.refresh(ctx, tx, now, account, external); err != nil {
			return nil, err
		}
		admission, err := s.conclude(ctx, tx, now, externalStep(external, user, account, device, current))
		if err != nil {
			return nil, err
		}
		if admission.Session != nil {
			ctx = audit.AsNamed(ctx, user.Actor())
		}
		return admission, s.follow(ctx, tx, now, account.UserID, external)
	})
	if errors.Is(err, errUnlinked) || errors.Is(err, ErrRefused) {
		return nil, ErrRefused
	}
	if err != nil {
		return nil, fmt.Errorf("sign in with %s: %w", external.Provider, err)
	}
	return admission, nil
}

var errUnlinked = errors.New("the account was unlinked meanwhile")

// owner finds whose an account of elsewhere is. The account is nil where the person is known by their address
// alone, and it is the operator's will that this is enough. It returns ErrNotLinked.
func (s External) owner(
	ctx context.Context, external identity.External,
) (*identity.ExternalAccount, *identity.User, error) {
	account := new(identity.ExternalAccount)
	err := storage.NotFound(identity.SelectExternal(s.Database.Reader(), account, external).Scan(ctx))
	if err == nil {
		user, err := s.Users().ByID(ctx, account.UserID)
		if errors.Is(err, storage.ErrNotFound) { // erased just now
			return nil, nil, ErrNotLinked
		}
		return account, user, err
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, nil, fmt.Errorf("whose external account: %w", err)
	}
	if !external.EmailsAuthoritative || !external.EmailProved {
		return nil, nil, ErrNotLinked
	}
	user, err := s.Users().ByLogin(ctx, external.Email) // a verified address; it has an @
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, ErrNotLinked
	}
	return nil, user, err
}

// externalStep is the first step of a person who comes from that account.
func externalStep(
	external identity.External, user *identity.User, account *identity.ExternalAccount, device identity.Device,
	current *identity.Session,
) firstStep {
	evidence := external.Evidence
	evidence.External = &identity.ExternalOrigin{AccountID: account.ID, SID: external.SID}
	return firstStep{
		user: user, login: external.Label, method: "fed", evidence: evidence, authTime: external.AuthTime,
		device: device, current: current,
	}
}

// refresh brings what is kept of an account of elsewhere up to date. It returns errUnlinked where the account was
// unlinked since it was read; from here on it cannot be until the commit.
func (s External) refresh(
	ctx context.Context, tx bun.Tx, now time.Time, account *identity.ExternalAccount, external identity.External,
) error {
	update := tx.NewUpdate().Model((*identity.ExternalAccount)(nil)).
		Set("label = ?", external.Label).
		Set("profile = ?", string(external.Claims)).
		Set("last_used_at = ?", now).Set("modified_at = ?", now).Where("id = ? AND user_id = ?", account.ID, account.UserID)
	if len(external.Tokens) > 0 {
		update.Set("sealed_tokens = ?", s.Seal.Close(identity.SealForTokens, external.Tokens))
	} else {
		update.Set("sealed_tokens = NULL") // the operator does not want them any more
	}
	err := storage.OneRow(update.Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		return errUnlinked
	}
	return err
}

// follow makes profile, groups and roles what the provider says, as far as the operator wants it to be trusted.
func (s External) follow(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, external identity.External,
) error {
	if len(external.SyncedProfile) > 0 {
		err := s.Profiles().Change(ctx, tx, now, userID, func(before *profile.Profile) profile.Profile {
			return before.With(external.SyncedProfile)
		})
		if err != nil {
			return err
		}
	}
	return followUpstream(ctx, tx, now, userID, external)
}

// HasAccount tells whether the address of a person who comes from elsewhere, if it is proved to be theirs, belongs to
// an account here. Of an address that is not proved it says nothing, for it might be anybody's.
func (s External) HasAccount(ctx context.Context, external identity.External) (bool, error) {
	if !external.EmailProved {
		return false, nil
	}
	_, err := s.Users().ByLogin(ctx, external.Email)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// SignUp makes an account for a person who comes from elsewhere, with that as the way in and no password, and
// starts a session. The e-mail address is verified if the provider is trusted to know that it is theirs; if not, they
// get a link. Of several at once with the same account of elsewhere one makes the account, and all are let in.
//
// It returns FieldFaults for the username, ErrMayNotRegister, ErrHasAccount, ErrTooManySignUps or ErrTooManySendings.
func (s External) SignUp(
	ctx context.Context, external identity.External, username string, device identity.Device, current *identity.Session,
) (*Outcome, error) {
	if !external.MayRegister {
		return nil, ErrMayNotRegister
	}
	if s.Cache.Count(ctx, "registration forms from "+device.Source(), signUpWindow) > maxSignUpForms {
		return nil, ErrTooManySignUps
	}
	now := s.Now()
	user := &identity.User{
		ID: storage.NewID(), Username: strings.TrimSpace(username), IsActive: true, SessionVersion: 1,
		LastLoginAt: &now, LastLoginIP: device.IP, CreatedAt: now, ModifiedAt: now,
	}
	user.CreatedBy, user.ModifiedBy = user.Actor(), user.Actor()
	var err error
	if user.UsernameKey, err = identifier.NewUsernameKey(user.Username); err != nil {
		return nil, refusal.FieldFaults{"username": err}
	}
	email, err := s.newEmail(ctx, user, external, now)
	if err != nil {
		return nil, err
	}
	if s.Cache.Count(ctx, "registrations from "+device.Source(), signUpWindow) > maxSignUps {
		return nil, ErrTooManySignUps
	}
	self := audit.AsNamed(ctx, user.Actor()) // the person themself does this
	outcome, err := storage.Write(self, s.Database, func(ctx context.Context, tx bun.Tx) (*Outcome, error) {
		if err := external.DemandTrust(ctx, tx); err != nil {
			return nil, err
		}
		account, err := s.insert(ctx, tx, user, email, external)
		if err != nil {
			return nil, err
		}
		return s.start(ctx, tx, now, externalStep(external, user, account, device, current), identity.NotTrusted)
	})
	switch {
	case errors.Is(err, identity.ErrExternalTaken): // by this person themself, in another tab, who was faster
		return s.SignIn(ctx, external, device, current)
	case errors.Is(err, identity.ErrUsernameTaken):
		account, _, err := s.owner(ctx, external)
		if err != nil && !errors.Is(err, ErrNotLinked) {
			return nil, fmt.Errorf("register from %s: %w", external.Provider, err)
		}
		if account != nil { // by the same
			return s.SignIn(ctx, external, device, current)
		}
		return nil, refusal.FieldFaults{"username": identity.ErrUsernameTaken}
	case storage.Violates(err, "address"):
		return nil, ErrHasAccount
	case err != nil:
		return nil, fmt.Errorf("register from %s: %w", external.Provider, err)
	}
	return outcome, nil
}

// insert writes a new account with what the provider tells of its person, and the link by which they come in.
func (s External) insert(
	ctx context.Context, tx bun.Tx, user *identity.User, email *identity.Email, external identity.External,
) (*identity.ExternalAccount, error) {
	now := user.CreatedAt
	if err := identity.InsertUser(ctx, tx, now, user, "", email); err != nil {
		return nil, err
	}
	account, err := s.ExternalAccounts().Attach(ctx, tx, now, user, external, nil)
	if err != nil {
		return nil, err
	}
	if email != nil && email.VerifiedAt == nil {
		if err := s.Emails().SendProof(ctx, tx, now, user, email); err != nil {
			return nil, err
		}
	}
	told := func(blank *profile.Profile) profile.Profile { return blank.With(external.InitialProfile) }
	if err := s.Profiles().Change(ctx, tx, now, user.ID, told); err != nil {
		return nil, err
	}
	return account, s.follow(ctx, tx, now, user.ID, external)
}

// newEmail is the address of a new account, nil where the provider tells none that is one. It returns ErrHasAccount
// where it is proved to be theirs, but verified by an account already.
func (s External) newEmail(
	ctx context.Context, user *identity.User, external identity.External, now time.Time,
) (*identity.Email, error) {
	email, unusable := identity.NewEmail(user.ID, external.Email, external.EmailProved, now)
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
		if err := s.MaySend(ctx, identity.MessageVerifyEmail, email.AddressKey); err != nil {
			return nil, err
		}
	}
	return email, nil
}
