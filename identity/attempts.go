package identity

import (
	"time"

	"github.com/wicket-id/wicket/identity/refusal"
)

// FailureWindow is how long a wrong password, passkey or code counts for those that follow it.
const FailureWindow = 10 * time.Minute

// ErrTooManyAttempts says that there were too many failures in FailureWindow.
var ErrTooManyAttempts = refusal.New("signin.attempts_limit", "too many failed sign-ins")
