package webhooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/outgoing"
)

// Store keeps webhooks and tells them of events; set all of its fields.
type Store struct {
	*manage.Store

	Identity     *identity.Store
	Events       *events.Store
	Jobs         *storage.Jobs
	Log          *slog.Logger
	AllowPrivate bool // they may be on private addresses, whatever the name that leads there

	turns outgoing.Turns
}

// Webhook is where a program elsewhere is told of events, as administrators see it.
type Webhook struct {
	ID          string   `json:"id" doc:"Chosen by who made it."`
	URL         string   `json:"url"`
	Description string   `json:"description"`
	Types       []string `json:"types"`
	Values      bool     `json:"values"`
	Disabled    bool     `json:"disabled"`

	DisabledReason  string     `json:"disabled_reason" doc:"Why it was switched off: failing, for it took nothing for days, or gone, for it said so (410); empty: somebody wants it so, or it is on."`
	FailingSince    *time.Time `json:"failing_since,omitempty" doc:"Since then it took nothing that was sent to it."`
	SecretSince     time.Time  `json:"secret_since"`
	OldSecretEndsAt *time.Time `json:"old_secret_ends_at,omitempty" doc:"Until then the secret before signs too."`
	CreatedAt       time.Time  `json:"created_at"`
	CreatedBy       string     `json:"created_by"`
	ModifiedAt      time.Time  `json:"modified_at"`
	ModifiedBy      string     `json:"modified_by"`
	Secret          string     `json:"secret,omitempty" doc:"By which it verifies what it gets. Shown this once, to who makes it."`
}

// row is a webhook in the database.
type row struct {
	bun.BaseModel `bun:"table:webhooks,alias:webhook"`

	ID              string     `bun:"id,pk"`
	URL             string     `bun:"url"`
	ByOperator      bool       `bun:"by_operator"` // the URL was written by who has the server's machine
	Description     string     `bun:"description"`
	Types           []string   `bun:"types,type:jsonb"`
	TellsValues     bool       `bun:"tells_values"`
	SealedSecret    []byte     `bun:"sealed_secret"`
	SecretSince     time.Time  `bun:"secret_since"`
	SealedOldSecret []byte     `bun:"sealed_old_secret,nullzero"`
	OldSecretEndsAt *time.Time `bun:"old_secret_ends_at"`
	IsActive        bool       `bun:"is_active"`
	InactiveBecause string     `bun:"inactive_because"`
	CreatedAt       time.Time  `bun:"created_at"`
	CreatedBy       string     `bun:"created_by"`
	ModifiedAt      time.Time  `bun:"modified_at"`
	ModifiedBy      string     `bun:"modified_by"`

	FailingSince *time.Time `bun:"failing_since,scanonly"`
}

// view is the webhook as it is shown at a time.
func (w *row) view(now time.Time) Webhook {
	view := Webhook{
		ID: w.ID, URL: w.URL, Description: w.Description, Types: w.Types, Values: w.TellsValues, Disabled: !w.IsActive,
		DisabledReason: w.InactiveBecause, FailingSince: w.FailingSince, SecretSince: w.SecretSince, CreatedAt: w.CreatedAt,
		CreatedBy: w.CreatedBy, ModifiedAt: w.ModifiedAt, ModifiedBy: w.ModifiedBy,
	}
	if ends := w.OldSecretEndsAt; ends != nil && ends.After(now) {
		view.OldSecretEndsAt = ends
	}
	return view
}

// Seen is the webhook without what comes and goes by itself: what entity tags are made of.
func (w Webhook) Seen() Webhook {
	w.FailingSince, w.OldSecretEndsAt, w.Secret = nil, nil, ""
	return w
}

// choose makes a webhook what settings say.
func (w *row) choose(settings WebhookSettings, byOperator bool) {
	if w.URL != settings.URL {
		w.URL, w.ByOperator = settings.URL, byOperator
	}
	w.Description, w.Types, w.TellsValues = settings.Description, settings.Types, settings.Values
	if w.IsActive == settings.Disabled { // somebody switches it
		w.IsActive, w.InactiveBecause = !settings.Disabled, ""
	}
}

