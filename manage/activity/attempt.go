package activity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage"
)

// Attempt is one attempt to sign in, whatever came of it.
type Attempt struct {
	ID        int64      `json:"id"`
	At        time.Time  `json:"at"`
	Username  string     `json:"username" doc:"As it was typed; of what names nobody, a digest."`
	UserID    *uuid.UUID `json:"user_id,omitempty"`
	Success   bool       `json:"success"`
	Failure   string     `json:"failure,omitempty" doc:"Why it failed: unknown_name, wrong_password, locked, ..."`
	Method    string     `json:"method" doc:"What was shown: pwd, passkey, ..."`
	IP        string     `json:"ip"`
	UserAgent string     `json:"user_agent"`
}

// AttemptFilter chooses attempts. What is empty does not matter.
type AttemptFilter struct {
	UserID       uuid.UUID
	IP           string
	Outcome      string // "success" or "failure"
	Since, Until time.Time
}

// ErrOutcome says that a filter asks for an outcome that there is none of.
var ErrOutcome = refusal.New("filter.outcome", "the outcome is success or failure")

// Attempts lists attempts to sign in, the newest first, in parts. It returns a *manage.ForbiddenError, ErrOutcome or
// manage.ErrCursor.
func (s *Store) Attempts(
	ctx context.Context, by manage.Caller, filter AttemptFilter, part manage.Part,
) (page manage.Page[Attempt], err error) {
	if err := by.Demand(manage.ReadAuditTrail); err != nil {
		return page, err
	}
	var rows []signin.LoginAttempt
	query := s.Database.Late().NewSelect().Model(&rows).Order("attempt_time DESC", "id DESC").
		Limit(int64(part.Size() + 1))
	after, err := s.follow(query, part, "attempts", filter, "attempt_time")
	if err != nil {
		return page, err
	}
	switch filter.Outcome {
	case "":
	case "success", "failure":
		query.Where("success = ?", filter.Outcome == "success")
	default:
		return page, ErrOutcome
	}
	if filter.UserID != uuid.Nil {
		query.Where("user_id = ?", filter.UserID)
	}
	if filter.IP != "" {
		query.Where("ip_address = ?", filter.IP)
	}
	between(query, "attempt_time", filter.Since, filter.Until)
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("read the attempts to sign in: %w", err)
	}
	attempts := make([]Attempt, len(rows))
	for i, row := range rows {
		attempts[i] = Attempt{
			ID: row.ID, At: row.AttemptTime, Username: row.Username, Success: row.Success, Failure: row.FailureReason,
			Method: row.Method, IP: row.IPAddress, UserAgent: row.UserAgent,
		}
		if row.UserID.Valid {
			attempts[i].UserID = &row.UserID.UUID
		}
	}
	return manage.NewPage(s.Store, part, "attempts", filter, attempts, func(a *Attempt) any {
		after.At, after.ID = a.At, a.ID
		return after
	})
}
