package people

import (
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
)

// AddEmail gives a person an address.
func (h Person) AddEmail() shell.Handler {
	return h.act("email-added", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		_, err := h.People.Addresses().Add(v.Context(), by, id, people.NewEmail{
			Address: v.Form.Get("email"), Verified: v.Form.Get("verified") == "yes",
		})
		return err
	})
}

// RemoveEmail takes one from them.
func (h Person) RemoveEmail() shell.Handler {
	return h.onEmail("email-removed", func(v *frame.Visit, by manage.Caller, id, email uuid.UUID) error {
		return h.People.Addresses().Remove(v.Context(), by, id, email)
	})
}

// PreferEmail makes one the primary one.
func (h Person) PreferEmail() shell.Handler {
	return h.onEmail("saved", func(v *frame.Visit, by manage.Caller, id, email uuid.UUID) error {
		return h.People.Addresses().MakePrimary(v.Context(), by, id, email)
	})
}

func (h Person) onEmail(
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
