package account

import (
	"net/http"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Activity is the page of who signed in to the account, and who tried.
type Activity struct{ *frame.Frame }

const attemptsShown = 50

// Page shows them.
func (h Activity) Page(v *frame.Visit) error {
	top, err := head(h.Frame, v, "/account/activity")
	if err != nil {
		return err
	}
	attempts, err := h.SignIns.Attempts().List(v.Context(), v.Session.UserID, attemptsShown)
	if err != nil {
		return err
	}
	page := pages.Activity{Head: top}
	for _, attempt := range attempts {
		page.Attempts = append(page.Attempts, pages.Attempt{
			When: frame.Ago(v, h.Now(), attempt.AttemptTime), Result: attemptResult(v, attempt.FailureReason),
			Bad: !attempt.Success && attempt.FailureReason != "second_step",
			IP:  attempt.IPAddress, Device: identity.Device{UserAgent: attempt.UserAgent}.Label(),
		})
	}
	return v.Show(http.StatusOK, page)
}

// attemptResult says in words how an attempt ended.
func attemptResult(v *frame.Visit, reason string) string {
	if key, ok := attemptResults[reason]; ok {
		return v.Language.Text(key)
	}
	return ""
}

var attemptResults = map[string]locales.Key{
	"":               locales.Key("attempt.signed_in"),
	"wrong_password": locales.Key("attempt.wrong_password"),
	"locked":         locales.Key("attempt.locked"),
	"disabled":       locales.Key("attempt.disabled"),
	"second_step":    locales.Key("attempt.second_step"),
	"wrong_code":     locales.Key("attempt.wrong_code"),
	"wrong_passkey":  locales.Key("attempt.wrong_passkey"),
	"cloned_key":     locales.Key("attempt.cloned_key"),
}
