package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// SignUp is a person who makes an account for themself. Name may be empty.
type SignUp struct {
	Username string
	Email    string
	Name     string
	Password string
	Secret   string // of an invitation; empty where strangers may make accounts
	Device   identity.Device
	Current  *identity.Session // the live session that this browser has already, or nil
}

// ErrTooManySignUps says that one address made many accounts.
var ErrTooManySignUps = refusal.New("signup.limit", "too many sign-ups from one network")

const (
	maxSignUpForms = 100 // from one network, in signUpWindow, whatever is wrong with them
	maxSignUps     = 20  // of which so many are in order
	signUpWindow   = time.Hour
)

// Strength estimates how hard the chosen password is to guess for who knows what the person just told: 0 to 4, as
// the function Strength does.
func (r SignUp) Strength() int { return password.Strength(r.Password, r.own()) }

// own is what anybody who knows the person may try as their password.
func (r SignUp) own() []string {
	own := append([]string{r.Username, r.Name}, strings.Fields(r.Name)...)
	if key, err := identifier.EmailKey(r.Email); err == nil {
		own = append(own, (&identity.Email{AddressKey: key}).Known()...)
	}
	return own
}

// clean brings what was typed into the form that is kept, and says what is wrong with which field.
func (r *SignUp) clean() refusal.FieldFaults {
	r.Username, r.Email, r.Name = strings.TrimSpace(r.Username), strings.TrimSpace(r.Email), strings.TrimSpace(r.Name)
	faults := make(refusal.FieldFaults)
	_, err := identifier.NewUsernameKey(r.Username)
	faults.Add("username", err)
	_, err = identifier.EmailKey(r.Email)
	faults.Add("email", err)
	_, err = profile.OneLine(profile.MaxName)(r.Name)
	faults.Add("name", err)
	if r.Password == "" {
		faults["password"] = password.ErrMissing
	} else {
		faults.Add("password", password.CheckOwn(r.Password, r.own()))
	}
	return faults
}

// SignUp makes an account, sends a link to its e-mail address that verifies it, and starts a session on this device, as
// SignIn does: whoever chose the password has shown that they know it, so amr says pwd.
//
// It returns FieldFaults, ErrProof for an invitation that does not work (any more), ErrTooManySignUps,
// ErrTooManySendings or password.ErrBusy. That a username is taken is said at its
// field, for usernames are public. Whose an e-mail address is is not: it is neither asked nor said, the address stays
// unverified, and only who reads the mail there learns more.
func (s *Store) SignUp(ctx context.Context, r SignUp) (*Outcome, error) {
	var invitation *Invitation
	if r.Secret != "" {
		var err error
		if invitation, err = s.Invitations().Open(ctx, r.Secret); err != nil {
			return nil, err
		}
	}
	if err := s.checkSignUp(ctx, &r); err != nil {
		return nil, err
	}
	user, email, err := s.newAccount(ctx, r, invitation)
	if err != nil {
		return nil, err
	}
	self := audit.AsNamed(ctx, user.Actor()) // the person themself does this
	outcome, err := storage.Write(self, s.Database, func(ctx context.Context, tx bun.Tx) (*Outcome, error) {
		return s.insertSignUp(ctx, tx, r, user, email)
	})
	switch {
	case errors.Is(err, identity.ErrProof):
		return nil, identity.ErrProof
	// which the invitation proves to be theirs, but another account has proved it too
	case storage.Violates(err, "address"):
		return nil, refusal.FieldFaults{"email": identity.ErrEmailTaken}
	case errors.Is(err, identity.ErrUsernameTaken): // by somebody who was faster
		return nil, refusal.FieldFaults{"username": identity.ErrUsernameTaken}
	case err != nil:
		return nil, fmt.Errorf("register: %w", err)
	}
	return outcome, nil
}

// checkSignUp cleans what was typed and returns what is wrong with it, or with how often it was tried.
func (s *Store) checkSignUp(ctx context.Context, r *SignUp) error {
	if s.Cache.Count(ctx, "registration forms from "+r.Device.Source(), signUpWindow) > maxSignUpForms {
		return ErrTooManySignUps
	}
	faults := r.clean()
	if faults["username"] == nil {
		// Asked beforehand, so that everything that is wrong is said at once, and a taken name costs neither a hash nor one
		// of the messages that may go to the address.
		taken, err := s.Users().IsTaken(ctx, r.Username)
		if err != nil {
			return fmt.Errorf("register: %w", err)
		}
		if taken {
			faults["username"] = identity.ErrUsernameTaken
		}
	}
	if len(faults) > 0 {
		return faults
	}
	if s.Cache.Count(ctx, "registrations from "+r.Device.Source(), signUpWindow) > maxSignUps {
		return ErrTooManySignUps
	}
	return nil
}

// newAccount makes the rows of an account that is to be signed up.
func (s *Store) newAccount(
	ctx context.Context, r SignUp, invitation *Invitation,
) (user *identity.User, email *identity.Email, err error) {
	now := s.Now()
	user = &identity.User{
		ID: storage.NewID(), Username: r.Username, IsActive: true, SessionVersion: 1, PasswordChangedAt: &now,
		LastLoginAt: &now, LastLoginIP: r.Device.IP, CreatedAt: now, ModifiedAt: now,
	}
	user.CreatedBy, user.ModifiedBy = user.Actor(), user.Actor()
	if user.UsernameKey, err = identifier.NewUsernameKey(r.Username); err != nil {
		return nil, nil, err
	}
	if email, err = identity.NewEmail(user.ID, r.Email, invitation.reached(r.Email), now); err != nil {
		return nil, nil, err
	}
	email.IsPrimary = true
	if email.VerifiedAt == nil {
		if err := s.MaySend(ctx, identity.MessageVerifyEmail, email.AddressKey); err != nil {
			return nil, nil, err
		}
	}
	if user.PasswordHash, err = s.Hasher.Hash(ctx, r.Password); err != nil {
		return nil, nil, fmt.Errorf("register: %w", err)
	}
	return user, email, nil
}

// insertSignUp writes a new account, uses its invitation up, and starts its session.
func (s *Store) insertSignUp(
	ctx context.Context, tx bun.Tx, r SignUp, user *identity.User, email *identity.Email,
) (*Outcome, error) {
	now := user.CreatedAt
	var invitation *Invitation
	if r.Secret != "" {
		var err error
		if invitation, err = s.Invitations().use(ctx, tx, now, r.Secret); err != nil {
			return nil, err
		}
	}
	if err := identity.InsertUser(ctx, tx, now, user, r.Name, email); err != nil {
		return nil, err
	}
	if invitation != nil {
		if err := welcome(ctx, tx, now, invitation, user); err != nil {
			return nil, err
		}
	}
	if email.VerifiedAt == nil {
		if err := s.Emails().SendProof(ctx, tx, now, user, email); err != nil {
			return nil, err
		}
	}
	return s.start(ctx, tx, now, firstStep{
		user: user, login: r.Username, method: "pwd", evidence: identity.PasswordEvidence,
		device: r.Device, current: r.Current,
	}, identity.NotTrusted)
}
