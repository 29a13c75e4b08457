// Package webhookcommands are the commands of wicket webhook. What they do is in manage/webhooks.
package webhookcommands

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Commands are the commands of wicket webhook.
type Commands struct {
	Create     create     `cmd:"" help:"Make a webhook: a URL to which events are posted. Prints the secret by which the receiver verifies them, this once."`
	List       list       `cmd:"" help:"List the webhooks by id."`
	Show       show       `cmd:"" help:"Print a webhook and how it fares."`
	Update     update     `cmd:"" help:"Change a webhook, switch it off, or on again."`
	Rotate     rotate     `cmd:"" help:"Give a webhook another secret and print it, this once. For a day the one before signs too."`
	Test       test       `cmd:"" help:"Have the running server send the event webhook.tested; deliveries says how it went."`
	Deliveries deliveries `cmd:"" help:"List what a webhook was told, and is to be told, the newest event first."`
	Resend     resend     `cmd:"" help:"Have the running server send one event again, or all since a time."`
	Delete     remove     `cmd:"" help:"Delete a webhook with its deliveries."`
}

// operator is what an operator does to the database: the context names them, and who they are for package manage.
func operator(ctx context.Context) (context.Context, manage.Caller) {
	ctx = server.AsOperator(ctx)
	return ctx, manage.Operator(audit.ActorOf(ctx).Name)
}

// chosen is the argument that names a webhook.
type chosen struct {
	ID string `arg:"" help:"The id of the webhook."`
}

// found tells of a webhook that does not exist, by its id, and returns every other error as it is.
func (c chosen) found(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no webhook %q", c.ID)
	}
	return err
}

type create struct {
	ID          string   `arg:"" help:"What it shall be known as: up to 100 lower-case letters, digits and . _ : -"`
	URL         string   `required:"" help:"Where events are posted: https, or http on this machine."`
	Type        []string `sep:"," default:"*" help:"Of which events it is told: a type of docs/events.md such as user.created, user.* for all of a noun, or * for all. Several by commas, or repeated."`
	Description string   `help:"What people read."`
	Values      bool     `help:"Tell it the values that have changed, personal data among them, and not their names alone."`
}

// Run makes the webhook and prints it with its secret.
func (c create) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	made, err := s.Webhooks.Put(ctx, by, c.ID, webhooks.WebhookSettings{
		URL: c.URL, Types: c.Type, Description: c.Description, Values: c.Values,
	}, "", true)
	if errors.Is(err, manage.ErrExists) {
		return exit.Conflict("there is a webhook %q already", c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(made, func() {
		out.Line("secret  %s", made.Secret)
		out.Line("Keep the secret now: it is shown this once. It verifies what comes: docs/webhooks.md.")
	})
}

type list struct{}

// Run lists the webhooks.
func (list) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	all, err := s.Webhooks.List(ctx, by)
	if err != nil {
		return err
	}
	rows := make([][]any, len(all))
	for i, w := range all {
		rows[i] = []any{w.ID, stateOf(&w), strings.Join(w.Types, " "), w.URL}
	}
	return out.Print(all, func() { out.Table([]any{"ID", "STATE", "TYPES", "URL"}, rows) })
}

// stateOf says in a word how a webhook fares.
func stateOf(w *webhooks.Webhook) string {
	switch {
	case w.DisabledReason != "":
		return "off: " + w.DisabledReason
	case w.Disabled:
		return "off"
	case w.FailingSince != nil:
		return "failing since " + w.FailingSince.Format(time.RFC3339)
	}
	return "on"
}

type show struct{ chosen }

// Run prints the webhook.
func (c show) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	w, err := s.Webhooks.Show(ctx, by, c.ID)
	if err != nil {
		return c.found(err)
	}
	return out.Print(w, func() {
		for _, line := range [][2]string{
			{"id", w.ID}, {"url", w.URL}, {"description", w.Description}, {"types", strings.Join(w.Types, " ")},
			{"values", map[bool]string{true: "told", false: "not told"}[w.Values]}, {"state", stateOf(w)},
			{"secret since", w.SecretSince.Format(time.RFC3339)},
		} {
			out.Line("%-13s %s", line[0], line[1])
		}
	})
}

type update struct {
	chosen
	URL         *string  `help:"Where events are posted."`
	Type        []string `sep:"," help:"Of which events it is told, instead of those up to now."`
	Description *string  `help:"What people read."`
	Values      *bool    `negatable:"" help:"Whether it is told the values that have changed."`
	Disable     bool     `xor:"switch" help:"Switch it off: it is told nothing."`
	Enable      bool     `xor:"switch" help:"Switch it on."`
}

