package federation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Provider is a provider with which people can sign in. It is trusted as far as its settings say. Some are in the
// configuration; the others are rows.
type Provider struct {
	bun.BaseModel `bun:"table:providers,alias:provider"`

	ID           string    `bun:"id,pk"` // as it stands in URLs: "google", "okta-acme"
	Kind         string    `bun:"kind"`  // see kind.go
	Name         string    `bun:"name"`  // what people read on the button
	Issuer       string    `bun:"issuer"`
	ClientID     string    `bun:"client_id"`
	SealedSecret []byte    `bun:"sealed_secret"`
	Settings     Settings  `bun:"settings,type:jsonb"`
	IsActive     bool      `bun:"is_active"`
	DeclaredBy   string    `bun:"declared_by"` // see package declared
	CreatedAt    time.Time `bun:"created_at"`
	CreatedBy    string    `bun:"created_by"`
	ModifiedAt   time.Time `bun:"modified_at"`
	ModifiedBy   string    `bun:"modified_by"`

	Secret string `bun:"-"` // in the clear: of one that is added, or in the configuration
	Named  bool   `bun:"-"` // in the configuration
	Keeps  bool   `bun:"-"` // of one that is declared: without a secret it keeps the one that it has
}

// What can be wrong with a provider.
var (
	ErrProviderID = errors.New(
		"the id of a provider has 1 to 40 lower-case letters, digits or hyphens, and begins with a letter or digit",
	)
	ErrProviderTaken = errors.New("there is a provider with this id already")
	ErrKind          = errors.New("the kind must be google, microsoft, github or oidc")
)

// ErrDeclared says that a provider is in the configuration, and changed there.
var ErrDeclared = refusal.New("provider.declared", "the configuration has this provider: change it there")

// InvalidProviderError says what is wrong with a provider that is to be added or changed.
type InvalidProviderError struct{ Fault error }

func (e *InvalidProviderError) Error() string { return e.Fault.Error() }

// Unwrap is what is wrong.
func (e *InvalidProviderError) Unwrap() error { return e.Fault }

const sealForProviders = "provider secret"

var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Check fills in the defaults of the kind and says what is wrong with a provider, as an *InvalidProviderError.
func (p *Provider) Check() error {
	if err := p.check(); err != nil {
		return &InvalidProviderError{err}
	}
	return nil
}

func (p *Provider) check() error {
	kind := p.kind()
	if kind == nil {
		return ErrKind
	}
	kind.setDefaults(p)
	switch {
	case !providerID.MatchString(p.ID):
		return ErrProviderID
	case p.Name == "" || len(p.Name) > 60:
		return errors.New("a provider needs a name for its button, of at most 60 characters")
	case p.ClientID == "":
		return errors.New("a provider needs the client_id that Wicket has there")
	case p.Secret == "" && len(p.SealedSecret) == 0 && !p.Keeps:
		return errors.New("a provider needs the client secret that Wicket has there")
	}
	if err := checkIssuer(p.Issuer); err != nil {
		return err
	}
	if err := p.Settings.check(); err != nil {
		return err
	}
	return kind.checkSettings(&p.Settings)
}

// fill fills in what is left out, for kinds: the id is that of the kind.
func (p *Provider) fill(name, issuer, emails string) {
	fill(&p.ID, p.Kind)
	fill(&p.Name, name)
	fill(&p.Issuer, issuer)
	fill(&p.Settings.Emails, emails)
}

func fill(field *string, fallback string) {
	if *field = strings.TrimSpace(*field); *field == "" {
		*field = fallback
	}
}

// checkIssuer says what is wrong with the address of a provider. It needs https, but for one on this machine.
func checkIssuer(issuer string) error {
	address, err := url.Parse(issuer)
	if err != nil || address.Host == "" || address.RawQuery != "" || address.Fragment != "" || address.User != nil {
		return errors.New("the issuer must be a URL such as https://login.example.com")
	}
	if address.Scheme == "https" || address.Scheme == "http" && storage.IsLoopback(address.Hostname()) {
		return nil
	}
	return errors.New("the issuer must begin with https://; http:// is for this machine alone")
}

