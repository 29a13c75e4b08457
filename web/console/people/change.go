package people

import (
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
)

// act is something that is done to a person by a button of their page.
func (h Person) act(done string, do func(v *frame.Visit, by manage.Caller, id uuid.UUID) error) shell.Handler {
	return func(v *frame.Visit, by manage.Caller) error {
		id, err := personID(v)
		if err != nil {
			return err
		}
		err = do(v, by, id)
		if failure := v.Language.Refusal(err); failure != "" {
			return h.show(v, by, id, unprocessable, failure)
		} else if err != nil {
			return err
		}
		return shell.Done(v, address(id), done)
	}
}

// Save changes what a person is called, where they are as the page has shown them.
func (h Person) Save() shell.Handler {
	return h.act("saved", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		username, name := v.Form.Get("username"), v.Form.Get("name")
		_, err := h.People.Update(v.Context(), by, id, v.Form.Get("seen"), people.UserChange{
			Username: &username, Name: &name,
		})
		return err
	})
}

// Disable switches an account off.
func (h Person) Disable() shell.Handler { return h.switchTo(false, "person-disabled") }

// Enable switches it on again.
func (h Person) Enable() shell.Handler { return h.switchTo(true, "person-enabled") }

func (h Person) switchTo(on bool, done string) shell.Handler {
	return h.act(done, func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		_, err := h.People.Update(v.Context(), by, id, "", people.UserChange{IsActive: &on})
		return err
	})
}

// Unlock opens an account that wrong passwords have locked.
func (h Person) Unlock() shell.Handler {
	return h.act("unlocked", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.People.Unlock(v.Context(), by, id)
	})
}

// SignOut voids every session and token of a person.
func (h Person) SignOut() shell.Handler {
	return h.act("signed-out", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		return h.People.SignOutEverywhere(v.Context(), by, id)
	})
}

// EndSession signs a person out on one device.
func (h Person) EndSession() shell.Handler {
	return h.act("session-ended", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		session, err := uuid.Parse(v.Form.Get("session"))
		if err != nil {
			return frame.ErrForm
		}
		return shell.Gone(h.People.EndSession(v.Context(), by, id, session))
	})
}

// EndGrant takes from an app what it holds of a person.
func (h Person) EndGrant() shell.Handler {
	return h.act("grant-ended", func(v *frame.Visit, by manage.Caller, id uuid.UUID) error {
		grant, err := uuid.Parse(v.Form.Get("grant"))
		if err != nil {
			return frame.ErrForm
		}
		return shell.Gone(h.Apps.EndGrant(v.Context(), by, id, grant))
	})
}