// values are what the audit trail says of a webhook: of the URL the host, for what follows may be a secret.
func (w *row) values() audit.Values {
	return audit.Values{
		"host": outgoing.HostOf(w.URL), "description": w.Description, "types": w.Types, "values": w.TellsValues, "disabled": !w.IsActive,
	}
}

// List lists all webhooks by id; there are few. It returns a *manage.ForbiddenError.
func (s *Store) List(ctx context.Context, by manage.Caller) ([]Webhook, error) {
	if err := by.Demand(manage.ReadWebhooks); err != nil {
		return nil, err
	}
	var rows []row
	if err := withFailures(s.Database.Reader()).Order("webhook.id").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	views, now := make([]Webhook, len(rows)), s.Now()
	for i := range rows {
		views[i] = rows[i].view(now)
	}
	return views, nil
}

// Show returns a webhook. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Show(ctx context.Context, by manage.Caller, id string) (*Webhook, error) {
	if err := by.Demand(manage.ReadWebhooks); err != nil {
		return nil, err
	}
	return s.shown(ctx, id)
}

func (s *Store) shown(ctx context.Context, id string) (*Webhook, error) {
	found, err := find(ctx, s.Database.Reader(), id)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	view := found.view(s.Now())
	return &view, nil
}

// Put makes a webhook, where create says so, and returns it with its secret; or else makes it what settings say, where
// it is as the caller has seen it, by the entity tag seen of Webhook.Seen; empty: however it is. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, manage.ErrExists, manage.ErrChanged, an Err... or events.ErrType.
func (s *Store) Put(
	ctx context.Context, by manage.Caller, id string, settings WebhookSettings, seen string, create bool,
) (*Webhook, error) {
	if err := demandToSend(by); err != nil {
		return nil, err
	}
	if !idPattern.MatchString(id) {
		return nil, ErrID
	}
	if create {
		return s.create(ctx, id, settings, by.IsOperator())
	}
	err := s.replace(ctx, id, settings, seen, by.IsOperator())
	if errors.Is(err, storage.ErrNotFound) {
		return nil, manage.ErrChanged // RFC 9110, section 13.1.1: there is none
	} else if err != nil {
		return nil, fmt.Errorf("change webhook: %w", err)
	}
	return s.shown(ctx, id)
}

func (s *Store) create(ctx context.Context, id string, settings WebhookSettings, byOperator bool) (*Webhook, error) {
	if err := cmp.Or(checkRest(settings), s.checkURL(settings.URL, byOperator)); err != nil {
		return nil, err
	}
	now, actor, secret := s.Now(), audit.ActorOf(ctx).Name, newSecret()
	made := &row{
		ID: id, SealedSecret: s.Seal.Close(sealForSecrets, []byte(secret)), SecretSince: now, IsActive: !settings.Disabled,
		CreatedAt: now, CreatedBy: actor, ModifiedAt: now, ModifiedBy: actor,
	}
	made.choose(settings, byOperator)
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if n, err := tx.NewSelect().Model((*row)(nil)).Count(ctx); err != nil {
			return err
		} else if n >= maxWebhooks {
			return ErrTooMany
		}
		if _, err := tx.NewInsert().Model(made).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "webhook", EntityID: id, Action: "created", New: made.values(),
		})
	})
	if storage.Violates(err, "webhooks") {
		return nil, manage.ErrExists
	} else if err != nil {
		return nil, fmt.Errorf("create webhook: %w", err)
	}
	view := made.view(now)
	view.Secret = secret
	return &view, nil
}

