// Package history tells in words what happened on this server: attempts to sign in, and lines of the audit trail.
package history

import (
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// Attempt is an attempt to sign in, ready to be read.
type Attempt struct {
	Success           bool
	Username, UserURI string // UserURI: the person's page; empty: the name is nobody's
	Outcome, Detail   string
	When
}

// When is a time, ready to be read.
type When struct {
	At     string // RFC 3339
	Moment string // in words
	Ago    string
}

// NewWhen is that time.
func NewWhen(v *frame.Visit, now, at time.Time) When {
	return When{at.UTC().Format(time.RFC3339), v.Language.Moment(at), frame.Ago(v, now, at)}
}

var outcomes = map[string]locales.Key{
	"":                    locales.Key("console.attempt.success"),
	signin.FailedUnknown:  locales.Key("console.attempt.unknown_name"),
	signin.FailedPassword: locales.Key("console.attempt.wrong_password"),
	signin.FailedLocked:   locales.Key("console.attempt.locked"),
	signin.FailedDisabled: locales.Key("console.attempt.disabled"),
	signin.FailedCode:     locales.Key("console.attempt.wrong_code"),
	signin.FailedPasskey:  locales.Key("console.attempt.wrong_passkey"),
	signin.FailedCloned:   locales.Key("console.attempt.cloned_key"),
	signin.AskedForSecond: locales.Key("console.attempt.second_step"),
}

// Attempts tells of attempts to sign in. names are the usernames of people by id, who are told of by name; nil: it is
// clear whom they are about.
func Attempts(v *frame.Visit, now time.Time, found []activity.Attempt, names map[string]string) []Attempt {
	told := make([]Attempt, len(found))
	for i, a := range found {
		told[i] = Attempt{
			Success: a.Success || a.Failure == signin.AskedForSecond, Outcome: outcome(v, a.Failure), When: NewWhen(v, now, a.At),
			Detail: v.Language.Text("console.attempt.detail", locales.Params{
				"Method": method(v, a.Method), "IP": a.IP, "Device": identity.Device{UserAgent: a.UserAgent}.Label(),
			}),
		}
		switch {
		case names == nil:
		case a.UserID != nil:
			told[i].Username, told[i].UserURI = names[a.UserID.String()], "/console/people/"+a.UserID.String()
			if told[i].Username == "" {
				told[i].Username = a.Username
			}
		default:
			told[i].Username = v.Language.Text("console.attempt.nobody")
		}
	}
	return told
}

func outcome(v *frame.Visit, failure string) string {
	if key, ok := outcomes[failure]; ok {
		return v.Language.Text(key)
	}
	return failure
}

var methods = map[string]locales.Key{
	"pwd":     locales.Key("console.attempt.by_password"),
	"passkey": locales.Key("console.attempt.by_passkey"),
}

// method is by what somebody tried to sign in: by a provider, where it is none of ours.
func method(v *frame.Visit, name string) string {
	if key, ok := methods[name]; ok {
		return v.Language.Text(key)
	}
	return name
}
