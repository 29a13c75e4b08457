package factor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// What the kinds of factors have in common: how one is added and removed, and what that does to the account.

// Proved is a factor that was shown rightly and is still to be used up: of several answers with one code, one gets
// through.
type Proved struct {
	Method   string // for the list of attempts
	Evidence identity.Evidence
	Key      *Authenticator // that was shown; nil: a code was

	// Use tells whether the factor was used up; for a key, storage.ErrUsedBefore is for an answer that comes again.
	Use func(ctx context.Context, tx bun.Tx, now time.Time) (bool, error)
}

// Change is what happens to a factor of a person.
type Change struct {
	Kind     string // what the audit trail calls it: "totp"
	ID       uuid.UUID
	name     string            // what its owner calls it
	Action   string            // "added", "removed"
	Message  string            // what its owner is told
	evidence identity.Evidence // what adding it has proved besides; empty: nothing
	weakens  bool              // so that the person's other sessions end
}

// ErrLastFactor says that a person would have no way in any more.
var ErrLastFactor = refusal.New("factor.last", "this is the only way in")

func (s *Store) add(
	ctx context.Context, by *identity.Reauthenticated, change Change, add func(context.Context, bun.Tx, time.Time) error,
) (secret string, err error) {
	change.Action, change.Message = "added", identity.MessageFactorAdded
	return s.Change(ctx, by, change, add)
}

func (s *Store) remove(
	ctx context.Context, by *identity.Reauthenticated, change Change, model any,
) (secret string, err error) {
	change.Action, change.Message, change.weakens = "removed", identity.MessageFactorRemoved, true
	return s.Change(ctx, by, change, func(ctx context.Context, tx bun.Tx, _ time.Time) error {
		return storage.OneRow(tx.NewDelete().Model(model).Where("id = ? AND user_id = ?", change.ID, by.UserID).Exec(ctx))
	})
}

// Change does something to a person's factors as one step: the change itself, what the account knows of its factors,
// the audit trail, a mail to the owner, and the session, which gets a new secret that is returned. It returns
// storage.ErrNotFound where the session has ended meanwhile or there is no such factor, and ErrLastFactor.
func (s *Store) Change(
	ctx context.Context, by *identity.Reauthenticated, change Change, do func(context.Context, bun.Tx, time.Time) error,
) (secret string, err error) {
	now := s.Now()
	secret = storage.NewSecret()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.LockWaysIn(ctx, tx, by.UserID); err != nil {
			return err
		}
		if err := do(ctx, tx, now); err != nil {
			return err
		}
		if change.Action == "removed" {
			if has, err := identity.OwnWayIn(ctx, tx, by.UserID); err != nil {
				return err
			} else if !has {
				return ErrLastFactor
			}
		}
		if err := settleFactors(ctx, tx, by.UserID); err != nil {
			return err
		}
		if err := s.settleSessions(ctx, tx, now, by, change, secret); err != nil {
			return err
		}
		if err := change.record(ctx, tx, now, by.UserID); err != nil {
			return err
		}
		told := identity.OriginOf(identity.Device{UserAgent: audit.ActorOf(ctx).UserAgent, IP: audit.ActorOf(ctx).IP})
		told["factor"] = change.Kind
		return s.TellOwner(
			ctx, tx, now, by.User, change.Message, identity.ProofNotMe, identity.NotMeProofLifetime, &by.ID, told,
		)
	})
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", change.Kind, change.Action, err)
	}
	return secret, nil
}

// settleSessions gives the session a new secret, and takes from the others what rested on the factors of before.
func (s *Store) settleSessions(
	ctx context.Context, tx bun.Tx, now time.Time, by *identity.Reauthenticated, change Change, secret string,
) error {
	// Browsers come before sessions, as in RaiseVersion.
	if _, err := tx.NewUpdate().Model((*identity.KnownDevice)(nil)).
		Set("trusted_until = NULL").
		Where("user_id = ?", by.UserID).Exec(ctx); err != nil {
		return err
	}
	evidence := identity.Evidence{AMR: by.AMR, ACR: by.ACR}
	if change.evidence.AMR != nil {
		evidence = evidence.With(change.evidence)
	}
	if err := identity.RenewSession(ctx, tx, by.Proven(), evidence, secret); err != nil {
		return err
	}
	if !change.weakens {
		return nil
	}
	others := func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id <> ?", by.ID) }
	_, err := s.Sessions().EndThose(ctx, tx, now, by.UserID, identity.EndedByFactor, others)
	return err
}

// record writes the change into the audit trail.
func (c Change) record(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID) error {
	values := audit.Values{}
	if c.name != "" {
		values["name"] = c.name
	}
	entry := audit.Change{Entity: c.Kind, EntityID: c.ID.String(), Action: c.Action, UserID: userID, New: values}
	if c.Action == "removed" {
		entry.Old, entry.New = values, nil
	}
	return audit.Record(ctx, tx, now, entry)
}

// settleFactors brings what an account's row says of its factors up to date. Whoever changes a factor calls it. A
// passkey alone asks for no second step: it is one's own way in, and no reason to lock out who types a password
// elsewhere. Backup codes go with the last factor that they could stand in for, so that none lie in wait for the next.
func settleFactors(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	if err := settleFlags(ctx, tx, userID); err != nil {
		return err
	}
	_, err := tx.NewDelete().Model((*BackupCode)(nil)).
		Where(
			"user_id = ? AND NOT EXISTS (SELECT 1 FROM users WHERE id = ? AND (two_factor OR has_webauthn))", userID, userID,
		).Exec(ctx)
	return err
}

