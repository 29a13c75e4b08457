package account

import (
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/web/frame"
)

// formID is the id of what a form is about. One that is malformed is uuid.Nil, which nothing has.
func formID(v *frame.Visit) uuid.UUID {
	id, _ := uuid.Parse(v.Form.Get("id"))
	return id
}
