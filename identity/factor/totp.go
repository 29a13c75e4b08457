package factor

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// TOTP is an app that makes codes out of a secret and the time: RFC 6238, with what every app knows: SHA-1, six digits,
// thirty seconds.
type TOTP struct {
	bun.BaseModel `bun:"table:totps,alias:totp"`

	ID     uuid.UUID `bun:"id,pk,type:uuid"`
	UserID uuid.UUID `bun:"user_id,type:uuid"`
	Name   string    `bun:"name"` // what its owner calls it
	Secret []byte    `bun:"secret"`
	// nil: its owner has not shown yet that the app has it, and it counts for nothing
	ConfirmedAt *time.Time `bun:"confirmed_at"`
	LastStep    int64      `bun:"last_step"` // of the last code that was accepted: none works twice
	LastUsedAt  *time.Time `bun:"last_used_at"`
	CreatedAt   time.Time  `bun:"created_at"`

	SessionID    uuid.NullUUID `bun:"session_id,type:uuid"` // in which it was confirmed
	RemovalDueAt *time.Time    `bun:"removal_due_at"`       // unless it is used or kept before: see Disown
	KeptAt       *time.Time    `bun:"kept_at"`              // when that was called off last
}

const (
	SealForTOTP      = "totp"
	totpPeriod       = 30 // seconds
	totpDrift        = 1  // steps that an app's clock may be off
	totpSecret       = 20 // bytes: RFC 4226, section 4, R6
	totpDigits       = otp.DigitsSix
	UnconfirmedKept  = 24 * time.Hour
	totpImageSize    = 240 // pixels
	maxFactorsOfKind = 10
	maxWrongCodes    = 10 // to confirm an app with, in identity.FailureWindow
)

// What can be wrong with a second factor.
var (
	ErrCode           = errors.New("this code is wrong, or it was used before")
	ErrTooManyFactors = refusal.NewWith(
		"factor.limit", "too many factors of this kind", refusal.Params{"Max": maxFactorsOfKind},
	)
	ErrFactorName = refusal.New(
		"factor.name", "the name of a factor is one line of text, at most 50 characters",
	)
)

// TOTPSetup is what an app needs to make codes.
type TOTPSetup struct {
	ID     uuid.UUID
	Secret string // in base32, to be typed
	URI    string // otpauth://, which the image shows
	Image  []byte // a QR code as PNG
}

// Begin makes a secret for another app of a person. It counts for nothing until Confirm. Issuer is what the app
// calls Wicket. It returns ErrTooManyFactors.
func (s TOTPs) Begin(ctx context.Context, user *identity.User, issuer string) (*TOTPSetup, error) {
	now := s.Now()
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: user.Username, Period: totpPeriod, SecretSize: totpSecret, Digits: totpDigits,
		Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return nil, fmt.Errorf("begin totp: %w", err)
	}
	row := &TOTP{
		ID: storage.NewID(), UserID: user.ID, Secret: s.Seal.Close(SealForTOTP, []byte(key.Secret())), CreatedAt: now,
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		// Those that were begun and left are of no use to anybody.
		if _, err := tx.NewDelete().Model((*TOTP)(nil)).
			Where("user_id = ? AND confirmed_at IS NULL", user.ID).Exec(ctx); err != nil {
			return err
		}
		if err := mayHaveAnother(ctx, tx, (*TOTP)(nil), user.ID); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(row).Exec(ctx)
		return err
	})
	if errors.Is(err, ErrTooManyFactors) {
		return nil, ErrTooManyFactors
	} else if err != nil {
		return nil, fmt.Errorf("begin totp: %w", err)
	}
	return totpSetup(row.ID, key)
}

// Pending returns the setup that a person has begun and not confirmed, or storage.ErrNotFound.
func (s TOTPs) Pending(ctx context.Context, user *identity.User, id uuid.UUID, issuer string) (*TOTPSetup, error) {
	row := new(TOTP)
	err := s.Database.Reader().NewSelect().Model(row).
		Where("id = ? AND user_id = ? AND confirmed_at IS NULL", id, user.ID).Scan(ctx)
	if err != nil {
		return nil, storage.NotFound(err)
	}
	secret, err := s.Seal.Open(SealForTOTP, row.Secret)
	if err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(string(secret))
	if err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: user.Username, Period: totpPeriod, Secret: raw, Digits: totpDigits,
		Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return nil, err
	}
	return totpSetup(row.ID, key)
}

func totpSetup(id uuid.UUID, key *otp.Key) (*TOTPSetup, error) {
	picture, err := key.Image(totpImageSize, totpImageSize)
	if err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	return &TOTPSetup{ID: id, Secret: key.Secret(), URI: key.URL(), Image: encoded.Bytes()}, nil
}