func settleFlags(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	_, err := tx.NewUpdate().Model((*identity.User)(nil)).
		Set(
			"two_factor = EXISTS (SELECT 1 FROM totps WHERE user_id = ? AND confirmed_at IS NOT NULL) OR EXISTS (SELECT 1 FROM hardware_keys WHERE user_id = ?)",
			userID, userID,
		).
		Set(
			"has_webauthn = EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?) OR EXISTS (SELECT 1 FROM hardware_keys WHERE user_id = ?)",
			userID, userID,
		).
		Where("id = ?", userID).Exec(ctx)
	return err
}

// mayHaveAnother returns ErrTooManyFactors where a person has as many factors of a kind as they may have.
func mayHaveAnother(ctx context.Context, tx bun.Tx, model any, userID uuid.UUID) error {
	held, err := tx.NewSelect().Model(model).Where("user_id = ?", userID).Count(ctx)
	if err == nil && held >= maxFactorsOfKind {
		return ErrTooManyFactors
	}
	return err
}

// Factors are all the factors of a person besides the password.
type Factors struct {
	Passkeys     []Passkey
	HardwareKeys []HardwareKey
	TOTPs        []TOTP
	BackupCodes  int        // that are left
	BackupMadeAt *time.Time // when the backup codes were made; nil: never
	BackupDueAt  *time.Time // when they are removed: see Disown; nil: never
}

// RemovalDueAt is when the first of the second factors goes that wait to be removed; nil: none does.
func (f *Factors) RemovalDueAt() *time.Time {
	var first *time.Time
	sooner := func(due *time.Time) {
		if due != nil && (first == nil || due.Before(*first)) {
			first = due
		}
	}
	for _, key := range f.HardwareKeys {
		sooner(key.RemovalDueAt)
	}
	for _, app := range f.TOTPs {
		sooner(app.RemovalDueAt)
	}
	sooner(f.BackupDueAt)
	return first
}

// List lists what a person signs in with, besides the password.
func (s *Store) List(ctx context.Context, userID uuid.UUID) (*Factors, error) {
	var factors Factors
	var passkeysErr, keysErr, totpsErr error
	factors.Passkeys, passkeysErr = s.Passkeys().List(ctx, userID)
	factors.HardwareKeys, keysErr = s.HardwareKeys().List(ctx, userID)
	factors.TOTPs, totpsErr = s.TOTPs().List(ctx, userID)
	codes, codesErr := s.BackupCodes().List(ctx, userID)
	for _, code := range codes {
		factors.BackupMadeAt, factors.BackupDueAt = &code.CreatedAt, code.RemovalDueAt
		if code.UsedAt == nil {
			factors.BackupCodes++
		}
	}
	return &factors, errors.Join(passkeysErr, keysErr, totpsErr, codesErr)
}

// factorModels are the tables of factors.
var factorModels = map[string]any{
	"passkeys": (*Passkey)(nil), "hardware_keys": (*HardwareKey)(nil), "totps": (*TOTP)(nil),
	"backup_codes": (*BackupCode)(nil),
}

// Reset removes every factor of a person but the password, for somebody who has lost them all, and signs them out
// everywhere. It returns how many rows of each kind went. Only an operator may, who has made sure whom they talk to.
func (s *Store) Reset(ctx context.Context, user *identity.User) (map[string]int64, error) {
	now := s.Now()
	removed, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (map[string]int64, error) {
		if err := s.LockWaysIn(ctx, tx, user.ID); err != nil {
			return nil, err
		}
		if _, err := s.Sessions().RaiseVersion(ctx, tx, now, user.ID, identity.EndedByOperator); err != nil {
			return nil, err
		}
		removed, err := removeAll(ctx, tx, user.ID)
		if err != nil {
			return nil, err
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: user.ID.String(), Action: "factors_reset", UserID: user.ID, Old: CountValues(removed),
		})
		if err != nil {
			return nil, err
		}
		return removed, s.TellOwner(ctx, tx, now, user, identity.MessageFactorsReset, "", 0, nil, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("reset factors: %w", err)
	}
	return removed, nil
}

// CountValues are how many factors of each kind were removed, for the audit trail.
func CountValues(counts map[string]int64) audit.Values {
	values := audit.Values{}
	for kind, n := range counts {
		values[kind] = n
	}
	return values
}

// removeAll removes a person's factors, and returns how many of each kind.
func removeAll(ctx context.Context, tx bun.Tx, userID uuid.UUID) (map[string]int64, error) {
	removed := make(map[string]int64)
	for kind, model := range factorModels {
		result, err := tx.NewDelete().Model(model).Where("user_id = ?", userID).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if removed[kind], err = result.RowsAffected(); err != nil {
			return nil, err
		}
	}
	return removed, settleFactors(ctx, tx, userID)
}

// Answer is what a person answers to the question for a second factor: a code, or what a key said.
type Answer struct {
	Code     string // of an app, or a backup code
	State    string // of the Ceremony, with Response
	Response string // of the browser, as JSON
}
