package identity

import (
	"time"

	"github.com/wicket-id/wicket/identity/refusal"
)

var (
	ErrTooManyAttempts = refusal.New("signin.attempts_limit", "too many failed sign-ins")
)

const (
	MaxFailuresPerSource = 100
	FailureWindow        = 10 * time.Minute
)
