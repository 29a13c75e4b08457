// Package declared is what it means for a group, an app, an API or a provider to stand in a configuration file: the
// file decides what it is, and nobody else changes it. The column declared_by of their tables has the source, which is
// what the file calls itself; empty: no file declares the row. Begin with Check and Row.
package declared

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// ErrDeclared says that something is declared in a file, and so is changed there. Those that Check returns say in
// which.
var ErrDeclared = refusal.NewWith(
	"declared.locked", "a configuration file declares it; change it there", refusal.Params{"Source": "another"},
)

// sourceForm is the form of what a file calls itself.
var sourceForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CheckSource says what is wrong with what a file calls itself, if anything is.
func CheckSource(source string) error {
	if !sourceForm.MatchString(source) {
		return errors.New("a source has 1 to 64 lower-case letters, digits or . _ - and begins with a letter or a digit")
	}
	return nil
}

// Check returns an ErrDeclared where a file declares something: source is its declared_by.
func Check(source string) error {
	if source == "" {
		return nil
	}
	return refusal.NewWith(ErrDeclared.Code, "the configuration "+source+" declares it: change it in that file, or "+
		"release it with wicket detach", refusal.Params{"Source": source})
}

// Row is a row that a file may declare.
type Row struct {
	Table, Key, ID   string // its table, the column by which it is known there, and what that holds
	Entity, EntityID string // what the audit trail calls it
}

// Free returns an ErrDeclared where a file declares the row, or storage.ErrNotFound where there is none.
func (r Row) Free(ctx context.Context, db bun.IDB) error {
	source, err := r.source(ctx, db)
	if err != nil {
		return err
	}
	return Check(source)
}

// Missed says why a statement has changed no row, that is for rows which no file declares: an ErrDeclared where one
// does, otherwise storage.ErrNotFound.
func (r Row) Missed(ctx context.Context, db bun.IDB) error {
	err := r.Free(ctx, db)
	if err == nil {
		err = storage.ErrNotFound
	}
	return err
}

// Release lets a row be changed by whoever may, as part of tx. It returns storage.ErrNotFound where there is no such
// row, or no file declares it.
func (r Row) Release(ctx context.Context, tx bun.Tx, now time.Time) error {
	source, err := r.source(ctx, tx)
	if err != nil {
		return err
	}
	err = storage.OneRow(tx.NewUpdate().Table(r.Table).
		Set("declared_by = ''").
		Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("? = ? AND declared_by <> ''", bun.Ident(r.Key), r.ID).Exec(ctx))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: r.Entity, EntityID: r.EntityID, Action: "released", Old: audit.Values{"declared_by": source},
	})
}

func (r Row) source(ctx context.Context, db bun.IDB) (source string, err error) {
	err = db.NewSelect().Table(r.Table).Column("declared_by").Where("? = ?", bun.Ident(r.Key), r.ID).Scan(ctx, &source)
	return source, storage.NotFound(err)
}
