package signin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
)

// LoginAttempt is one attempt to sign in, whatever came of it.
type LoginAttempt struct {
	bun.BaseModel `bun:"table:login_attempts,alias:login_attempt"`

	ID            int64         `bun:"id,pk,autoincrement"`
	AttemptTime   time.Time     `bun:"attempt_time"`
	Username      string        `bun:"username"` // as typed; of what names nobody, see unknownName
	UserID        uuid.NullUUID `bun:"user_id,type:uuid"`
	IPAddress     string        `bun:"ip_address"`
	Success       bool          `bun:"success"`
	FailureReason string        `bun:"failure_reason"`
	Method        string        `bun:"method"` // what was shown: "pwd"
	UserAgent     string        `bun:"user_agent"`
}

// Why an attempt failed.
const (
	FailedUnknown  = "unknown_name"
	FailedPassword = "wrong_password"
	FailedLocked   = "locked"
	FailedDisabled = "disabled"
	FailedCode     = "wrong_code"
	FailedPasskey  = "wrong_passkey"
	FailedCloned   = "cloned_key"  // its counter went back
	AskedForSecond = "second_step" // not failed: the right password, and then a second step was asked for
)

const maxTyped = 254 // bytes kept of what was typed as a name: the longest e-mail address

// note writes the attempt as part of tx; failure says why it failed, if it did.
func (a firstStep) note(ctx context.Context, tx bun.Tx, now time.Time, failure string) error {
	attempt := &LoginAttempt{
		AttemptTime: now, Username: a.login[:min(len(a.login), maxTyped)],
		UserID:    uuid.NullUUID{UUID: a.user.ID, Valid: a.user.ID != uuid.Nil},
		IPAddress: a.device.IP, Success: failure == "", FailureReason: failure, Method: a.method,
		UserAgent: a.device.StoredUserAgent(),
	}
	insert := tx.NewInsert().Model(attempt).ExcludeColumn("id").Returning("NULL")
	var err error
	if attempt.Success {
		err = storage.Later(ctx, tx, insert)
	} else { // those that failed are counted in the same transaction
		_, err = insert.Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("note the attempt to sign in: %w", err)
	}
	outcome := failure
	if attempt.Success {
		outcome = "success"
	}
	storage.CountEvent(ctx, "sign_ins", attempt.Method, outcome)
	return nil
}

// unknownName stands for a name that was typed and is nobody's. It may be a password in the wrong field, so that
// nothing of it is kept but what tells one from another.
func unknownName(with *seal.Seal, typed string) string {
	return "unknown:" + base64.RawURLEncoding.EncodeToString(with.Derive("unknown name", []byte(typed))[0][:12])
}

// List lists the last attempts to sign in to an account, the newest first.
func (s Attempts) List(ctx context.Context, userID uuid.UUID, limit int) ([]LoginAttempt, error) {
	var attempts []LoginAttempt
	err := s.Database.Reader().NewSelect().Model(&attempts).
		Where("user_id = ?", userID).
		Order("attempt_time DESC").
		Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("attempts to sign in: %w", err)
	}
	return attempts, nil
}

// Before returns the last successful sign-in before the one that began a session or renewed it, or nil.
func (s Attempts) Before(ctx context.Context, session *identity.Session) (*LoginAttempt, error) {
	attempt := new(LoginAttempt)
	err := s.Database.Reader().NewSelect().Model(attempt).
		Where("user_id = ? AND success AND attempt_time < ?", session.UserID, session.AuthTime).
		Order("attempt_time DESC").Limit(1).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the sign-in before: %w", err)
	}
	return attempt, nil
}

// LoginCount is how many attempts were alike.
type LoginCount struct {
	Key   string `bun:"key"`
	Count int64  `bun:"count"`
}

// LoginReport counts the attempts to sign in between two times.
type LoginReport struct {
	Outcomes  []LoginCount // "success", or why they failed
	Addresses []LoginCount // the addresses with the most failures
	Hours     []LoginCount // by the hour, oldest first: failures
	Accounts  []LoginCount // addresses from which failures went to many names: key is the address, count the names
}

// Report counts the attempts since that time: by outcome, by address (the top ones) and by hour.
func (s Attempts) Report(ctx context.Context, since time.Time, top int) (*LoginReport, error) {
	report := new(LoginReport)
	hour := "strftime('%Y-%m-%d %H:00', attempt_time)"
	if s.Database.Kind == storage.Postgres {
		hour = "to_char(date_trunc('hour', attempt_time), 'YYYY-MM-DD HH24:00')"
	}
	query := func() *bun.SelectQuery {
		return s.Database.Late().NewSelect().Model((*LoginAttempt)(nil)).Where("attempt_time >= ?", since)
	}
	for _, part := range []struct {
		into  *[]LoginCount
		query *bun.SelectQuery
	}{
		{&report.Outcomes, query().
			ColumnExpr("CASE WHEN success THEN 'success' ELSE failure_reason END AS key, count(*) AS count").
			GroupExpr("1").
			OrderExpr("2 DESC")},
		{&report.Addresses, query().
			ColumnExpr("ip_address AS key, count(*) AS count").
			Where("NOT success").
			GroupExpr("1").
			OrderExpr("2 DESC, 1").
			Limit(int64(top))},
		{&report.Hours, query().
			ColumnExpr(hour + " AS key, count(*) AS count").
			Where("NOT success").
			GroupExpr("1").
			OrderExpr("1")},
		{&report.Accounts, query().
			ColumnExpr("ip_address AS key, count(DISTINCT username) AS count").
			Where("NOT success").
			GroupExpr("1").
			Having("count(DISTINCT username) >= ?", manyNames).
			OrderExpr("2 DESC, 1").
			Limit(int64(top))},
	} {
		if err := part.query.Scan(ctx, part.into); err != nil {
			return nil, fmt.Errorf("report attempts to sign in: %w", err)
		}
	}
	return report, nil
}

// manyNames is from how many names on failures of one address look like guessing.
const manyNames = 5
