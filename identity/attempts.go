package identity

import (
	"errors"
	"time"
)

var (
	ErrTooManyAttempts = errors.New("too many sign-ins failed from here; try again in a few minutes")
)

const (
	MaxFailuresPerSource = 100
	FailureWindow        = 10 * time.Minute
)
