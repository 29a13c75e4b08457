package account

import (
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// head is what stands around a page of the account.
func head(f *frame.Frame, v *frame.Visit, page string) (pages.AccountHead, error) {
	person, err := v.Person()
	if err != nil {
		return pages.AccountHead{}, err
	}
	providers, err := f.Upstreams.Active(v.Context())
	if err != nil {
		return pages.AccountHead{}, err
	}
	roles, _, err := f.Administrators.Held(v.Context(), administrators.Person(v.Session.UserID))
	if err != nil {
		return pages.AccountHead{}, err
	}
	head := pages.AccountHead{
		Person: person, Page: page, Mails: f.Identity.Mails, Phones: f.Identity.Texts,
		Linked: len(providers) > 0, Console: len(roles) > 0,
	}
	return head, nil
}

// notice says what was done before the page was asked for, and of email only what was sent.
func notice(f *frame.Frame, v *frame.Visit) string {
	done := v.Gin.Query("done")
	key, known := notices[done]
	if without, differs := noticesWithoutMail[done]; differs && !f.Identity.Mails {
		key = without
	}
	if !known {
		return ""
	}
	return v.Language.Text(key)
}

// noticesWithoutMail are those of a server that cannot send email, where they differ.
var noticesWithoutMail = map[string]locales.Key{
	"registered": locales.Key("notice.welcome"),
	"invited":    locales.Key("notice.welcome"),
}

var notices = map[string]locales.Key{
	"app-removed":      locales.Key("notice.app_removed"),
	"gone":             locales.Key("notice.gone"),
	"device":           locales.Key("notice.device"),
	"devices":          locales.Key("notice.devices"),
	"registered":       locales.Key("notice.registered"),
	"invited":          locales.Key("notice.invited"),
	"profile":          locales.Key("notice.profile"),
	"password":         locales.Key("notice.password"),
	"factor-added":     locales.Key("notice.factor_added"),
	"factors-kept":     locales.Key("notice.factors_kept"),
	"factor-removed":   locales.Key("notice.factor_removed"),
	"password-removed": locales.Key("notice.password_removed"),
	"email-sent":       locales.Key("notice.email_sent"),
	"email-primary":    locales.Key("notice.email_primary"),
	"email-removed":    locales.Key("notice.email_removed"),
	"linked":           locales.Key("notice.linked"),
	"unlinked":         locales.Key("notice.unlinked"),
	"phone-sent":       locales.Key("notice.phone_sent"),
	"phone-verified":   locales.Key("notice.phone_verified"),
	"phone-primary":    locales.Key("notice.phone_primary"),
	"phone-removed":    locales.Key("notice.phone_removed"),
}
