package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// What the kinds of factors have in common: how one is added and removed, and what that does to the account.

// answer is a factor that was shown rightly and is still to be used up: of several answers with one code, one gets through.
type answer struct {
	method   string // for the list of attempts
	evidence Evidence
	use      func(ctx context.Context, tx bun.Tx, now time.Time) (bool, error)
}

// factorChange is what happens to a factor of a person.
type factorChange struct {
	kind     string // what the audit trail calls it: "totp"
	id       uuid.UUID
	name     string   // what its owner calls it
	action   string   // "added", "removed"
	message  string   // what its owner is told
	evidence Evidence // what adding it has proved besides; empty: nothing
	weakens  bool     // so that the person's other sessions end
}

// ErrLastFactor says that a person would have no way in any more.
var ErrLastFactor = errors.New("this is your only way to sign in; choose a password or add another passkey first")

// factorNames say to people what the kinds are.
var factorNames = map[string]string{
	"password": "The password", "totp": "An authenticator app", "passkey": "A passkey", "hardware_key": "A security key",
}

func (s *Store) addFactor(
	ctx context.Context, by *Reauthenticated, change factorChange, add func(context.Context, bun.Tx, time.Time) error,
) (secret string, err error) {
	change.action, change.message = "added", MessageFactorAdded
	return s.changeFactors(ctx, by, change, add)
}

func (s *Store) removeFactor(
	ctx context.Context, by *Reauthenticated, change factorChange, model any,
) (secret string, err error) {
	change.action, change.message, change.weakens = "removed", MessageFactorRemoved, true
	return s.changeFactors(ctx, by, change, func(ctx context.Context, tx bun.Tx, _ time.Time) error {
		return oneRow(tx.NewDelete().Model(model).Where("id = ? AND user_id = ?", change.id, by.UserID).Exec(ctx))
	})
}

// changeFactors does something to a person's factors as one step: the change itself, what the account knows of its factors,
// the audit trail, a mail to the owner, and the session, which gets a new secret that is returned. It returns
// storage.ErrNotFound where the session has ended meanwhile or there is no such factor, and ErrLastFactor.
func (s *Store) changeFactors(
	ctx context.Context, by *Reauthenticated, change factorChange, do func(context.Context, bun.Tx, time.Time) error,
) (secret string, err error) {
	now := s.Now()
	secret = storage.NewSecret()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.lockWaysIn(ctx, tx, by.UserID); err != nil {
			return err
		}
		if err := do(ctx, tx, now); err != nil {
			return err
		}
		if change.action == "removed" {
			if has, err := ownWayIn(ctx, tx, by.UserID); err != nil {
				return err
			} else if !has {
				return ErrLastFactor
			}
		}
		if err := settleFactors(ctx, tx, by.UserID); err != nil {
			return err
		}
		evidence := Evidence{AMR: by.AMR, ACR: by.ACR}
		if change.evidence.AMR != nil {
			evidence = evidence.with(change.evidence)
		}
		if err := renew(ctx, tx, by.provenSession, evidence, secret); err != nil {
			return err
		}
		if change.weakens {
			err := endSessions(ctx, tx, now, by.UserID, EndedByFactor, func(q *bun.UpdateQuery) *bun.UpdateQuery {
				return q.Where("id <> ?", by.ID)
			})
			if err != nil {
				return err
			}
		}
		// Whoever is trusted was trusted by the rules of before.
		_, err := tx.NewUpdate().Model((*KnownDevice)(nil)).Set("trusted_until = NULL").Where("user_id = ?", by.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		values := audit.Values{}
		if change.name != "" {
			values["name"] = change.name
		}
		entry := audit.Change{
			Entity: change.kind, EntityID: change.id.String(), Action: change.action, UserID: by.UserID, New: values,
		}
		if change.action == "removed" {
			entry.Old, entry.New = values, nil
		}
		if err := audit.Record(ctx, tx, now, entry); err != nil {
			return err
		}
		told := from(Device{UserAgent: audit.ActorOf(ctx).UserAgent, IP: audit.ActorOf(ctx).IP})
		told["factor"] = factorNames[change.kind]
		return s.tellOwner(ctx, tx, now, by.User, change.message, proofNotMe, notMeProofLifetime, nil, told)
	})
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", change.kind, change.action, err)
	}
	return secret, nil
}

