package apps

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/audit"
)

// Preview is what an app would be told of a person who signed in to it now.
type Preview struct {
	Allowed  bool           `json:"allowed" doc:"The person may use the app: it is for everybody, or for a group of theirs."`
	IDToken  map[string]any `json:"id_token" doc:"The claims of the ID token, but for what is made with a token."`
	Userinfo map[string]any `json:"userinfo"`
}

// Preview tells what an app would be told of a person with some of its scopes; none: all that it is registered for. It
// is made by the code that tells it. It shows more of a person than administrators see elsewhere, so the audit trail
// says who has seen it. It returns a *manage.ForbiddenError, or storage.ErrNotFound where there is no such app or
// person.
func (s *Store) Preview(
	ctx context.Context, by manage.Caller, clientID string, userID uuid.UUID, scopes []string,
) (*Preview, error) {
	for _, permission := range []manage.Permission{manage.ReadClients, manage.ReadUsers} {
		if err := by.Demand(permission); err != nil {
			return nil, err
		}
	}
	client, err := s.Clients.Fresh(ctx, clientID)
	if err != nil {
		return nil, err
	}
	granted := client.Scopes
	if len(scopes) > 0 {
		granted = slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool {
			return !slices.Contains(client.Scopes, scope)
		})
	}
	told, err := s.Tokens.Preview(ctx, client, userID, granted)
	if err != nil {
		return nil, err
	}
	allowed, err := access.Where(
		s.Database.Reader().NewSelect().Model((*clients.Client)(nil)).Where("client.id = ?", client.ID), userID,
	).Exists(ctx)
	if err != nil {
		return nil, fmt.Errorf("whether somebody may use %s: %w", clientID, err)
	}
	now := s.Now()
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "client", EntityID: client.ID, Action: "previewed", UserID: userID, New: audit.Values{"scopes": granted},
		})
	})
	if err != nil {
		return nil, fmt.Errorf("record a preview: %w", err)
	}
	return &Preview{Allowed: allowed, IDToken: told.IDToken, Userinfo: told.Userinfo}, nil
}
