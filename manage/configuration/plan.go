package configuration

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Plan is what applying a document does.
type Plan struct {
	Source  string   `json:"source" doc:"What the file calls itself."`
	Digest  string   `json:"digest" doc:"Another one where the file says something else, or applying it would do something else."`
	Changes []Change `json:"changes"`
}

// Change is what happens to one group, app, API or provider.
type Change struct {
	Kind    string     `json:"kind" doc:"group, client, api or provider."`
	ID      string     `json:"id"`
	Action  string     `json:"action" doc:"created, changed, released (the file declares it no more, and whoever may changes it), disabled or deleted."`
	People  int64      `json:"people,omitempty" doc:"Whom it concerns that something is disabled or deleted."`
	Entries []Recorded `json:"entries" doc:"What the audit trail says."`
}

// Recorded is a line of the audit trail.
type Recorded struct {
	Entity string         `json:"entity"`
	Action string         `json:"action"`
	Old    map[string]any `json:"old,omitempty"`
	New    map[string]any `json:"new,omitempty"`
}

// Kinds of what is declared, as the audit trail calls them.
const (
	KindGroup  = "group"
	KindClient = "client"
	KindAPI    = "api"

	KindProvider = "provider"
)

// Kinds are all of them.
var Kinds = []string{KindGroup, KindClient, KindAPI, KindProvider}

// ErrMoved says that applying a document would do something else than was planned.
var ErrMoved = refusal.New("plan.moved", "the server or the file has changed since that plan; plan again")

// Plan tells what Apply would do, and does nothing: it is Apply in a transaction that is rolled back. It returns what
// Apply does, but for ErrMoved.
func (s *Store) Plan(ctx context.Context, by manage.Caller, d *Document, prune Prune) (*Plan, error) {
	plan, err := s.run(ctx, by, d, prune, false, func(plan *Plan) error { return &planned{plan} })
	if rolledBack := (*planned)(nil); errors.As(err, &rolledBack) {
		return rolledBack.plan, nil
	}
	return plan, err
}

// planned carries a plan out of the transaction that it rolls back.
type planned struct{ plan *Plan }

func (*planned) Error() string { return "this was planned, not done" }

// Apply makes this server what a document declares, and tells what it did. digest is that of a plan which it must not
// differ from; empty: whatever it does. Of several at once each waits for the one before. It returns a
// *manage.ForbiddenError, a *manage.StepUpError, ErrMoved, declared.ErrDeclared where another file declares something,
// clients.ErrClient or apis.ErrAPI; and then nothing has changed.
func (s *Store) Apply(ctx context.Context, by manage.Caller, d *Document, prune Prune, digest string) (*Plan, error) {
	plan, err := s.run(ctx, by, d, prune, true, func(plan *Plan) error {
		if digest != "" && !slices.Contains(s.digests(d, prune, plan.Changes), digest) {
			return ErrMoved
		}
		return nil
	})
	if plan != nil {
		for _, change := range plan.Changes {
			clients.Within{Store: s.Clients}.Forget(change.ID)
		}
	}
	s.APIs.Forget()
	federation.Within{Upstreams: s.Upstreams}.Forget()
	return plan, err
}

// run carries a document out in one transaction, which is kept where keep returns nil. provides says that it is to be
// kept, so what the server needs for it is made before.
func (s *Store) run(
	ctx context.Context, by manage.Caller, d *Document, prune Prune, provides bool, keep func(*Plan) error,
) (*Plan, error) {
	if err := errors.Join(prune.Check(), s.demand(ctx, by, d)); err != nil {
		return nil, err
	}
	d = d.clone()
	actor := audit.ActorOf(ctx)
	actor.Via = audit.ViaFile
	ctx = audit.As(ctx, actor)
	err := errors.Join(clients.Within{Store: s.Clients}.Ready(ctx, d.Clients, provides), s.APIs.Ready(ctx, d.APIs))
	if err != nil {
		return nil, err
	}
	now := s.Now()
	plan, err := storage.WriteAlone(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Plan, error) {
		for _, things := range []string{"configuration", "clients", "APIs"} { // those of oidc.Provider.Declare, too
			if err := s.Database.Lock(ctx, tx, "declare "+things); err != nil {
				return nil, err
			}
		}
		c := &carrying{Store: s, tx: tx, now: now, document: d, changes: []Change{}}
		for _, step := range []func(context.Context) error{
			c.declare, func(ctx context.Context) error { return c.leave(ctx, prune) },
		} {
			if err := step(ctx); err != nil {
				return nil, err
			}
		}
		plan := &Plan{Source: d.Source, Digest: s.digests(d, prune, c.changes)[0], Changes: c.changes}
		if err := keep(plan); err != nil {
			return nil, err
		}
		return plan, nil
	})
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", d.Source, err)
	}
	return plan, nil
}

