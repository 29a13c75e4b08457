package apps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Client is an app as administrators see it: a JSON object with its metadata under the names of RFC 7591 and those of
// ClientNotes.
type Client = json.RawMessage

// ClientNotes are the members of a Client that nobody sets: they are shown, and ignored where they come back.
var ClientNotes = []string{
	"client_id", "registered_by", "created_at", "created_by", "modified_at", "modified_by", "previous_secret_until",
	"client_secret", "declared_by",
}

func (s *Store) view(client *clients.Client, more ...clients.Member) (Client, error) {
	more = append(more,
		clients.Member{Name: "registered_by", Value: client.Origin},
		clients.Member{Name: "created_at", Value: client.CreatedAt},
		clients.Member{Name: "created_by", Value: client.CreatedBy},
		clients.Member{Name: "modified_at", Value: client.ModifiedAt},
		clients.Member{Name: "modified_by", Value: client.ModifiedBy})
	if until := client.PreviousSecretUntil; until != nil && until.After(s.Now()) {
		more = append(more, clients.Member{Name: "previous_secret_until", Value: until})
	}
	if client.DeclaredBy != "" {
		more = append(more, clients.Member{Name: "declared_by", Value: client.DeclaredBy})
	}
	return client.Describe(more...)
}

// ClientFilter chooses apps. What is empty does not matter.
type ClientFilter struct {
	Query  string // how the name begins, in whatever case; or a client_id
	Origin string // by whom it was registered: see clients.OriginOperator
}

// ListClients lists apps by name, in parts. It returns a *manage.ForbiddenError or manage.ErrCursor.
func (s *Store) ListClients(
	ctx context.Context, by manage.Caller, filter ClientFilter, part manage.Part,
) (page manage.Page[Client], err error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return page, err
	}
	var after struct {
		Name string `json:"n"`
		ID   string `json:"i"`
	}
	follows, err := s.After(part, "clients", filter, &after)
	if err != nil {
		return page, err
	}
	var found []clients.Client
	query := s.Database.Reader().NewSelect().Model(&found).Order("name", "id").Limit(int64(part.Size() + 1))
	if follows {
		query.Where("(name, id) > (?, ?)", after.Name, after.ID)
	}
	if filter.Origin != "" {
		query.Where("origin = ?", filter.Origin)
	}
	if text := strings.TrimSpace(filter.Query); text != "" {
		escape := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)
		query.Where(`(lower(name) LIKE ? ESCAPE '\' OR id = ?)`, escape.Replace(strings.ToLower(text))+"%", text)
	}
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("list clients: %w", err)
	}
	rows, err := manage.NewPage(s.Store, part, "clients", filter, found, func(c *clients.Client) any {
		after.Name, after.ID = c.Name, c.ID
		return after
	})
	if err != nil {
		return page, err
	}
	page = manage.Page[Client]{Items: make([]Client, len(rows.Items)), Next: rows.Next}
	for i := range rows.Items {
		if page.Items[i], err = s.view(&rows.Items[i]); err != nil {
			return page, err
		}
	}
	return page, nil
}

// Client returns an app. It returns a *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Client(ctx context.Context, by manage.Caller, id string) (Client, error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return nil, err
	}
	client, err := s.Clients.Fresh(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.view(client)
}

// readClient reads the metadata of an app. A member that there is none of is a mistake.
func readClient(id string, object []byte) (*clients.Client, error) {
	client, others, err := clients.ReadMetadata(object)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if !slices.Contains(ClientNotes, name) {
			return nil, fmt.Errorf("%w: there is no member %q", clients.ErrClient, name)
		}
	}
	if client.ID != "" && client.ID != id {
		return nil, fmt.Errorf("%w: client_id is another than that of the address", clients.ErrClient)
	}
	client.ID = id
	return client, nil
}

