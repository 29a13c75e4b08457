package refusals

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Store reads refusals, and mends what has caused them. Set all of it.
type Store struct {
	*manage.Store

	Apps *apps.Store
}

// Refusal is something that an app or a person was refused, as administrators see it.
type Refusal struct {
	Reference   string     `json:"reference" doc:"What the person was shown; the request id begins with it."`
	At          time.Time  `json:"at"`
	Where       string     `json:"where" doc:"authorize, par, token, introspection, revocation, device, registration, federation, access or logout."`
	ClientID    string     `json:"client_id" doc:"The app; empty where none that is registered was named."`
	Error       string     `json:"error" doc:"What was told: invalid_request, invalid_client, ..."`
	Reason      string     `json:"reason" doc:"Why, as a code; empty where there is nothing to say beyond the description."`
	Description string     `json:"description"`
	Expected    []string   `json:"expected" doc:"What would have been accepted, if that can be listed."`
	Got         []string   `json:"got" doc:"What was sent, without what may be a secret."`
	UserID      *uuid.UUID `json:"user_id,omitempty" doc:"Who was signed in; for those who may read about people."`
	IP          string     `json:"ip,omitempty" doc:"For those who may read the audit trail."`
	RequestID   string     `json:"request_id"`
}

// view is a refusal as a caller may see it.
func (r *Record) view(by manage.Caller) Refusal {
	refused := Refusal{
		Reference: r.Reference, At: r.At, Where: r.Place, ClientID: r.ClientID, Error: r.Error, Reason: r.Reason,
		Description: r.Description, Expected: r.Expected, Got: r.Got, RequestID: r.RequestID,
	}
	if r.UserID.Valid && by.Demand(manage.ReadUsers) == nil {
		refused.UserID = &r.UserID.UUID
	}
	if by.Demand(manage.ReadAuditTrail) == nil {
		refused.IP = r.IP
	}
	return refused
}

// Filter chooses refusals. What is empty does not matter.
type Filter struct {
	ClientID  string
	Reference string // as somebody has typed it
	Where     string
	UserID    uuid.UUID
}

// ErrPlace says that nothing is refused at a place of that name.
var ErrPlace = refusal.New("filter.where", "nothing is refused at a place of that name")

// List lists refusals, the newest first, in parts. It returns a *manage.ForbiddenError, ErrPlace or manage.ErrCursor.
func (s *Store) List(
	ctx context.Context, by manage.Caller, filter Filter, part manage.Part,
) (page manage.Page[Refusal], err error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return page, err
	}
	if filter.UserID != uuid.Nil {
		if err := by.Demand(manage.ReadUsers); err != nil {
			return page, err
		}
	}
	if filter.Where != "" && !slices.Contains(Places, filter.Where) {
		return page, ErrPlace
	}
	var after struct {
		ID uuid.UUID `json:"i"`
	}
	follows, err := s.After(part, "refusals", filter, &after)
	if err != nil {
		return page, err
	}
	var found []Record
	query := s.Database.Late().NewSelect().Model(&found).Order("id DESC").Limit(int64(part.Size() + 1))
	if follows {
		query.Where("id < ?", after.ID)
	}
	if filter.Reference != "" {
		whereReference(query, filter.Reference)
	}
	if filter.UserID != uuid.Nil {
		query.Where("user_id = ?", filter.UserID)
	}
	for _, demand := range []struct{ column, value string }{{"client_id", filter.ClientID}, {"place", filter.Where}} {
		if demand.value != "" {
			query.Where("? = ?", bun.Ident(demand.column), demand.value)
		}
	}
	if err := query.Scan(ctx); err != nil {
		return page, fmt.Errorf("read the refusals: %w", err)
	}
	rows, err := manage.NewPage(s.Store, part, "refusals", filter, found, func(r *Record) any {
		after.ID = r.ID
		return after
	})
	if err != nil {
		return page, err
	}
	page = manage.Page[Refusal]{Items: make([]Refusal, len(rows.Items)), Next: rows.Next}
	for i := range rows.Items {
		page.Items[i] = rows.Items[i].view(by)
	}
	return page, nil
}

