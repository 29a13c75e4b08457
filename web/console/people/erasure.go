package people

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// Erasure deletes a person.
type Erasure struct{ Person }

// Confirm asks before a person is deleted, and says what ends with them.
func (h Erasure) Confirm(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	if err := by.Demand(manage.EraseUsers); err != nil {
		return err
	}
	user, err := h.People.User(v.Context(), by, id)
	if err != nil {
		return err
	}
	return h.ask(v, by, user, http.StatusOK, "")
}

func (h Erasure) ask(v *frame.Visit, by manage.Caller, user *people.User, status int, failure string) error {
	sessions, err := h.People.Sessions(v.Context(), by, user.ID)
	if err != nil {
		return err
	}
	grants, err := h.Apps.GrantsOf(v.Context(), by, user.ID)
	if err != nil {
		return err
	}
	page := shell.Confirm{
		Screen: h.Screen(v, by, shell.People),
		Title:  v.Language.Text("console.people.erase_of", locales.Params{"Username": user.Username}),
		Text:   v.Language.Text("console.people.erase_text"),
		Ends: []string{
			v.Language.Text("console.people.erase_sessions", locales.Params{"Count": len(sessions)}),
			v.Language.Text("console.people.erase_grants", locales.Params{"Count": len(grants)}),
		},
		Typed: user.Username, Action: address(user.ID) + "/erase", Button: v.Language.Text("console.people.erase"),
		Back: address(user.ID),
	}
	page.Failure = failure
	return v.Show(status, page)
}

// Erase deletes a person, whose username was typed.
func (h Erasure) Erase(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	if err := by.Demand(manage.EraseUsers); err != nil {
		return err
	}
	user, err := h.People.User(v.Context(), by, id)
	if err != nil {
		return err
	}
	if v.Form.Get("typed") != user.Username {
		return h.ask(v, by, user, unprocessable, v.Language.Text("console.typed_wrong"))
	}
	err = h.People.Erase(v.Context(), by, id)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.ask(v, by, user, unprocessable, failure)
	} else if err != nil {
		return err
	}
	return shell.Done(v, shell.People, "person-erased")
}
