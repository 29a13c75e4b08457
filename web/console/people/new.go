package people

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// New is the page where people are invited or registered.
type New struct{ shell.Console }

type newPage struct {
	shell.Screen
	MailSent                       bool
	Roles                          []string // administrative ones that may be given
	Email, Username, Name, Address string   // as they were typed
	InviteFailure, CreateFailure   string
}

// Template is that of the page.
func (newPage) Template() (pages.Templates, string) { return templates, "new.html" }

// Page shows both ways.
func (h New) Page(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteUsers); err != nil {
		return err
	}
	return v.Show(http.StatusOK, h.page(v, by))
}

func (h New) page(v *frame.Visit, by manage.Caller) newPage {
	return newPage{Screen: h.Screen(v, by, shell.People), MailSent: h.Identity.Mails, Roles: shell.GrantableRoles(by, nil)}
}

// Invite makes an invitation and shows its link.
func (h New) Invite(v *frame.Visit, by manage.Caller) error {
	made, err := h.People.Invite(v.Context(), by, people.NewInvitation{
		Email: v.Form.Get("email"), AdminRole: v.Form.Get("role"), Days: 7,
	})
	if failure := v.Language.Refusal(err); failure != "" {
		page := h.page(v, by)
		page.Email, page.InviteFailure = v.Form.Get("email"), failure
		return v.Show(unprocessable, page)
	} else if err != nil {
		return err
	}
	text := v.Language.Text("console.people.invited_text")
	if made.Email != "" && h.Identity.Mails {
		text = v.Language.Text("console.people.invited_mailed")
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.People), Title: v.Language.Text("console.people.invited"), Text: text,
		Label: v.Language.Text("console.people.link"), Secret: made.Link, Back: shell.People,
	})
}

// Create registers a person.
func (h New) Create(v *frame.Visit, by manage.Caller) error {
	new := people.NewUser{
		Username: v.Form.Get("username"), Name: v.Form.Get("name"), Email: v.Form.Get("address"),
		EmailVerified: v.Form.Get("verified") == "yes", Password: v.Form.Get("password"),
	}
	user, err := h.People.Create(v.Context(), by, new)
	if failure := v.Language.Refusal(err); failure != "" {
		page := h.page(v, by)
		page.Username, page.Name, page.Address, page.CreateFailure = new.Username, new.Name, new.Email, failure
		return v.Show(unprocessable, page)
	} else if err != nil {
		return err
	}
	return shell.Done(v, address(user.ID), "person-created")
}
