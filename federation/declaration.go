package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Within are the verbs of Upstreams for who has a transaction of their own, in which more is declared than providers.
type Within struct{ Upstreams *Upstreams }

// Row is a provider as package declared knows it.
func Row(id string) declared.Row {
	return declared.Row{Table: "providers", Key: "id", ID: id, Entity: "provider", EntityID: id}
}

// Forget makes the next who asks for the providers read them anew. It belongs after the commit.
func (w Within) Forget() { w.Upstreams.forget() }

// Declare makes a provider as a file declares it, as part of tx: it is added where it is missing, and what differs is
// changed. It was checked; who links to it stay linked, as far as it says the same of who they are. It returns
// *InvalidProviderError, ErrDeclared where variables name it, or declared.ErrDeclared where another file declares it.
func (w Within) Declare(ctx context.Context, tx bun.Tx, now time.Time, p Provider) error {
	u, actor := w.Upstreams, audit.ActorOf(ctx).Name
	if slices.ContainsFunc(u.Named(), func(named Provider) bool { return named.ID == p.ID }) {
		return ErrDeclared
	}
	before := new(Provider)
	err := storage.NotFound(tx.NewSelect().Model(before).Where("id = ?", p.ID).Scan(ctx))
	isNew := errors.Is(err, storage.ErrNotFound)
	switch {
	case err != nil && !isNew:
		return err
	case isNew && p.Secret == "":
		return &InvalidProviderError{errors.New("it has no secret yet, so one must be given")}
	case !isNew && before.DeclaredBy != p.DeclaredBy:
		if err := declared.Check(before.DeclaredBy); err != nil {
			return err
		}
	}
	p.CreatedAt, p.CreatedBy, p.ModifiedAt, p.ModifiedBy = now, actor, now, actor
	if isNew {
		p.SealedSecret = u.Seal.Close(sealForProviders, []byte(p.Secret))
		if _, err := tx.NewInsert().Model(&p).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "provider", EntityID: p.ID, Action: "added", New: p.recorded(),
		})
	}
	was, shall := differences(before, &p)
	p.SealedSecret = before.SealedSecret
	if secret, err := u.secret(before); p.Secret != "" && (err != nil || secret != p.Secret) {
		p.SealedSecret, shall["client_secret_changed"] = u.Seal.Close(sealForProviders, []byte(p.Secret)), true
	}
	if len(shall) == 0 {
		return nil
	}
	if err := storage.OneRow(tx.NewUpdate().Model(&p).ExcludeColumn("created_at", "created_by").WherePK().
		Exec(ctx)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "provider", EntityID: p.ID, Action: "changed", Old: was, New: shall,
	})
}

// Disable disables a provider that a file declares no more, as part of tx. It returns storage.ErrNotFound where there
// is none or it is disabled already.
func (w Within) Disable(ctx context.Context, tx bun.Tx, now time.Time, id, source string) error {
	err := storage.OneRow(tx.NewUpdate().Model((*Provider)(nil)).Set("is_active = ?", false).
		Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ? AND declared_by = ? AND is_active", id, source).Exec(ctx))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "provider", EntityID: id, Action: "disabled"})
}

// Remove is Upstreams.Remove as part of tx, of a provider that a file has declared.
func (w Within) Remove(ctx context.Context, tx bun.Tx, now time.Time, id string) error {
	if _, err := remove(ctx, tx, w.Upstreams, id); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "provider", EntityID: id, Action: "removed"})
}

// Rows lists the providers that no variable names, in no order.
func (w Within) Rows(ctx context.Context) (rows []Provider, err error) {
	if err := w.Upstreams.Database.Reader().NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("providers: %w", err)
	}
	return rows, nil
}

// same tells whether two values of a column are the same in the database, which knows no empty list in settings.
func same(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

// differences are the columns in which a provider differs from what it was, as they were and as they shall be.
func differences(before, after *Provider) (was, shall audit.Values) {
	was, shall = audit.Values{}, audit.Values{}
	old, wanted := before.recorded(), after.recorded()
	for column := range wanted {
		if !same(old[column], wanted[column]) {
			was[column], shall[column] = old[column], wanted[column]
		}
	}
	if before.DeclaredBy != after.DeclaredBy {
		was["declared_by"], shall["declared_by"] = before.DeclaredBy, after.DeclaredBy
	}
	return was, shall
}