// Add adds a provider. It returns what Check does, or ErrProviderTaken.
func (u *Upstreams) Add(ctx context.Context, p *Provider) error {
	if err := p.Check(); err != nil {
		return err
	}
	if slices.ContainsFunc(u.Named(), func(named Provider) bool { return named.ID == p.ID }) {
		return fmt.Errorf("%w, which variables name", ErrProviderTaken)
	}
	now, actor := u.Now(), audit.ActorOf(ctx).Name
	p.SealedSecret = u.Seal.Close(sealForProviders, []byte(p.Secret))
	p.CreatedAt, p.CreatedBy, p.ModifiedAt, p.ModifiedBy = now, actor, now, actor
	err := u.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(p).Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "provider", EntityID: p.ID, Action: "added", New: p.recorded(),
		})
	})
	if storage.Violates(err, "providers") {
		return ErrProviderTaken
	}
	if err != nil {
		return fmt.Errorf("add provider: %w", err)
	}
	u.forget()
	return nil
}

// Update changes a provider as change does it, but for its id and its kind, which stay. Where change sets no Secret,
// that stays too. It returns storage.ErrNotFound, ErrDeclared, declared.ErrDeclared, the error of change, or what Check
// does.
func (u *Upstreams) Update(ctx context.Context, id string, change func(*Provider) error) (*Provider, error) {
	if slices.ContainsFunc(u.Named(), func(named Provider) bool { return named.ID == id }) {
		return nil, ErrDeclared
	}
	now, actor := u.Now(), audit.ActorOf(ctx).Name
	after, err := storage.Write(ctx, u.Database, func(ctx context.Context, tx bun.Tx) (*Provider, error) {
		query := tx.NewSelect()
		p := new(Provider)
		query.Model(p).Where("id = ?", id)
		if u.Database.Kind == storage.Postgres {
			query.For("UPDATE") // so that of two changes at once each sees what the other left
		}
		if err := query.Scan(ctx); err != nil {
			return nil, storage.NotFound(err)
		}
		before := *p
		if err := declared.Check(before.DeclaredBy); err != nil {
			return nil, err
		}
		if err := change(p); err != nil {
			return nil, err
		}
		p.ID, p.Kind = before.ID, before.Kind
		if p.Secret != "" {
			p.SealedSecret = u.Seal.Close(sealForProviders, []byte(p.Secret))
		}
		if err := p.Check(); err != nil {
			return nil, err
		}
		if p.Secret == "" && (p.Issuer != before.Issuer || p.Settings.Tenant != before.Settings.Tenant) {
			return nil, &InvalidProviderError{errors.New(
				"another issuer does not get the client secret that is kept: send client_secret too",
			)}
		}
		p.ModifiedAt, p.ModifiedBy = now, actor
		if _, err := tx.NewUpdate().Model(p).WherePK().ExcludeColumn("created_at", "created_by").Exec(ctx); err != nil {
			return nil, err
		}
		old, new := before.recorded(), p.recorded()
		new["client_secret_changed"] = p.Secret != ""
		return p, audit.Record(ctx, tx, now, audit.Change{
			Entity: "provider", EntityID: id, Action: "changed", Old: old, New: new,
		})
	})
	u.forget()
	return after, err
}

// recorded is what the audit trail says of a provider.
func (p *Provider) recorded() audit.Values {
	return audit.Values{
		"kind": p.Kind, "name": p.Name, "issuer": p.Issuer, "client_id": p.ClientID, "settings": p.Settings,
		"active": p.IsActive,
	}
}

// SetActive enables or disables a provider. Nobody can sign in with a disabled one; links and sessions stay. It returns
// storage.ErrNotFound, also for one in the configuration, or declared.ErrDeclared.
func (u *Upstreams) SetActive(ctx context.Context, id string, active bool) error {
	action := map[bool]string{true: "enabled", false: "disabled"}[active]
	_, err := u.change(ctx, id, action, func(ctx context.Context, tx bun.Tx, now time.Time) (int, error) {
		return 0, storage.OneRow(tx.NewUpdate().Model((*Provider)(nil)).Set("is_active = ?", active).
			Set("modified_at = ?", now).Set("modified_by = ?", audit.ActorOf(ctx).Name).Where("id = ?", id).Exec(ctx))
	})
	return err
}