// renew writes what a live session has proved by now, and its new secret: a copy of the old one is worth nothing. It returns
// storage.ErrNotFound where the session has ended.
func renew(ctx context.Context, tx bun.Tx, session *Session, evidence Evidence, secret string) error {
	renewed := &Session{ID: session.ID, AMR: evidence.AMR, ACR: evidence.ACR, SecretHash: storage.Digest(secret)}
	return oneRow(tx.NewUpdate().Model(renewed).Column("amr", "acr", "secret_hash").Where("id = ? AND ended_at IS NULL", session.ID).
		Where("auth_time = ?", session.AuthTime). // whoever has signed in again meanwhile has another secret
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND is_active AND session_version = ?)", session.UserID, session.SessionVersion).Exec(ctx))
}

// settleFactors brings what an account's row says of its factors up to date. Whoever changes a factor calls it. A passkey
// alone asks for no second step: it is one's own way in, and no reason to lock out who types a password elsewhere. Backup
// codes go with the last factor that they could stand in for, so that none lie in wait for the next.
func settleFactors(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	if err := settleFlags(ctx, tx, userID); err != nil {
		return err
	}
	_, err := tx.NewDelete().Model((*BackupCode)(nil)).
		Where("user_id = ? AND NOT EXISTS (SELECT 1 FROM users WHERE id = ? AND (two_factor OR has_webauthn))", userID, userID).Exec(ctx)
	return err
}

func settleFlags(ctx context.Context, tx bun.Tx, userID uuid.UUID) error {
	_, err := tx.NewUpdate().Model((*User)(nil)).
		Set("two_factor = EXISTS (SELECT 1 FROM totps WHERE user_id = ? AND confirmed_at IS NOT NULL) OR EXISTS (SELECT 1 FROM hardware_keys WHERE user_id = ?)", userID, userID).
		Set("has_webauthn = EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?) OR EXISTS (SELECT 1 FROM hardware_keys WHERE user_id = ?)", userID, userID).
		Where("id = ?", userID).Exec(ctx)
	return err
}

// ownWayIn tells whether a person can sign in with what Wicket itself keeps: a password or a passkey.
func ownWayIn(ctx context.Context, tx bun.Tx, userID uuid.UUID) (bool, error) {
	return tx.NewSelect().Model((*User)(nil)).Where("id = ?", userID).
		Where("(password_hash IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?))", userID).Exists(ctx)
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
}

// Factors lists what a person signs in with, besides the password.
func (s *Store) Factors(ctx context.Context, userID uuid.UUID) (*Factors, error) {
	var factors Factors
	var passkeysErr, keysErr, totpsErr, codesErr error
	factors.Passkeys, passkeysErr = s.Passkeys(ctx, userID)
	factors.HardwareKeys, keysErr = s.HardwareKeys(ctx, userID)
	factors.TOTPs, totpsErr = s.TOTPs(ctx, userID)
	factors.BackupCodes, factors.BackupMadeAt, codesErr = s.BackupCodesLeft(ctx, userID)
	return &factors, errors.Join(passkeysErr, keysErr, totpsErr, codesErr)
}

// factorModels are the tables of factors.
var factorModels = map[string]any{"passkeys": (*Passkey)(nil), "hardware_keys": (*HardwareKey)(nil), "totps": (*TOTP)(nil), "backup_codes": (*BackupCode)(nil)}

// ResetFactors removes every factor of a person but the password, for somebody who has lost them all, and signs them out
// everywhere. It returns how many rows of each kind went. Only an operator may, who has made sure whom they talk to.
func (s *Store) ResetFactors(ctx context.Context, user *User) (map[string]int64, error) {
	now := s.Now()
	removed, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (map[string]int64, error) {
		removed, err := removeFactors(ctx, tx, user.ID, time.Time{})
		if err != nil {
			return nil, err
		}
		if _, err := s.signOutEverywhere(ctx, tx, now, user.ID, EndedByOperator); err != nil {
			return nil, err
		}
		err = audit.Record(ctx, tx, now, audit.Change{Entity: "user", EntityID: user.ID.String(), Action: "factors_reset", UserID: user.ID, Old: countValues(removed)})
		if err != nil {
			return nil, err
		}
		return removed, s.tellOwner(ctx, tx, now, user, MessageFactorsReset, "", 0, nil, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("reset factors: %w", err)
	}
	return removed, nil
}

func countValues(counts map[string]int64) audit.Values {
	values := audit.Values{}
	for kind, n := range counts {
		values[kind] = n
	}
	return values
}

// removeFactors removes a person's factors that are not older than since, and returns how many of each kind.
func removeFactors(ctx context.Context, tx bun.Tx, userID uuid.UUID, since time.Time) (map[string]int64, error) {
	removed := make(map[string]int64)
	for kind, model := range factorModels {
		result, err := tx.NewDelete().Model(model).Where("user_id = ? AND created_at >= ?", userID, since).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if removed[kind], err = result.RowsAffected(); err != nil {
			return nil, err
		}
	}
	return removed, settleFactors(ctx, tx, userID)
}