// Confirm takes the first code of an app: from now on it counts. The session is one of two factors then. It returns the
// session's new secret, or storage.ErrNotFound, ErrCode, ErrFactorName or identity.ErrTooManyAttempts.
func (s TOTPs) Confirm(
	ctx context.Context, by *identity.Reauthenticated, id uuid.UUID, code, name string,
) (secret string, err error) {
	if name, err = factorName(name); err != nil {
		return "", err
	}
	if name == "" {
		name = "Authenticator app"
	}
	if s.Cache.Count(ctx, "codes to confirm of "+by.UserID.String(), identity.FailureWindow) > maxWrongCodes {
		return "", identity.ErrTooManyAttempts
	}
	row := new(TOTP)
	err = s.Database.Reader().NewSelect().Model(row).
		Where("id = ? AND user_id = ? AND confirmed_at IS NULL", id, by.UserID).Scan(ctx)
	if err != nil {
		return "", storage.NotFound(err)
	}
	step, err := s.step(row, code)
	if err != nil {
		return "", err
	}
	if step == 0 {
		return "", ErrCode
	}
	return s.add(ctx, by, Change{
		Kind: "totp", ID: id, name: name, evidence: totpEvidence,
	}, func(ctx context.Context, tx bun.Tx, now time.Time) error {
		return storage.OneRow(tx.NewUpdate().Model((*TOTP)(nil)).
			Set("confirmed_at = ?", now).
			Set("created_at = ?", now).
			Set("name = ?", name).
			Set("last_step = ?", step).
			Set("session_id = ?", by.ID).
			Where("id = ? AND user_id = ? AND confirmed_at IS NULL", id, by.UserID).Exec(ctx))
	})
}

// totpEvidence is what a code of an app proves.
var totpEvidence = identity.Evidence{AMR: []string{"otp"}}

// step returns the time step to which a code belongs, or 0 where it is no code of the app near now.
func (s TOTPs) step(row *TOTP, code string) (int64, error) {
	secret, err := s.Seal.Open(SealForTOTP, row.Secret)
	if err != nil {
		return 0, fmt.Errorf("totp: %w", err)
	}
	now := s.Now().Unix() / totpPeriod
	var found int64
	for step := now - totpDrift; step <= now+totpDrift; step++ { // all of them, so that the time does not tell which
		if ok, err := hotp.ValidateCustom(
			code, uint64(step), string(secret), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1},
		); err == nil && ok {
			found = step
		}
	}
	return found, nil
}

// Check tries a code with each app of a person: nil where it is none's, or none's any more.
func (s TOTPs) Check(ctx context.Context, user *identity.User, code string) (*Proved, error) {
	rows, err := s.List(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		step, err := s.step(&row, code)
		if err != nil {
			return nil, err
		}
		if step > row.LastStep {
			evidence := totpEvidence
			evidence.FactorID = row.ID
			return &Proved{Method: "otp", Evidence: evidence, Use: func(
				ctx context.Context, tx bun.Tx, now time.Time,
			) (bool, error) {
				result, err := tx.NewUpdate().Model((*TOTP)(nil)).Set("last_step = ?", step).Set("last_used_at = ?", now).
					Where("id = ? AND last_step < ?", row.ID, step).Where(notDue, now).Exec(ctx)
				if err != nil {
					return false, err
				}
				if n, err := result.RowsAffected(); err != nil || n == 0 {
					return false, err
				}
				return true, s.keep(ctx, tx, now, user, nil, row.ID, totpKind)
			}}, nil
		}
	}
	return nil, nil
}

// List lists a person's apps that count, the oldest first.
func (s TOTPs) List(ctx context.Context, userID uuid.UUID) ([]TOTP, error) {
	var rows []TOTP
	err := s.Database.Reader().NewSelect().Model(&rows).
		Where("user_id = ? AND confirmed_at IS NOT NULL", userID).Where(notDue, s.Now()).
		Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("totps: %w", err)
	}
	return rows, nil
}

// Remove removes an app. It returns the session's new secret, or storage.ErrNotFound.
func (s TOTPs) Remove(ctx context.Context, by *identity.Reauthenticated, id uuid.UUID) (secret string, err error) {
	rows, err := s.List(ctx, by.UserID)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(rows, func(row TOTP) bool { return row.ID == id })
	if at < 0 {
		return "", storage.ErrNotFound
	}
	return s.remove(ctx, by, Change{Kind: "totp", ID: id, name: rows[at].Name}, (*TOTP)(nil))
}

// factorName brings what somebody calls a factor of theirs into the form that is kept; empty is empty.
func factorName(name string) (string, error) {
	name, err := profile.OneLine(maxFactorName)(strings.TrimSpace(name))
	if err != nil {
		return "", ErrFactorName
	}
	return name, nil
}

const maxFactorName = 50 // characters
