package overview

import (
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// step is something to do before a new server is ready for real use.
type step struct {
	Title, Text locales.Key
	URI         string // where it is done; empty: not in the console
}

// steps finds out which are left. Whoever may not see what a step is about is not asked to take it.
func (h Overview) steps(v *frame.Visit, by manage.Caller, page *overviewPage) error {
	check := func(isDone bool, s step) {
		if isDone {
			page.Done++
			return
		}
		page.Steps = append(page.Steps, s)
	}
	user := v.Session.User
	check(user.TwoFactor || user.HasWebAuthn, step{
		locales.Key("console.step.second_factor"), locales.Key("console.step.second_factor_text"), "/account/security",
	})
	if page.May(manage.ReadClients) {
		first, err := h.Apps.ListClients(v.Context(), by, apps.ClientFilter{}, manage.Part{Limit: 1})
		if err != nil {
			return err
		}
		check(len(first.Items) > 0, step{
			locales.Key("console.step.app"), locales.Key("console.step.app_text"), "/console/apps/new",
		})
	}
	if page.May(manage.WriteAdmins) {
		people := make(map[uuid.UUID]bool)
		held, err := h.Manage.List(v.Context(), by)
		if err != nil {
			return err
		}
		for _, a := range held {
			if a.UserID != nil {
				people[*a.UserID] = true
			}
		}
		check(len(people) > 1, step{
			locales.Key("console.step.administrator"), locales.Key("console.step.administrator_text"), "/console/people/new",
		})
		check(h.Identity.Mails, step{locales.Key("console.step.mail"), locales.Key("console.step.mail_text"), ""})
		check(strings.HasPrefix(h.Provider.Issuer, "https:"), step{
			locales.Key("console.step.https"), locales.Key("console.step.https_text"), "",
		})
	}
	return nil
}
