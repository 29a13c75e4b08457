package people

import (
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
)

// Emails are the addresses on the page of a person.
type Emails struct{ Person }

// Add gives a person an address.
func (h Emails) Add() shell.Handler {
	return h.act("email-added", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		_, err := h.People.Addresses().Add(v.Context(), by, id, people.NewEmail{
			Address: v.Form.Get("email"), Verified: v.Form.Get("verified") == "yes",
		})
		return err
	})
}

// Remove takes one from them.
func (h Emails) Remove() shell.Handler {
	return h.on("email-removed", func(v *frame.Visit, by manage.Caller, id, email uuid.UUID) error {
		return h.People.Addresses().Remove(v.Context(), by, id, email)
	})
}

// Prefer makes one the primary one.
func (h Emails) Prefer() shell.Handler {
	return h.on("saved", func(v *frame.Visit, by manage.Caller, id, email uuid.UUID) error {
		return h.People.Addresses().MakePrimary(v.Context(), by, id, email)
	})
}

func (h Emails) on(
	done string, do func(v *frame.Visit, by manage.Caller, id, email uuid.UUID) error,
) shell.Handler {
	return h.act(done, func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		email, err := uuid.Parse(v.Form.Get("email"))
		if err != nil {
			return frame.ErrForm
		}
		return shell.Gone(do(v, by, id, email))
	})
}
