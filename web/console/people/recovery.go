package people

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// Recovery helps a person who cannot sign in.
type Recovery struct{ Person }

// ResetLink shows a link by which a person chooses another password.
func (h Recovery) ResetLink(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	link, err := h.People.MakeResetLink(v.Context(), by, id)
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, id, unprocessable, failure)
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.People), Title: v.Language.Text("console.people.reset_link"),
		Text:  v.Language.Text("console.people.reset_link_text", locales.Params{"When": v.Language.Moment(link.ExpiresAt)}),
		Label: v.Language.Text("console.people.link"), Secret: link.Link, Back: address(id),
	})
}

// ConfirmReset asks before a person's factors are removed.
func (h Recovery) ConfirmReset(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	if err := by.Demand(manage.RecoverUsers); err != nil {
		return err
	}
	user, err := h.People.User(v.Context(), by, id)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, shell.Confirm{
		Screen: h.Screen(v, by, shell.People),
		Title:  v.Language.Text("console.people.reset_factors_of", locales.Params{"Username": user.Username}),
		Text:   v.Language.Text("console.people.reset_factors_text"),
		Action: address(id) + "/reset-factors", Button: v.Language.Text("console.people.reset_factors"), Back: address(id),
	})
}

// ResetFactors removes what a person who has lost it all signs in with, besides the password.
func (h Recovery) ResetFactors() shell.Handler {
	return h.act("factors-reset", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.People.ResetFactors(v.Context(), by, id)
	})
}