// Remove removes a provider, all links to it and the sessions that came from it, so that another provider that is added
// under the same id gets none of them. It returns how many links there were, storage.ErrNotFound, ErrDeclared where
// the configuration has one of that id too, or declared.ErrDeclared.
func (u *Upstreams) Remove(ctx context.Context, id string) (links int, err error) {
	return u.change(ctx, id, "removed", func(ctx context.Context, tx bun.Tx, _ time.Time) (int, error) {
		return remove(ctx, tx, u, id)
	})
}

func remove(ctx context.Context, tx bun.Tx, u *Upstreams, id string) (links int, err error) {
	// First, so that who comes in by it at that moment is in before, and out again, or is refused: see isTrusted.
	if err := storage.OneRow(tx.NewDelete().Model((*Provider)(nil)).Where("id = ?", id).Exec(ctx)); err != nil {
		return 0, err
	}
	if slices.ContainsFunc(u.Named(), func(p Provider) bool { return p.ID == id }) {
		return 0, ErrDeclared // the links are of the one that people use, by the configuration
	}
	return u.Identity.ExternalAccounts().RemoveProvider(ctx, tx, id)
}

// trustOf is the IsTrusted of who comes from a provider.
func (u *Upstreams) trustOf(id string) func(ctx context.Context, tx bun.Tx) (bool, error) {
	return func(ctx context.Context, tx bun.Tx) (bool, error) { return u.isTrusted(ctx, tx, id) }
}

// isTrusted tells in a transaction whether people can come in by a provider, and keeps it from being removed or
// disabled until the commit. One in the configuration is as it was when the process read it last.
func (u *Upstreams) isTrusted(ctx context.Context, tx bun.Tx, id string) (bool, error) {
	if slices.ContainsFunc(u.Named(), func(p Provider) bool { return p.ID == id }) {
		return true, nil
	}
	query := tx.NewSelect().Model((*Provider)(nil)).Column("id").Where("id = ? AND is_active", id)
	if u.Database.Kind == storage.Postgres {
		query.For("SHARE") // a lock that many hold at once
	}
	var ids []string // not counted: a count takes no lock
	err := query.Scan(ctx, &ids)
	return len(ids) == 1, err
}

// change changes a provider and records it; it returns what do counted.
func (u *Upstreams) change(
	ctx context.Context, id, action string, do func(context.Context, bun.Tx, time.Time) (int, error),
) (int, error) {
	now := u.Now()
	n, err := storage.Write(ctx, u.Database, func(ctx context.Context, tx bun.Tx) (int, error) {
		if err := Row(id).Free(ctx, tx); err != nil {
			return 0, err
		}
		n, err := do(ctx, tx, now)
		if err != nil {
			return 0, err
		}
		return n, audit.Record(ctx, tx, now, audit.Change{Entity: "provider", EntityID: id, Action: action})
	})
	u.forget()
	if err != nil {
		return 0, fmt.Errorf("provider %s: %w", id, err)
	}
	return n, nil
}

// All lists the providers, also disabled ones: those in the configuration first, then by age.
func (u *Upstreams) All(ctx context.Context) ([]Provider, error) {
	var rows []Provider
	if err := u.Database.Reader().NewSelect().Model(&rows).Order("created_at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("providers: %w", err)
	}
	named := u.Named()
	all := slices.Clone(named)
	for _, row := range rows {
		if !slices.ContainsFunc(named, func(named Provider) bool { return named.ID == row.ID }) {
			all = append(all, row)
		}
	}
	return all, nil
}

// secret is the client secret.
func (u *Upstreams) secret(p *Provider) (string, error) {
	if p.Named {
		return p.Secret, nil
	}
	secret, err := u.Seal.Open(sealForProviders, p.SealedSecret)
	if err != nil {
		return "", fmt.Errorf("the secret of provider %s: %w", p.ID, err)
	}
	return string(secret), nil
}