// replace makes a webhook what settings say.
func (s *Store) replace(ctx context.Context, id string, settings WebhookSettings, seen string, byOperator bool) error {
	now := s.Now()
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		before, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := manage.Unchanged(seen, before.view(now).Seen()); err != nil {
			return err
		}
		if err := checkRest(settings); err != nil {
			return err
		}
		// What is on and stays where it is need not be good by today's rules: it may be to be switched off.
		if before.URL != settings.URL || !before.IsActive {
			if err := s.checkURL(settings.URL, byOperator || before.ByOperator && before.URL == settings.URL); err != nil {
				return err
			}
		}
		after := *before
		after.choose(settings, byOperator)
		old, new := differences(before.values(), after.values())
		if before.URL != after.URL {
			old["host"], new["host"] = before.values()["host"], after.values()["host"] // though it be the same
		}
		if len(new) == 0 {
			return nil
		}
		after.ModifiedAt, after.ModifiedBy = now, audit.ActorOf(ctx).Name
		// The time makes it a comparison: somebody else may have changed it since it was read.
		err = storage.OneRow(tx.NewUpdate().Model(&after).
			Column("url", "by_operator", "description", "types", "tells_values", "is_active", "inactive_because").
			Column("modified_at", "modified_by").WherePK().Where("modified_at = ?", before.ModifiedAt).Exec(ctx))
		if errors.Is(err, storage.ErrNotFound) {
			return manage.ErrChanged
		}
		if err == nil && after.IsActive && !before.IsActive {
			err = forgetFailures(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "webhook", EntityID: id, Action: "changed", Old: old, New: new,
		})
	})
}

// differences are the values that are not the same before and after.
func differences(before, after audit.Values) (old, new audit.Values) {
	old, new = audit.Values{}, audit.Values{}
	for name, value := range after {
		if fmt.Sprint(value) != fmt.Sprint(before[name]) {
			old[name], new[name] = before[name], value
		}
	}
	return old, new
}

// Delete removes a webhook with its deliveries. It returns a *manage.ForbiddenError, a *manage.StepUpError or
// storage.ErrNotFound.
func (s *Store) Delete(ctx context.Context, by manage.Caller, id string) error {
	if err := by.Demand(manage.WriteWebhooks); err != nil {
		return err
	}
	now := s.Now()
	err := storage.WriteMuch(ctx, s.Database, func(ctx context.Context, tx bun.Tx) error {
		deleted := new(row)
		err := storage.NotFound(tx.NewDelete().Model(deleted).Where("id = ?", id).Returning("*").Scan(ctx))
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "webhook", EntityID: id, Action: "deleted", Old: deleted.values(),
		})
	})
	if err != nil {
		return fmt.Errorf("delete webhook: %w", err)
	}
	return nil
}

// Test has the webhook told that it is tested, whatever it listens to. It returns a *manage.ForbiddenError, a
// *manage.StepUpError, storage.ErrNotFound or ErrDisabled.
func (s *Store) Test(ctx context.Context, by manage.Caller, id string) error {
	if err := demandToSend(by); err != nil {
		return err
	}
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := demandActive(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{Entity: "webhook", EntityID: id, Action: "tested"})
	})
	if err != nil {
		return fmt.Errorf("test webhook: %w", err)
	}
	return nil
}

// demandToSend returns an error where a caller may not have events sent: what is sent is the audit trail.
func demandToSend(by manage.Caller) error {
	return cmp.Or(by.Demand(manage.WriteWebhooks), by.Demand(manage.ReadAuditTrail))
}

// demandActive returns storage.ErrNotFound or ErrDisabled where a webhook is not told of anything.
func demandActive(ctx context.Context, tx bun.Tx, id string) error {
	found, err := find(ctx, tx, id)
	if err == nil && !found.IsActive {
		err = ErrDisabled
	}
	return err
}

// find returns a webhook with how it fares, or storage.ErrNotFound.
func find(ctx context.Context, db bun.IDB, id string) (*row, error) {
	found := new(row)
	err := withFailures(db).Where("webhook.id = ?", id).Scan(ctx, found)
	return found, storage.NotFound(err)
}

func withFailures(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().Model((*row)(nil)).ColumnExpr("webhook.*").ColumnExpr("failure.since AS failing_since").
		Join("LEFT JOIN webhook_failures AS failure ON failure.webhook_id = webhook.id")
}

// listening returns the webhooks that are on and listen to an event. One that is tested listens to that.
func listening(all []row, event *events.Event) []row {
	return slices.DeleteFunc(slices.Clone(all), func(w row) bool {
		if event.Type == events.TestType {
			return event.Data.ID != w.ID
		}
		return !events.Choose(w.Types, event.Type)
	})
}
