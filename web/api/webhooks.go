package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
)

const tagWebhooks = "webhooks"

// WebhookID is the part of an address that names a webhook.
type WebhookID struct {
	ID string `path:"id" maxLength:"100" pattern:"^[a-z0-9][a-z0-9._:-]*$" doc:"Chosen by who makes it."`
}

// newTaggedWebhook is a webhook with its entity tag, which is another only where somebody has changed it.
func newTaggedWebhook(webhook *webhooks.Webhook, status int) *tagged[webhooks.Webhook] {
	answer := newTagged(webhook.Seen(), status)
	answer.Body = *webhook
	return answer
}

// webhooks are the operations on webhooks.
func (a *API) webhooks() {
	register(a, operation{
		id: "list-webhooks", method: http.MethodGet, path: "/webhooks", tag: tagWebhooks, permission: manage.ReadWebhooks,
		summary: "List webhooks by id",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[webhooks.Webhook], error) {
		return listed(a.Webhooks.List(ctx, by))
	})

	register(a, operation{
		id: "get-webhook", method: http.MethodGet, path: "/webhooks/{id}", tag: tagWebhooks,
		permission: manage.ReadWebhooks, summary: "Show a webhook",
	}, func(ctx context.Context, by manage.Caller, in *WebhookID) (*tagged[webhooks.Webhook], error) {
		webhook, err := a.Webhooks.Show(ctx, by, in.ID)
		if err != nil {
			return nil, err
		}
		return newTaggedWebhook(webhook, http.StatusOK), nil
	})

	type putIn struct {
		WebhookID
		Conditions
		Body webhooks.WebhookSettings
	}
	register(a, operation{
		id: "put-webhook", method: http.MethodPut, path: "/webhooks/{id}", tag: tagWebhooks,
		permission: manage.WriteWebhooks, summary: "Make a webhook, or replace all of it but its secret",
	}, func(ctx context.Context, by manage.Caller, in *putIn) (*tagged[webhooks.Webhook], error) {
		seen, create, err := in.read()
		if err != nil {
			return nil, err
		}
		webhook, err := a.Webhooks.Put(ctx, by, in.ID, in.Body, seen, create)
		if err != nil {
			return nil, err
		}
		return newTaggedWebhook(webhook, statusOf(create)), nil
	})

	register(a, operation{
		id: "delete-webhook", method: http.MethodDelete, path: "/webhooks/{id}", tag: tagWebhooks,
		permission: manage.WriteWebhooks, status: http.StatusNoContent, summary: "Delete a webhook with its deliveries",
	}, func(ctx context.Context, by manage.Caller, in *WebhookID) (*none, error) {
		return done(a.Webhooks.Delete(ctx, by, in.ID))
	})
	useWebhooks(a)
	webhookDeliveries(a)
}

// useWebhooks are those that give a webhook a secret, and try it.
func useWebhooks(a *API) {
	type secretIn struct {
		WebhookID
		Repeatable
	}
	register(a, operation{
		id: "create-webhook-secret", method: http.MethodPost, path: "/webhooks/{id}/secrets", tag: tagWebhooks,
		permission: manage.WriteWebhooks, status: http.StatusCreated,
		summary: "Give a webhook another secret; the one before signs too for a day",
	}, func(ctx context.Context, by manage.Caller, in *secretIn) (*body[webhooks.WebhookSecret], error) {
		return bodied(a.Webhooks.Rotate(ctx, by, in.ID))
	})

	type testIn struct {
		WebhookID
		Repeatable
	}
	register(a, operation{
		id: "test-webhook", method: http.MethodPost, path: "/webhooks/{id}/actions/test", tag: tagWebhooks,
		permission: manage.WriteWebhooks, status: http.StatusNoContent,
		summary: "Send a webhook the event webhook.tested; its deliveries say how it went",
	}, func(ctx context.Context, by manage.Caller, in *testIn) (*none, error) {
		return done(a.Webhooks.Test(ctx, by, in.ID))
	})
}

// webhookDeliveries are the operations on what webhooks were told.
func webhookDeliveries(a *API) {
	type listIn struct {
		WebhookID
		Part
		State string `query:"state" enum:"pending,sending,delivered,failed"`
	}
	register(a, operation{
		id: "list-webhook-deliveries", method: http.MethodGet, path: "/webhooks/{id}/deliveries", tag: tagWebhooks,
		permission: manage.ReadWebhooks, summary: "List what a webhook was told, and is to be told, the newest event first",
	}, func(ctx context.Context, by manage.Caller, in *listIn) (*body[manage.Page[webhooks.WebhookDelivery]], error) {
		page, err := a.Webhooks.Deliveries(ctx, by, in.ID, webhooks.DeliveryFilter{State: in.State}, in.part())
		return bodied(&page, err)
	})

	type resendIn struct {
		WebhookID
		Repeatable
		Delivery uuid.UUID `path:"delivery" format:"uuid"`
	}
	register(a, operation{
		id: "resend-webhook-delivery", method: http.MethodPost, path: "/webhooks/{id}/deliveries/{delivery}/actions/resend",
		tag: tagWebhooks, permission: manage.WriteWebhooks, status: http.StatusNoContent,
		summary: "Send an event to a webhook again",
	}, func(ctx context.Context, by manage.Caller, in *resendIn) (*none, error) {
		return done(a.Webhooks.Resend(ctx, by, in.ID, in.Delivery))
	})

	type resendSinceIn struct {
		WebhookID
		Repeatable
		Body struct {
			Since time.Time `json:"since" doc:"When the first of them happened."`
			After int64     `json:"after,omitempty" minimum:"0" doc:"Only those with a higher number: the after of the answer before."`
		}
	}
	register(a, operation{
		id: "resend-webhook", method: http.MethodPost, path: "/webhooks/{id}/actions/resend", tag: tagWebhooks,
		permission: manage.WriteWebhooks,
		summary:    "Send a webhook all that it listens to since a time, also what happened while it was off or not there",
	}, func(ctx context.Context, by manage.Caller, in *resendSinceIn) (*body[webhooks.ResentEvents], error) {
		return bodied(a.Webhooks.ResendSince(ctx, by, in.ID, in.Body.Since, in.Body.After))
	})
}
