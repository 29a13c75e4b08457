package frame

import (
	"time"

	"github.com/wicket-id/wicket/web/locales"
)

// Ago says in words how long ago something was.
func Ago(v *Visit, now, at time.Time) string {
	switch passed := now.Sub(at); {
	case passed < time.Minute:
		return v.Language.Text("ago.now")
	case passed < time.Hour:
		return v.Language.Text("ago.minutes", locales.Params{"Count": int(passed.Minutes())})
	case passed < 24*time.Hour:
		return v.Language.Text("ago.hours", locales.Params{"Count": int(passed.Hours())})
	case passed < 48*time.Hour:
		return v.Language.Text("ago.yesterday")
	default:
		return v.Language.Text("ago.date", locales.Params{"Date": v.Language.Date(at)})
	}
}
