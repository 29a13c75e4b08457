package account

import (
	"fmt"
	"time"

	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// head is the head of a page of the account.
func head(f *frame.Frame, v *frame.Visit, page string) (pages.AccountHead, error) {
	person, err := v.Person()
	if err != nil {
		return pages.AccountHead{}, err
	}
	providers, err := f.Upstreams.Active(v.Context())
	if err != nil {
		return pages.AccountHead{}, err
	}
	head := pages.AccountHead{Person: person, Page: page, Phones: f.Identity.Texts, Linked: len(providers) > 0}
	before, err := f.SignIns.Attempts().Before(v.Context(), v.Session)
	if err != nil {
		return pages.AccountHead{}, err
	}
	if before != nil {
		head.LastSignIn = ago(f.Now(), before.AttemptTime) + " from " + before.IPAddress
	}
	return head, nil
}

// notice says what was done before the page was asked for.
func notice(v *frame.Visit) string { return notices[v.Gin.Query("done")] }

var notices = map[string]string{
	"device":  "That device is signed out, and so are its apps.",
	"devices": "All your other devices are signed out.",

	"registered":       "Welcome. We have sent a link to your email address. Open it within a day to verify the address.",
	"invited":          "Welcome. If your email address is not verified yet, we have sent a link there.",
	"profile":          "Your profile is saved.",
	"password":         "Your password is changed, and your other devices are signed out.",
	"factor-added":     "Added. We have also sent you an email about it.",
	"factor-removed":   "Removed. Your other devices are signed out.",
	"password-removed": "Your password is removed. You sign in with a passkey now.",

	"email-sent":    "We have sent a link. Open it within a day to verify the address.",
	"email-primary": "That is your primary address now.",
	"email-removed": "The address is removed.",

	"linked":   "That account is linked. You can sign in with it from now on.",
	"unlinked": "That account is unlinked, and devices that signed in with it are signed out.",

	"phone-sent":     "We have sent a code. Enter it below within ten minutes.",
	"phone-verified": "The number is verified. You can sign in with it.",
	"phone-primary":  "That is your primary number now.",
	"phone-removed":  "The number is removed.",
}

// ago says in words how long ago something was.
func ago(now, at time.Time) string {
	switch passed := now.Sub(at); {
	case passed < time.Minute:
		return "just now"
	case passed < 2*time.Minute:
		return "a minute ago"
	case passed < time.Hour:
		return fmt.Sprintf("%d minutes ago", int(passed.Minutes()))
	case passed < 2*time.Hour:
		return "an hour ago"
	case passed < 24*time.Hour:
		return fmt.Sprintf("%d hours ago", int(passed.Hours()))
	case passed < 48*time.Hour:
		return "yesterday"
	default:
		return "on " + at.Format("2 January 2006")
	}
}
