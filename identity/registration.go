package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Registration is a person who makes an account for themself. Name may be empty.
type Registration struct {
	Username string
	Email    string
	Name     string
	Password string
	Secret   string // of an invitation; empty where strangers may make accounts
	Device   Device
	Current  *Session // the live session that this browser has already, or nil
}

// ErrTooManyRegistrations says that one address made many accounts.
var ErrTooManyRegistrations = errors.New("many accounts were made from your network; try again in an hour")

// ErrPasswordMissing says that no password was chosen.
var ErrPasswordMissing = errors.New("choose a password")

const (
	maxRegistrationForms = 100 // from one network, in registrationWindow, whatever is wrong with them
	maxRegistrations     = 20  // of which so many are in order
	registrationWindow   = time.Hour
)

// Strength estimates how hard the chosen password is to guess for who knows what the person just told: 0 to 4, as
// the function Strength does.
func (r Registration) Strength() int { return Strength(r.Password, r.own()) }

// own is what anybody who knows the person may try as their password.
func (r Registration) own() []string {
	own := append([]string{r.Username, r.Name}, strings.Fields(r.Name)...)
	if key, err := emailKey(r.Email); err == nil {
		own = append(own, (&Email{AddressKey: key}).known()...)
	}
	return own
}

// clean brings what was typed into the form that is kept, and says what is wrong with which field.
func (r *Registration) clean() FieldFaults {
	r.Username, r.Email, r.Name = strings.TrimSpace(r.Username), strings.TrimSpace(r.Email), strings.TrimSpace(r.Name)
	faults := make(FieldFaults)
	_, err := usernameKey(r.Username)
	faults.add("username", err)
	_, err = emailKey(r.Email)
	faults.add("email", err)
	_, err = line(maxName)(r.Name)
	faults.add("name", err)
	if r.Password == "" {
		faults["password"] = ErrPasswordMissing
	} else {
		faults.add("password", checkOwnPassword(r.Password, r.own()))
	}
	return faults
}

// Register makes an account, sends a link to its e-mail address that verifies it, and starts a session on this device, as
// SignIn does: whoever chose the password has shown that they know it, so amr says pwd.
//
// It returns FieldFaults, ErrProof for an invitation that does not work (any more), ErrTooManyRegistrations,
// ErrTooManySendings or ErrBusy. That a username is taken is said at its
// field, for usernames are public. Whose an e-mail address is is not: it is neither asked nor said, the address stays
// unverified, and only who reads the mail there learns more.
func (s *Store) Register(ctx context.Context, r Registration) (*Admission, error) {
	var invitation *Invitation
	if r.Secret != "" {
		var err error
		if invitation, err = s.OpenInvitation(ctx, r.Secret); err != nil {
			return nil, err
		}
	}
	if s.Memory.Count(ctx, "registration forms from "+r.Device.Source(), registrationWindow) > maxRegistrationForms {
		return nil, ErrTooManyRegistrations
	}
	faults := r.clean()
	if faults["username"] == nil {
		// Asked beforehand, so that everything that is wrong is said at once, and a taken name costs neither a hash nor one
		// of the messages that may go to the address.
		taken, err := s.usernameTaken(ctx, r.Username)
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		if taken {
			faults["username"] = ErrUsernameTaken
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if s.Memory.Count(ctx, "registrations from "+r.Device.Source(), registrationWindow) > maxRegistrations {
		return nil, ErrTooManyRegistrations
	}
	now := s.Now()
	user := &User{
		ID: newID(), Username: r.Username, IsActive: true, SessionVersion: 1, PasswordChangedAt: &now,
		LastLoginAt: &now, LastLoginIP: r.Device.IP, CreatedAt: now, ModifiedAt: now,
	}
	user.CreatedBy, user.ModifiedBy = user.Actor(), user.Actor()
	var err error
	if user.UsernameKey, err = usernameKey(r.Username); err != nil {
		return nil, err
	}
	email, err := newEmail(user.ID, r.Email, invitation.reached(r.Email), now)
	if err != nil {
		return nil, err
	}
	email.IsPrimary = true
	if email.VerifiedAt == nil {
		if err := s.maySend(ctx, MessageVerifyEmail, email.AddressKey); err != nil {
			return nil, err
		}
	}
	if user.PasswordHash, err = s.Hasher.Hash(ctx, r.Password); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	self := audit.AsNamed(ctx, user.Actor()) // the person themself does this
	admission, err := storage.Write(self, s.Database, func(ctx context.Context, tx bun.Tx) (*Admission, error) {
		var used *Invitation
		if r.Secret != "" {
			var err error
			if used, err = s.useInvitation(ctx, tx, now, r.Secret); err != nil {
				return nil, err
			}
		}
		if err := insertUser(ctx, tx, now, user, r.Name, email); err != nil {
			return nil, err
		}
		if used != nil {
			if err := welcome(ctx, tx, now, used, user); err != nil {
				return nil, err
			}
		}
		if email.VerifiedAt == nil {
			if err := s.sendEmailProof(ctx, tx, now, user, email); err != nil {
				return nil, err
			}
		}
		step := firstStep{user: user, login: r.Username, method: "pwd", evidence: passwordEvidence, device: r.Device, current: r.Current}
		return s.start(ctx, tx, now, step, notTrusted)
	})
	if errors.Is(err, ErrProof) {
		return nil, ErrProof
	}
	if storage.Violates(err, "address") { // which the invitation proves to be theirs, but another account has proved it too
		return nil, FieldFaults{"email": ErrEmailTaken}
	}
	if errors.Is(err, ErrUsernameTaken) { // by somebody who was faster
		return nil, FieldFaults{"username": ErrUsernameTaken}
	}
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	return admission, nil
}
