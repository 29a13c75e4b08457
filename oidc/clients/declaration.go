package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Declaration is a client as the operator wants it to be, with the secret that it was given; empty for methods that
// need none.
type Declaration struct {
	Client *Client
	Secret string
}

// minSecret is how long the secret of a declared client must be at least: 128 bits, even if written in hexadecimal.
const minSecret = 32

// Declare makes clients as they are declared: it creates those that are missing and changes those that differ. What
// is declared wins over what is registered; what is not declared stays as it is, because deleting a client ends all
// that people have allowed it. All of it is one transaction behind one lock, so that replicas that start together do it
// once. It returns the ids of what it created and changed, or ErrClient with what is wrong, and then nothing has
// changed.
func (p *Store) Declare(ctx context.Context, declarations []Declaration) (created, changed []string, err error) {
	var faults []error
	now, actor := p.Now(), audit.ActorOf(ctx).Name
	for _, declared := range declarations {
		client := declared.Client
		if err := declared.Check(); err != nil {
			faults = append(faults, fmt.Errorf("client %q: %w", client.ID, err))
		} else if err := p.Prepare(ctx, client); err != nil {
			faults = append(faults, fmt.Errorf("client %q: %w", client.ID, err))
		}
		client.CreatedAt, client.ModifiedAt, client.CreatedBy, client.ModifiedBy = now, now, actor, actor
	}
	if err := errors.Join(append(faults, CheckIDs(declarations))...); err != nil {
		return nil, nil, err
	}
	if err := p.checkSectors(ctx, declarations); err != nil {
		return nil, nil, err
	}
	done, err := p.Provider.Declare(ctx, "clients", len(declarations),
		func(ctx context.Context, tx bun.Tx, i int) (audit.Change, error) {
			return declareClient(ctx, tx, p.Database.Kind, declarations[i].Client)
		})
	for _, id := range done.Changed {
		p.cache.forget(id)
	}
	return done.Created, done.Changed, err
}

// CheckIDs says which clients are declared twice, as ErrClient.
func CheckIDs(declarations []Declaration) error {
	var faults []error
	declared := make(map[string]bool, len(declarations))
	for _, d := range declarations {
		if declared[d.Client.ID] {
			faults = append(faults, fmt.Errorf("client %q: %w: it is declared twice", d.Client.ID, ErrClient))
		}
		declared[d.Client.ID] = true
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

// declareClient writes client where it is missing or differs, and returns the change for the audit trail; without an
// action where there was nothing to do.
func declareClient(
	ctx context.Context, tx bun.Tx, kind storage.Kind, client *Client,
) (audit.Change, error) {
	change := audit.Change{Entity: "client", EntityID: client.ID}
	var registered []Client
	if err := selectClients(tx, kind, &registered).Where("id = ?", client.ID).Scan(ctx); err != nil {
		return change, err
	}
	columns := []string{"secret_hash", "sector", "modified_at", "modified_by"}
	if len(registered) == 0 || !bytes.Equal(registered[0].SecretHash, client.SecretHash) {
		columns = append(columns, "previous_secret_hash", "previous_secret_until") // the secret is what is declared
	}
	if len(registered) == 0 {
		change.Action, change.New = "created", client.columns()
	} else if change.Old, change.New = client.differences(&registered[0]); len(change.New) > 0 {
		change.Action = "changed"
	} else {
		return change, nil
	}
	// Not an update: an operator's command may delete the client meanwhile, and the declaration wins.
	upsert := tx.NewInsert().Model(client).On("CONFLICT (id) DO UPDATE").Returning("NULL")
	set := func(column string) { upsert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column)) }
	for _, m := range metadata {
		if m.column != accessGroups {
			set(m.column)
		}
	}
	for _, column := range columns {
		set(column)
	}
	if _, err := upsert.Exec(ctx); err != nil {
		return change, err
	}
	return change, access.Declare(ctx, tx, client.ModifiedAt, client.ID, client.AccessGroups)
}