// carrying is a document while it is carried out.
type carrying struct {
	*Store

	tx       bun.Tx
	now      time.Time
	document *Document
	changes  []Change
}

// note does something to one thing, and notes what the audit trail says of it.
func (c *carrying) note(ctx context.Context, kind, id string, do func(ctx context.Context) error) error {
	ctx, recorded := audit.Watch(ctx)
	if err := do(ctx); err != nil {
		return fmt.Errorf("%s %q: %w", kind, id, err)
	}
	change := Change{Kind: kind, ID: id, Action: "changed", Entries: []Recorded{}}
	for _, entry := range recorded() {
		if entry.Entity == kind {
			change.Action = actionOf(entry.Action)
		} else if entry.Entity != "group_role" {
			continue // who was in a group, and the like: there may be very many
		}
		change.Entries = append(change.Entries, Recorded{entry.Entity, entry.Action, entry.Old, entry.New})
	}
	if len(change.Entries) > 0 {
		c.changes = append(c.changes, change)
	}
	return nil
}

// actionOf is what a change is called, by what the audit trail says: it has other words for providers.
func actionOf(action string) string {
	switch action {
	case "added":
		return "created"
	case "removed":
		return "deleted"
	}
	return action
}

// declare makes everything that the document names. What is wrong with several is said at once.
func (c *carrying) declare(ctx context.Context) error {
	var faults []error
	add := func(kind, id string, do func(ctx context.Context) error) error {
		err := c.note(ctx, kind, id, do)
		if refused(err) {
			faults = append(faults, err)
			return nil
		}
		return err
	}
	for _, group := range c.document.Groups {
		if err := add(KindGroup, group.Slug, func(ctx context.Context) error {
			return groups.Declare(ctx, c.tx, c.now, c.document.Source, group)
		}); err != nil {
			return err
		}
	}
	for _, client := range c.document.Clients {
		if err := add(KindClient, client.Client.ID, func(ctx context.Context) error {
			change, err := clients.Within{Store: c.Clients}.Declare(ctx, c.tx, client)
			return c.record(ctx, change, err)
		}); err != nil {
			return err
		}
	}
	for _, api := range c.document.APIs { // after the apps, which may introspect their tokens
		if err := add(KindAPI, api.Identifier, func(ctx context.Context) error {
			change, err := apis.DeclareIn(ctx, c.tx, api)
			return c.record(ctx, change, err)
		}); err != nil {
			return err
		}
	}
	for _, provider := range c.document.Providers {
		if err := add(KindProvider, provider.ID, func(ctx context.Context) error {
			return federation.Within{Upstreams: c.Upstreams}.Declare(ctx, c.tx, c.now, provider)
		}); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// record records a change, where there is one.
func (c *carrying) record(ctx context.Context, change audit.Change, err error) error {
	if err != nil || change.Action == "" {
		return err
	}
	return audit.Record(ctx, c.tx, c.now, change)
}

// refused tells whether something is wrong with what is declared, rather than with the database.
func refused(err error) bool {
	for _, known := range []error{
		clients.ErrClient, apis.ErrAPI, declared.ErrDeclared, federation.ErrDeclared,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	invalid := (*federation.InvalidProviderError)(nil)
	return errors.As(err, &invalid)
}

// digests are the digests of what a document does, under each master key: nobody can try out secrets by one.
func (s *Store) digests(d *Document, prune Prune, changes []Change) (digests []string) {
	about := []any{d.Source, prune, d.Groups, changes}
	for _, client := range d.Clients {
		object, err := client.Client.Describe(clients.Member{Name: memberSecret, Value: client.Client.SecretHash})
		about = append(about, object, err != nil)
	}
	for i := range d.APIs {
		about = append(about, ViewAPI(&d.APIs[i]))
	}
	for i := range d.Providers {
		about = append(about, d.Providers[i])
	}
	encoded, err := json.Marshal(about)
	if err != nil {
		encoded = []byte(err.Error()) // all of it was read from JSON
	}
	for _, digest := range s.Seal.Derive("configuration plan", encoded) {
		digests = append(digests, strings.ToLower(base32.StdEncoding.EncodeToString(digest[:10])))
	}
	return digests
}
