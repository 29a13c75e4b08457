package factor

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// BackupCode is one of ten codes on paper that each stand in once for a second factor that is lost.
type BackupCode struct {
	bun.BaseModel `bun:"table:backup_codes,alias:backup_code"`

	ID        uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID    uuid.UUID  `bun:"user_id,type:uuid"`
	CodeHash  []byte     `bun:"code_hash"` // an HMAC with the master key: a digest would give sixty bits away
	UsedAt    *time.Time `bun:"used_at"`
	CreatedAt time.Time  `bun:"created_at"`

	SessionID    uuid.NullUUID `bun:"session_id,type:uuid"` // in which they were made
	RemovalDueAt *time.Time    `bun:"removal_due_at"`       // unless one is used, or they are kept before: see Disown
	KeptAt       *time.Time    `bun:"kept_at"`              // when that was called off last
}

const (
	backupCodes     = 10
	fewBackupCodes  = 3  // are left: their owner is told
	backupCodeChars = 12 // of base32: 60 random bits, in groups of four
)

// backupAlphabet is that of Crockford's base32: nothing in it looks like another.
var backupAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newBackupCode returns a code as it is shown: three groups of four.
func newBackupCode() string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // never fails, says its documentation
	code := backupAlphabet.EncodeToString(raw)[:backupCodeChars]
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// BackupCodeKey is a code as it is compared: however it was typed.
func BackupCodeKey(code string) string {
	return strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(code))
}

func (s BackupCodes) hashes(userID uuid.UUID, code string) [][]byte {
	return s.Seal.Derive("backup code", []byte(userID.String()+" "+BackupCodeKey(code)))
}

// ErrNothingToBackUp says that there is no second factor yet, for which codes could stand in.
var ErrNothingToBackUp = refusal.New("backup_codes.no_factor", "backup codes need a second factor")

// Make makes ten new codes, which are shown this once; the ones before are void. It returns them with the
// session's new secret, or ErrNothingToBackUp or ErrTooManySendings.
func (s BackupCodes) Make(
	ctx context.Context, by *identity.Reauthenticated,
) (codes []string, secret string, err error) {
	if err := s.MaySend(ctx, identity.MessageBackupCodesMade, by.UserID.String()); err != nil {
		return nil, "", err
	}
	rows := make([]BackupCode, backupCodes)
	for i := range rows {
		code := newBackupCode()
		codes = append(codes, code)
		rows[i] = BackupCode{ID: storage.NewID(), UserID: by.UserID, CodeHash: s.hashes(by.UserID, code)[0]}
		rows[i].SessionID = uuid.NullUUID{UUID: by.ID, Valid: true}
	}
	secret, err = s.Change(ctx, by, Change{
		Kind: "backup_codes", ID: by.UserID, Action: "made", Message: identity.MessageBackupCodesMade,
	}, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		has, err := tx.NewSelect().Model((*identity.User)(nil)).
			Where("id = ? AND (two_factor OR has_webauthn)", by.UserID).Exists(ctx)
		if err != nil {
			return err
		} else if !has {
			return ErrNothingToBackUp
		}
		if _, err := tx.NewDelete().Model((*BackupCode)(nil)).Where("user_id = ?", by.UserID).Exec(ctx); err != nil {
			return err
		}
		made := slices.Clone(rows)
		for i := range made {
			made[i].CreatedAt = now
		}
		_, err = tx.NewInsert().Model(&made).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return codes, secret, nil
}

// List lists the codes that a person was given last, also those that were used.
func (s BackupCodes) List(ctx context.Context, userID uuid.UUID) ([]BackupCode, error) {
	var rows []BackupCode
	err := s.Database.Reader().NewSelect().Model(&rows).
		Column("id", "used_at", "created_at", "session_id", "removal_due_at").
		Where("user_id = ?", userID).Where(notDue, s.Now()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("backup codes: %w", err)
	}
	return rows, nil
}

// Check looks whether a code is one that its owner has left: nil where it is not.
func (s BackupCodes) Check(ctx context.Context, user *identity.User, code string) (*Proved, error) {
	var id uuid.UUID
	err := s.Database.Reader().NewSelect().Model((*BackupCode)(nil)).Column("id").
		Where("user_id = ? AND used_at IS NULL", user.ID).Where(notDue, s.Now()).
		Where("code_hash IN (?)", bun.List(s.hashes(user.ID, code))).Scan(ctx, &id)
	if storage.NotFound(err) == storage.ErrNotFound {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("backup code: %w", err)
	}
	return &Proved{Method: "backup_code", Evidence: totpEvidence, Use: func(
		ctx context.Context, tx bun.Tx, now time.Time,
	) (bool, error) {
		result, err := tx.NewUpdate().Model((*BackupCode)(nil)).
			Set("used_at = ?", now).
			Where("id = ? AND used_at IS NULL", id).Where(notDue, now).Exec(ctx)
		if err != nil {
			return false, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return false, err
		}
		if err := s.keep(ctx, tx, now, user, nil, uuid.Nil, backupCodesKind); err != nil {
			return false, err
		}
		left, err := tx.NewSelect().Model((*BackupCode)(nil)).Where("user_id = ? AND used_at IS NULL", user.ID).Count(ctx)
		if err != nil {
			return false, err
		}
		err = audit.Record(ctx, tx, now, audit.Change{
			Entity: "backup_code", EntityID: id.String(), Action: "used", UserID: user.ID, New: audit.Values{"left": left},
		})
		if err != nil {
			return false, err
		}
		values := identity.OriginOf(identity.Device{UserAgent: audit.ActorOf(ctx).UserAgent, IP: audit.ActorOf(ctx).IP})
		values["left"] = strconv.FormatInt(left, 10)
		if left <= fewBackupCodes {
			values["few"] = "yes"
		}
		return true, s.TellOwner(
			ctx, tx, now, user, identity.MessageBackupCodeUsed, identity.ProofNotMe, identity.NotMeProofLifetime, nil, values,
		)
	}}, nil
}