// whereReference makes a query find what has a reference, or a request id.
func whereReference(query *bun.SelectQuery, typed string) {
	reference := ReadReference(typed)
	query.Where("reference = ?", ReferenceOf(reference))
	if len(reference) > referenceSize {
		query.Where("request_id = ?", reference)
	}
}

// Explained is a refusal with its likely cause.
type Explained struct {
	Refusal

	Cause string `json:"cause,omitempty" doc:"The likely cause, as a code."`
	Mend  *Mend  `json:"mend,omitempty" doc:"The one change of the app that would let it in."`

	// the cause with what its words need; nil: the description is all that there is to say
	Because *refusal.Error `json:"-"`
}

// Explain returns the refusal with a reference, or of a request id, the newest where there are several. It returns a
// *manage.ForbiddenError or storage.ErrNotFound.
func (s *Store) Explain(ctx context.Context, by manage.Caller, reference string) (*Explained, error) {
	if err := by.Demand(manage.ReadClients); err != nil {
		return nil, err
	}
	record := new(Record)
	query := s.Database.Reader().NewSelect().Model(record).Order("id DESC").Limit(1)
	whereReference(query, reference)
	if err := query.Scan(ctx); err != nil {
		return nil, fmt.Errorf("refusal: %w", storage.NotFound(err))
	}
	about := facts{Record: *record}
	var err error
	if record.ClientID != "" {
		about.client, err = s.Apps.Clients.Fresh(ctx, record.ClientID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
	}
	if about.others, err = s.having(ctx, record); err != nil {
		return nil, err
	}
	explained := &Explained{Refusal: record.view(by)}
	explained.Because, explained.Mend = about.explain()
	if explained.Because != nil {
		explained.Cause = explained.Because.Code
	}
	if explained.Mend != nil {
		client, err := s.Apps.Client(ctx, by, record.ClientID)
		if err != nil {
			return nil, err
		}
		explained.Mend.ClientETag = manage.ETag(client)
	}
	return explained, nil
}

// having returns the apps beside the one that was refused that have the address that was sent.
func (s *Store) having(ctx context.Context, record *Record) (others []string, err error) {
	if record.Reason != oidc.WrongRedirectURI || len(record.Got) == 0 {
		return nil, nil
	}
	var found []clients.Client
	query := s.Database.Reader().NewSelect().Model(&found).Column("id", "name").Where("id <> ?", record.ClientID)
	if s.Database.Kind == storage.Postgres {
		query.Where("redirect_uris @> jsonb_build_array(?::text)", record.Got[0])
	} else {
		query.Where("EXISTS (SELECT 1 FROM json_each(redirect_uris) WHERE value = ?)", record.Got[0])
	}
	const enough = 3
	if err := query.Order("name", "id").Limit(enough).Scan(ctx); err != nil {
		return nil, fmt.Errorf("apps with the redirect URI: %w", err)
	}
	for _, other := range found {
		others = append(others, other.Name)
	}
	return others, nil
}

const (
	keptFor    = 7 * 24 * time.Hour
	keptAtMost = 50_000 // the newest: strangers can make many
)

// Expire deletes the refusals that are old, and the oldest of those that are too many. It returns how many.
func (s *Store) Expire(ctx context.Context) (int64, error) {
	deleted, err := s.Database.DeleteBatches(ctx, "refusals", "id", "at < ?", s.Now().Add(-keptFor))
	if err != nil {
		return deleted, err
	}
	var last []uuid.UUID
	err = s.Database.Reader().NewSelect().Model((*Record)(nil)).Column("id").
		Order("id DESC").Offset(keptAtMost).Limit(1).Scan(ctx, &last)
	if err != nil || len(last) == 0 {
		return deleted, err
	}
	more, err := s.Database.DeleteBatches(ctx, "refusals", "id", "id <= ?", last[0])
	return deleted + more, err
}
