package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"golang.org/x/crypto/argon2"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// What can go wrong with a password.
var (
	ErrPasswordWeak     = errors.New("a password needs at least 8 characters, and at most 256")
	ErrPasswordCommon   = errors.New("this password is among those that everybody tries first")
	ErrPasswordPersonal = errors.New("this password is little more than your name or address")
	ErrBusy             = errors.New("too many passwords are being checked just now")
)

const (
	minPassword = 8
	maxPassword = 256 // bytes; more only costs time
)

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return ErrPasswordWeak
	}
	if Strength(password, nil) < minStrength {
		return ErrPasswordCommon
	}
	return nil
}

// checkNewPassword says what is wrong with a password that a person chooses: ErrPasswordWeak, ErrPasswordCommon or
// ErrPasswordPersonal. Length counts, composition does not (NIST SP 800-63B, section 5.1.1.2).
func (s *Store) checkNewPassword(ctx context.Context, user *User, password string) error {
	if err := checkPassword(password); err != nil { // before the questions to the database
		return err
	}
	own := []string{user.Username}
	profile, err := s.Profile(ctx, user.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if profile != nil {
		own = append(own, profile.Name, profile.GivenName, profile.FamilyName, profile.Nickname, profile.Birthdate)
	}
	emails, err := s.Emails(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, email := range emails {
		own = append(own, email.known()...)
	}
	phones, err := s.Phones(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, phone := range phones {
		own = append(own, strings.TrimPrefix(phone.Number, "+"))
	}
	return checkOwnPassword(password, own)
}

// checkOwnPassword is checkPassword for somebody of whom own is known.
func checkOwnPassword(password string, own []string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if Strength(password, own) < minStrength || isPersonal(password, own) {
		return ErrPasswordPersonal
	}
	return nil
}

// isPersonal tells whether a password is little more than what anybody knows of its owner.
func isPersonal(password string, own []string) bool {
	folded := strings.ToLower(password)
	for _, known := range own {
		known = strings.ToLower(strings.TrimSpace(known))
		if utf8.RuneCountInString(known) >= 3 && strings.Contains(folded, known) && utf8.RuneCountInString(folded)-utf8.RuneCountInString(known) < minPassword/2 {
			return true
		}
	}
	return false
}

// ChangePassword sets another password for the person of a session who knows the present one; their other sessions
// end, and they are told. The session goes on with a new secret, which is returned: a copy of the old one is worth
// nothing. It returns ErrSignInRefused for a wrong present password, or what is wrong with the new one. Who has no
// password, and signs in with a passkey, knows none, but must have signed in lately: it returns ErrSignInNotFresh;
// and ErrSecondFactorOwed, as Reauthenticate does.
func (s *Store) ChangePassword(
	ctx context.Context, session *Session, device Device, present, password string,
) (secret string, err error) {
	user, err := s.User(ctx, session.UserID)
	if err != nil {
		return "", err
	}
	if user.PasswordHash == "" { // choosing one adds a way in
		if err := s.demandFresh(session); err != nil {
			return "", err
		}
	}
	if err := s.demandSecondFactor(ctx, session, device); err != nil {
		return "", err
	}
	guesses := "password changes of " + user.ID.String()
	if s.Memory.Count(ctx, guesses, failureWindow) > s.MaxFailures { // before the check: guesses may come all at once
		return "", ErrTooManySignIns
	}
	matches := present == ""
	if user.PasswordHash != "" {
		if matches, _, err = s.Hasher.Verify(ctx, user.PasswordHash, present); err != nil {
			return "", err
		}
	}
	if !matches {
		return "", ErrSignInRefused
	}
	if err := s.checkNewPassword(ctx, user, password); err != nil {
		return "", err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return "", err
	}
	now := s.Now()
	secret = storage.NewSecret()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		// While the hash was made the owner may have said that this session is not theirs.
		err := oneRow(tx.NewUpdate().Model((*Session)(nil)).Set("secret_hash = ?", storage.Digest(secret)).
			Where("id = ? AND ended_at IS NULL", session.ID).
			Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND is_active AND coalesce(password_hash, '') = ? AND session_version = ?)", user.ID, user.PasswordHash, session.SessionVersion).Exec(ctx))
		if errors.Is(err, storage.ErrNotFound) {
			return ErrSignInRefused
		} else if err != nil {
			return err
		}
		if err := voidSecrets(ctx, tx, user.ID, now); err != nil {
			return err
		}
		err = endSessions(ctx, tx, now, user.ID, EndedByPassword, func(q *bun.UpdateQuery) *bun.UpdateQuery {
			return q.Where("id <> ?", session.ID)
		})
		if err != nil {
			return err
		}
		if err := forgetDevices(ctx, tx, user.ID, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q }); err != nil {
			return err
		}
		return s.setPassword(ctx, tx, now, user, hash, "changed")
	})
	if errors.Is(err, ErrSignInRefused) {
		return "", ErrSignInRefused
	} else if err != nil {
		return "", fmt.Errorf("change password: %w", err)
	}
	s.Memory.Forget(ctx, guesses)
	return secret, nil
}