// PutClient registers an app, or replaces all that it is registered with but its secret. seen is the entity tag of the
// app as the caller has seen it; empty: however it is. create says that it must not exist yet. What is left out gets
// its default. The app is returned with its client_secret where it just got one. It returns a *manage.ForbiddenError,
// clients.ErrClient with what is wrong, manage.ErrExists, manage.ErrChanged or clients.ErrClientChanged.
func (s *Store) PutClient(
	ctx context.Context, by manage.Caller, id string, object []byte, seen string, create bool,
) (client Client, created bool, err error) {
	wanted, err := readClient(id, object)
	if err != nil {
		return nil, false, errors.Join(by.Demand(manage.WriteClients), err)
	}
	if err := by.Demand(manage.WriteClients); err != nil {
		return nil, false, err
	}
	if err := by.DemandAbove(s.rolesThrough(wanted), manage.WriteClients); err != nil {
		return nil, false, err
	}
	before, err := s.Clients.Fresh(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound) && create:
		return s.createClient(ctx, wanted)
	case errors.Is(err, storage.ErrNotFound):
		return nil, false, manage.ErrChanged // RFC 9110, section 13.1.1: there is none
	case err != nil:
		return nil, false, err
	case create:
		return nil, false, manage.ErrExists
	}
	if !before.HasSecret() && (wanted.AuthMethod == "" || wanted.HasSecret()) { // it gets one
		if err := by.Demand(manage.RotateSecrets); err != nil {
			return nil, false, err
		}
	}
	if err := s.demandOver(ctx, by, manage.WriteClients, before); err != nil {
		return nil, false, err
	}
	after, secret, err := s.Clients.Update(ctx, id, func(c *clients.Client) error {
		is, err := s.view(c)
		if err != nil {
			return err
		}
		if err := manage.Unchanged(seen, is); err != nil {
			return err
		}
		clients.TakeMetadata(c, wanted)
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	client, err = s.viewWithSecret(after, secret)
	return client, false, err
}

func (s *Store) createClient(ctx context.Context, wanted *clients.Client) (Client, bool, error) {
	secret, err := s.Clients.Create(ctx, wanted)
	if err != nil {
		return nil, false, err
	}
	client, err := s.viewWithSecret(wanted, secret)
	return client, true, err
}

// viewWithSecret is an app with the secret that it just got; empty: none.
func (s *Store) viewWithSecret(client *clients.Client, secret string) (Client, error) {
	if secret == "" {
		return s.view(client)
	}
	return s.view(client, clients.Member{Name: "client_secret", Value: secret})
}

// DeleteClient deletes an app with its consents, grants and tokens. It returns a *manage.ForbiddenError or
// storage.ErrNotFound.
func (s *Store) DeleteClient(ctx context.Context, by manage.Caller, id string) error {
	client, err := s.existing(ctx, by, manage.WriteClients, id)
	if err != nil {
		return err
	}
	return s.Clients.Delete(ctx, client.ID)
}

// existing returns an app that is to be changed. It returns a *manage.ForbiddenError, a *manage.StepUpError or
// storage.ErrNotFound.
func (s *Store) existing(
	ctx context.Context, by manage.Caller, permission manage.Permission, id string,
) (*clients.Client, error) {
	if err := by.Demand(permission); err != nil {
		return nil, err
	}
	client, err := s.Clients.Fresh(ctx, id)
	if err != nil {
		return nil, err
	}
	return client, s.demandOver(ctx, by, permission, client)
}

// NewSecret is a secret that an app just got. It is shown this once.
type NewSecret struct {
	ClientID            string     `json:"client_id"`
	ClientSecret        string     `json:"client_secret"`
	PreviousSecretUntil *time.Time `json:"previous_secret_until" doc:"How long the one before is good, too."`
}

// RotateSecret gives an app another secret; the one before is good for a while, as long as keepOld says. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, storage.ErrNotFound, clients.ErrNoSecret or clients.ErrClient.
func (s *Store) RotateSecret(
	ctx context.Context, by manage.Caller, id string, keepOld time.Duration,
) (*NewSecret, error) {
	if _, err := s.existing(ctx, by, manage.RotateSecrets, id); err != nil {
		return nil, err
	}
	client, secret, err := s.Clients.RotateSecret(ctx, id, keepOld)
	if err != nil {
		return nil, err
	}
	return &NewSecret{client.ID, secret, client.PreviousSecretUntil}, nil
}
