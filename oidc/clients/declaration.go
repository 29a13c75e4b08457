package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Declaration is a client as the operator wants it to be, with the secret that it was given; empty for methods that
// need none.
type Declaration struct {
	Client      *Client
	Secret      string
	KeepsSecret bool // where none is given, it keeps the one that it has
}

// minSecret is how long the secret of a declared client must be at least: 128 bits, even if written in hexadecimal.
const minSecret = 32

// Declare makes clients as they are declared: it creates those that are missing and changes those that differ. What
// is declared wins over what is registered, unless a configuration file declares it; what is not declared stays as it
// is, because deleting a client ends all that people have allowed it. All of it is one transaction behind one lock, so
// that replicas that start together do it once. It returns the ids of what it created and changed, or ErrClient with
// what is wrong, and then nothing has changed.
func (p *Store) Declare(ctx context.Context, declarations []Declaration) (created, changed []string, err error) {
	within := Within{p}
	if err := within.Ready(ctx, declarations, true); err != nil {
		return nil, nil, err
	}
	done, err := p.Provider.Declare(ctx, "clients", len(declarations),
		func(ctx context.Context, tx bun.Tx, i int) (audit.Change, error) {
			return within.Declare(ctx, tx, declarations[i])
		})
	within.Forget(done.Changed...)
	return done.Created, done.Changed, err
}

// Within are the verbs of a store for who has a transaction of their own, in which more is declared than clients.
type Within struct{ Store *Store }

// Ready fills in what declarations leave out, and says what is wrong with them, as ErrClient. It may fetch something,
// and makes what the server needs for them where provides says so: it has no place in a transaction.
func (w Within) Ready(ctx context.Context, declarations []Declaration, provides bool) error {
	var faults []error
	now, actor := w.Store.Now(), audit.ActorOf(ctx).Name
	for _, d := range declarations {
		client := d.Client
		err := d.Check()
		if err == nil && provides {
			err = w.Store.Prepare(ctx, client)
		} else if err == nil {
			err = checkOffered(w.Store.Provider, client)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("client %q: %w", client.ID, err))
		}
		client.CreatedAt, client.ModifiedAt, client.CreatedBy, client.ModifiedBy = now, now, actor, actor
	}
	if err := errors.Join(append(faults, CheckIDs(declarations))...); err != nil {
		return err
	}
	return w.Store.checkSectors(ctx, declarations)
}

// Forget makes the next request that names one of these clients read it anew. It belongs after the commit.
func (w Within) Forget(ids ...string) {
	for _, id := range ids {
		w.Store.cache.forget(id)
	}
}

// Row is a client as package declared knows it.
func Row(id string) declared.Row {
	return declared.Row{Table: "clients", Key: "id", ID: id, Entity: "client", EntityID: id}
}

// CheckIDs says which clients are declared twice, as ErrClient.
func CheckIDs(declarations []Declaration) error {
	var faults []error
	seen := make(map[string]bool, len(declarations))
	for _, d := range declarations {
		if seen[d.Client.ID] {
			faults = append(faults, fmt.Errorf("client %q: %w: it is declared twice", d.Client.ID, ErrClient))
		}
		seen[d.Client.ID] = true
	}
	return errors.Join(faults...)
}

// Check says what is wrong with a declaration, as ErrClient, and fills in what its client leaves out. A declaration
// must name the id and the secret, to be the same each time.
func (d Declaration) Check() error {
	if d.Client.ID == "" {
		return fmt.Errorf("%w: a declared client needs a client_id", ErrClient)
	}
	if err := d.Client.Complete(); err != nil {
		return err
	}
	switch wantsSecret := d.Client.HasSecret(); {
	case !wantsSecret && d.Secret != "":
		return fmt.Errorf("%w: it has a secret, but the authentication method %s takes none", ErrClient, d.Client.AuthMethod)
	case wantsSecret && d.Secret == "" && d.KeepsSecret:
	case wantsSecret && len(d.Secret) < minSecret:
		return fmt.Errorf(
			"%w: the authentication method %s needs a secret of at least %d random characters; make one with: openssl rand -base64 32",
			ErrClient, d.Client.AuthMethod, minSecret,
		)
	case wantsSecret:
		d.Client.SecretHash = storage.Digest(d.Secret)
	}
	return nil
}

// Declare writes a client that is ready where it is missing or differs, as part of tx, and returns the change for the
// audit trail; without an action where there was nothing to do. It returns ErrClient, or declared.ErrDeclared where
// another file declares it than the one that its DeclaredBy names.
func (w Within) Declare(ctx context.Context, tx bun.Tx, d Declaration) (audit.Change, error) {
	client := *d.Client
	change := audit.Change{Entity: "client", EntityID: client.ID}
	var registered []Client
	if err := selectClients(tx, w.Store.Database.Kind, &registered).Where("id = ?", client.ID).Scan(ctx); err != nil {
		return change, err
	}
	before := &Client{}
	if len(registered) > 0 {
		before = &registered[0]
	}
	if before.DeclaredBy != client.DeclaredBy && before.DeclaredBy != "" {
		if client.DeclaredBy == "" {
			return change, nil // the file wins
		}
		return change, declared.Check(before.DeclaredBy)
	}
	if client.HasSecret() && client.SecretHash == nil {
		if client.SecretHash = before.SecretHash; client.SecretHash == nil {
			return change, fmt.Errorf("%w: it has no secret yet, so one must be given", ErrClient)
		}
	}
	columns := []string{"secret_hash", "sector", "declared_by", "modified_at", "modified_by"}
	if !bytes.Equal(before.SecretHash, client.SecretHash) {
		columns = append(columns, "previous_secret_hash", "previous_secret_until") // the secret is what is declared
	}
	if len(registered) == 0 {
		change.Action, change.New = "created", client.columns()
	} else if change.Old, change.New = client.differences(before); len(change.New) > 0 {
		change.Action = "changed"
	} else {
		return change, nil
	}
	// Not an update: an operator's command may delete the client meanwhile, and the declaration wins.
	upsert := tx.NewInsert().Model(&client).On("CONFLICT (id) DO UPDATE").Returning("NULL")
	for _, m := range metadata {
		if m.column != accessGroups {
			columns = append(columns, m.column)
		}
	}
	for _, column := range columns {
		upsert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := upsert.Exec(ctx); err != nil {
		return change, err
	}
	if client.DeclaredBy != "" { // the file declares groups, too
		return change, writeAccess(ctx, tx, &client, before)
	}
	return change, access.Declare(ctx, tx, client.ModifiedAt, client.ID, client.AccessGroups)
}

// Disable disables a client that a file declares no more, as part of tx, and returns storage.ErrNotFound where there
// is none or it is disabled already.
func (w Within) Disable(ctx context.Context, tx bun.Tx, now time.Time, id, source string) error {
	err := storage.OneRow(tx.NewUpdate().Model((*Client)(nil)).
		Set("is_disabled = ?", true).Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).
		Where("id = ? AND declared_by = ? AND NOT is_disabled", id, source).Exec(ctx))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "client", EntityID: id, Action: "disabled", Old: audit.Values{"is_disabled": false},
		New: audit.Values{"is_disabled": true},
	})
}