// Run changes the webhook.
func (c update) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	before, err := s.Webhooks.Show(ctx, by, c.ID)
	if err != nil {
		return c.found(err)
	}
	settings := webhooks.WebhookSettings{
		URL: before.URL, Types: before.Types, Description: before.Description, Values: before.Values,
		Disabled: (before.Disabled || c.Disable) && !c.Enable,
	}
	if c.URL != nil {
		settings.URL = *c.URL
	}
	if len(c.Type) > 0 {
		settings.Types = c.Type
	}
	if c.Description != nil {
		settings.Description = *c.Description
	}
	if c.Values != nil {
		settings.Values = *c.Values
	}
	after, err := s.Webhooks.Put(ctx, by, c.ID, settings, manage.ETag(before.Seen()), false)
	if errors.Is(err, manage.ErrChanged) {
		return exit.Conflict("somebody else has just changed the webhook %q; look at it and try again", c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(after, func() { out.Line("Changed %s; it is %s.", c.ID, stateOf(after)) })
}

type rotate struct{ chosen }

// Run makes another secret and prints it.
func (c rotate) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	rotated, err := s.Webhooks.Rotate(ctx, by, c.ID)
	if err != nil {
		return c.found(err)
	}
	return out.Print(rotated, func() {
		out.Line("secret  %s", rotated.Secret)
		out.Line("The one before signs too until %s.", rotated.OldSecretEndsAt.Format(time.RFC1123))
	})
}

type test struct{ chosen }

// Run has the running server send an event.
func (c test) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	if err := s.Webhooks.Test(ctx, by, c.ID); err != nil {
		return c.found(err)
	}
	result := map[string]string{"id": c.ID, "status": "tested"}
	return out.Print(result, func() {
		out.Line("The running server sends webhook.tested; wicket webhook deliveries %s says how it went.", c.ID)
	})
}

type deliveries struct {
	chosen
	State string `enum:",pending,sending,delivered,failed" default:"" help:"Only those in this state: pending, sending, delivered or failed."`
	Limit int    `default:"100" help:"How many to list at the most."`
}

// Run lists them.
func (c deliveries) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	all, part := []webhooks.WebhookDelivery{}, manage.Part{}
	for more := true; more && len(all) < c.Limit; more = part.Cursor != "" {
		part.Limit = min(c.Limit-len(all), manage.MaxLimit)
		page, err := s.Webhooks.Deliveries(ctx, by, c.ID, webhooks.DeliveryFilter{State: c.State}, part)
		if err != nil {
			return c.found(err)
		}
		all, part.Cursor = append(all, page.Items...), page.Next
	}
	rows := make([][]any, len(all))
	for i, d := range all {
		rows[i] = []any{d.ID, d.Sequence, d.Type, d.CreatedAt.Format(time.RFC3339), d.State, d.Attempts, d.Status, d.Error}
	}
	return out.Print(all, func() {
		out.Table([]any{"ID", "SEQUENCE", "TYPE", "SINCE", "STATE", "ATTEMPTS", "STATUS", "LAST ERROR"}, rows)
	})
}

type resend struct {
	chosen
	Delivery uuid.UUID `xor:"what" required:"" help:"This delivery, by its id, as deliveries prints it."`
	Since    time.Time `xor:"what" required:"" format:"2006-01-02T15:04:05Z07:00" help:"All that the webhook listens to since then, such as 2026-01-31T08:00:00Z, also what happened while it was off or not there."`
}

// Run has the running server send them.
func (c resend) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	sent := 1
	if c.Since.IsZero() {
		if err := s.Webhooks.Resend(ctx, by, c.ID, c.Delivery); errors.Is(err, storage.ErrNotFound) {
			return exit.NotFound("there is no webhook %q with a delivery %s", c.ID, c.Delivery)
		} else if err != nil {
			return err
		}
	} else {
		sent = 0
		for after, more := int64(0), true; more; {
			part, err := s.Webhooks.ResendSince(ctx, by, c.ID, c.Since, after)
			if err != nil {
				return c.found(err)
			}
			after, more = part.After, part.More
			sent += part.Deliveries
		}
	}
	result := map[string]any{"id": c.ID, "deliveries": sent}
	return out.Print(result, func() { out.Line("The running server sends %d events to %s.", sent, c.ID) })
}

type remove struct{ chosen }

// Run deletes the webhook.
func (c remove) Run(ctx context.Context, s *server.Server, out printer.Printer) error {
	ctx, by := operator(ctx)
	if err := s.Webhooks.Delete(ctx, by, c.ID); err != nil {
		return c.found(err)
	}
	result := map[string]string{"id": c.ID, "status": "deleted"}
	return out.Print(result, func() { out.Line("Deleted %s.", c.ID) })
}
