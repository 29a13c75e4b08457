package apis

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/storage/audit"
)

// Declare makes APIs as they are declared: it creates those that are missing and changes those that differ. What is
// declared wins over what is registered, unless a configuration file declares it; what is not declared stays as it is.
// All of it is one transaction behind one lock. It returns the identifiers of what it created and changed, or ErrAPI
// with what is wrong, and then nothing has changed.
func (s *Store) Declare(ctx context.Context, declarations []API) (created, changed []string, err error) {
	if err := s.Ready(ctx, declarations); err != nil {
		return nil, nil, err
	}
	return s.declare(ctx, declarations)
}

// DeclareOwn makes the API of this server itself as it is to be. It returns ErrAPI with what is wrong.
func (s *Store) DeclareOwn(ctx context.Context, own API) error {
	own.Identifier = s.Own
	declarations := []API{own}
	if err := s.complete(ctx, declarations); err != nil {
		return err
	}
	_, _, err := s.declare(ctx, declarations)
	return err
}

func (s *Store) declare(ctx context.Context, declarations []API) (created, changed []string, err error) {
	done, err := s.Provider.Declare(ctx, "APIs", len(declarations),
		func(ctx context.Context, tx bun.Tx, i int) (audit.Change, error) {
			return DeclareIn(ctx, tx, declarations[i])
		})
	s.Forget()
	return done.Created, done.Changed, err
}

// Ready fills in what declarations leave out, and says what is wrong with them, as ErrAPI or ErrOwnAPI.
func (s *Store) Ready(ctx context.Context, declarations []API) error {
	var faults []error
	for _, api := range declarations {
		if s.isOwn(api.Identifier) {
			faults = append(faults, fmt.Errorf("API %q: %w", api.Identifier, ErrOwnAPI))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return s.complete(ctx, declarations)
}

func (s *Store) complete(ctx context.Context, declarations []API) error {
	now, actor := s.Now(), audit.ActorOf(ctx).Name
	var faults []error
	for i := range declarations {
		api := &declarations[i]
		if err := api.complete(s.Issuer); err != nil {
			faults = append(faults, fmt.Errorf("API %q: %w", api.Identifier, err))
		}
		api.CreatedAt, api.ModifiedAt, api.CreatedBy, api.ModifiedBy = now, now, actor, actor
	}
	return errors.Join(append(faults, CheckIdentifiers(declarations))...)
}

// Check says what is wrong with an API as it is declared, as an ErrAPI, and fills in what it leaves out. That it is not
// the issuer is seen by Declare.
func (a *API) Check() error { return a.complete("") }

// CheckIdentifiers says which APIs are declared twice, as an ErrAPI.
func CheckIdentifiers(declared []API) error {
	var faults []error
	seen := make(map[string]bool, len(declared))
	for _, api := range declared {
		if key := compared(api.Identifier); seen[key] {
			faults = append(faults, fmt.Errorf("API %q: %w: it is declared twice", api.Identifier, ErrAPI))
		} else {
			seen[key] = true
		}
	}
	return errors.Join(faults...)
}

// DeclareIn writes an API that is ready where it is missing or differs, as part of tx, and returns the change for the
// audit trail; without an action where there was nothing to do. Another spelling of an identifier does not change the
// one that is registered, which apps and people's consents know. It returns ErrAPI, or declared.ErrDeclared where
// another file declares it than the one that its DeclaredBy names.
func DeclareIn(ctx context.Context, tx bun.Tx, api API) (audit.Change, error) {
	change := audit.Change{Entity: "api", EntityID: api.Identifier}
	var registered []API
	if err := tx.NewSelect().Model(&registered).Where("compared_as = ?", api.ComparedAs).Scan(ctx); err != nil {
		return change, err
	}
	if len(registered) == 0 {
		change.Action, change.New = "created", api.columns()
	} else if before := &registered[0]; before.DeclaredBy != "" && before.DeclaredBy != api.DeclaredBy {
		if api.DeclaredBy == "" {
			return change, nil // the file wins
		}
		return change, declared.Check(before.DeclaredBy)
	} else if change.Old, change.New = api.differences(before); len(change.New) > 0 {
		change.Action, change.EntityID = "changed", before.Identifier
	} else {
		return change, nil
	}
	if err := checkClients(ctx, tx, api.IntrospectionClients); err != nil {
		return change, fmt.Errorf("API %q: %w", api.Identifier, err)
	}
	// Not an update: an operator's command may delete the API meanwhile, and the declaration wins.
	upsert := tx.NewInsert().Model(&api).On("CONFLICT (compared_as) DO UPDATE").Returning("NULL")
	for _, column := range []string{
		"name", "scopes", "token_lifetime", "token_type", "is_open", "introspection_clients", "declared_by", "modified_at",
		"modified_by",
	} {
		upsert = upsert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	_, err := upsert.Exec(ctx)
	return change, err
}