// RemovePassword leaves a person who has a passkey without a password: nobody can guess or phish what is not there. It
// returns the session's new secret, or ErrLastFactor where they have no passkey.
func (s *Store) RemovePassword(ctx context.Context, by *Reauthenticated) (secret string, err error) {
	return s.changeFactors(ctx, by, factorChange{kind: "password", id: by.UserID, action: "removed", message: MessageFactorRemoved}, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		if err := voidSecrets(ctx, tx, by.UserID, now); err != nil {
			return err
		}
		return oneRow(tx.NewUpdate().Model((*User)(nil)).Set("password_hash = NULL").Set("password_changed_at = ?", now).
			Where("id = ? AND password_hash IS NOT NULL", by.UserID).Exec(ctx))
	})
}

// setPassword writes a new password hash and tells its owner. A person who proved who they are is not locked any more.
func (s *Store) setPassword(ctx context.Context, tx bun.Tx, now time.Time, user *User, hash, how string) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).Set("password_hash = ?", hash).Set("password_changed_at = ?", now).
		Set("failed_login_attempts = 0").Set("locked_until = NULL").Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ?", user.ID).Exec(ctx)
	if err != nil {
		return err
	}
	err = audit.Record(ctx, tx, now, audit.Change{Entity: "password", EntityID: user.ID.String(), Action: how, UserID: user.ID})
	if err != nil {
		return err
	}
	actor := audit.ActorOf(ctx)
	return s.tellOwner(ctx, tx, now, user, MessagePasswordChanged, proofNotMe, notMeProofLifetime, nil, from(Device{UserAgent: actor.UserAgent, IP: actor.IP}))
}

// Hasher hashes passwords with argon2id (RFC 9106). The parameters are stored with each hash, so they can be raised at
// any time. It bounds how many run at once, for each takes its memory and a core; those who wait too long get ErrBusy.
type Hasher struct {
	memory   uint32 // KiB
	passes   uint32
	running  chan struct{}
	waiting  atomic.Int64
	patience time.Duration
	dummy    string
}

const (
	argonLanes = 1
	argonSalt  = 16 // bytes
	argonKey   = 32 // bytes
)

// NewHasher returns a Hasher that uses memory KiB and that many passes, runs at most parallel at once and lets others
// wait for at most patience. OWASP's minimum is 19456 KiB and 2 passes.
func NewHasher(memory, passes uint32, parallel int, patience time.Duration) *Hasher {
	h := &Hasher{memory: memory, passes: passes, running: make(chan struct{}, parallel), patience: patience}
	h.dummy = h.encode(make([]byte, argonSalt), make([]byte, argonKey))
	return h
}

// Hash returns the PHC string of password, or ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails, says its documentation
	return h.encode(salt, argon2.IDKey([]byte(password), salt, h.passes, h.memory, argonLanes, argonKey)), nil
}

// Verify tells whether password is the one that hash was made of, and whether it should be hashed anew because it was made
// elsewhere or the parameters have changed since. An empty hash (no such person, or no password) costs the same time as
// one of ours and never matches.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (matches, outdated bool, err error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	stored, err := readHash(hash)
	if err != nil {
		return false, false, fmt.Errorf("verify password: the stored hash: %w", err)
	}
	if len(password) > maxPassword {
		password = "" // nobody's password: checkPassword refused it
		known = false
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	matches, err = stored.matches(password)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %s: %w", stored.scheme, err)
	}
	matches = matches && known
	return matches, matches && stored.recipe != argonRecipe(h.memory, h.passes, argonLanes, argonSalt, argonKey), nil
}

// Load tells how many passwords are being hashed and how many wait.
func (h *Hasher) Load() (running, waiting int) { return len(h.running), int(h.waiting.Load()) }

func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	h.waiting.Add(1)
	defer h.waiting.Add(-1)
	timer := time.NewTimer(h.patience)
	defer timer.Stop()
	select {
	case h.running <- struct{}{}:
		return func() { <-h.running }, nil
	case <-timer.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// encode writes the PHC string format.
func (h *Hasher) encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
