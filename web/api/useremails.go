package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
)

// Addresses are the e-mail addresses and phone numbers of a person.
type Addresses struct {
	Emails []people.Address `json:"emails"`
	Phones []people.Address `json:"phones" doc:"As E.164 writes them."`
}

// userEmails are the operations on the addresses of people.
func (a *API) userEmails() {
	register(a, operation{
		id: "list-user-addresses", method: http.MethodGet, path: "/users/{id}/addresses", tag: tagUsers,
		permission: manage.ReadUsers, summary: "List a person's e-mail addresses and phone numbers",
	}, func(ctx context.Context, by manage.Caller, in *UserID) (*body[Addresses], error) {
		emails, phones, err := a.People.Addresses().List(ctx, by, in.ID)
		none := []people.Address{}
		return bodied(&Addresses{append(none, emails...), append(none, phones...)}, err)
	})

	type addIn struct {
		UserID
		Repeatable
		Body people.NewEmail
	}
	register(a, operation{
		id: "add-user-email", method: http.MethodPost, path: "/users/{id}/emails", tag: tagUsers,
		permission: manage.WriteUsers, summary: "Give a person an e-mail address", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *addIn) (*body[people.Address], error) {
		return bodied(a.People.Addresses().Add(ctx, by, in.ID, in.Body))
	})

	type UserEmail struct {
		UserID
		Email uuid.UUID `path:"email" format:"uuid"`
	}
	register(a, operation{
		id: "remove-user-email", method: http.MethodDelete, path: "/users/{id}/emails/{email}", tag: tagUsers,
		permission: manage.RecoverUsers, summary: "Take an e-mail address from a person", status: http.StatusNoContent,
	}, func(ctx context.Context, by manage.Caller, in *UserEmail) (*none, error) {
		return done(a.People.Addresses().Remove(ctx, by, in.ID, in.Email))
	})

	type primaryIn struct {
		UserEmail
		Repeatable
	}
	register(a, operation{
		id: "make-user-email-primary", method: http.MethodPost, path: "/users/{id}/emails/{email}/actions/make-primary",
		tag: tagUsers, permission: manage.RecoverUsers, status: http.StatusNoContent,
		summary: "Make a verified e-mail address of a person the one that is written to and told to apps",
	}, func(ctx context.Context, by manage.Caller, in *primaryIn) (*none, error) {
		return done(a.People.Addresses().MakePrimary(ctx, by, in.ID, in.Email))
	})
}
