package apis

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
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// API is a protected resource that access tokens are issued for: RFC 8707. A token for it is good nowhere else.
type API struct {
	bun.BaseModel `bun:"table:apis,alias:api"`

	Identifier    string  `bun:"identifier,pk"` // an absolute URI: the audience of its tokens
	ComparedAs    string  `bun:"compared_as"`   // see compared
	Name          string  `bun:"name"`          // people read it when they are asked for consent
	Scopes        []Scope `bun:"scopes,type:jsonb"`
	TokenLifetime int64   `bun:"token_lifetime"` // seconds; 0: the server's
	TokenType     string  `bun:"token_type"`     // see TokenTypes
	IsOpen        bool    `bun:"is_open"`        // any client may ask for tokens, not only those that list it
	// the clients that may introspect its tokens: usually the API itself
	IntrospectionClients []string  `bun:"introspection_clients,type:jsonb"`
	DeclaredBy           string    `bun:"declared_by"` // see package declared
	CreatedAt            time.Time `bun:"created_at"`
	CreatedBy            string    `bun:"created_by"`
	ModifiedAt           time.Time `bun:"modified_at"`
	ModifiedBy           string    `bun:"modified_by"`
}

// Scope is something that can be allowed at an API.
type Scope struct {
	Name  string `json:"name"`
	Words string `json:"words,omitempty"` // what people read: "Read your orders"; empty: the name
}

// Values of the header typ of an access token.
const (
	TypeAccessToken = "at+jwt" // RFC 9068, section 2.1
	TypeJWT         = "JWT"    // for APIs whose library refuses the other
)

// TokenTypes are the values that Wicket knows.
var TokenTypes = []string{TypeAccessToken, TypeJWT}

var (
	// ErrAPI wraps what is wrong with an API as it is to be registered.
	ErrAPI = errors.New("invalid API")
	// ErrAPIExists says that the identifier is taken, if by another spelling of it.
	ErrAPIExists = errors.New("an API with this identifier exists already")
	// ErrOwnAPI says that the API is the server's own, and stays as it is.
	ErrOwnAPI = errors.New("this is the API of the server itself, which cannot be changed")
	// ErrAPIChanged says that somebody else has changed the API at the same time.
	ErrAPIChanged = errors.New("the API was changed by somebody else meanwhile; try again")
)

var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,100}$`) // RFC 6749, section 3.3

const (
	maxScopes        = 200
	maxTokenLifetime = 24 * 60 * 60
)

// compared returns an identifier without what two spellings of it may differ in: the case of scheme and host, and one
// slash at the end.
func compared(identifier string) string {
	u, err := url.Parse(identifier)
	if err != nil || u.Host == "" {
		return strings.TrimSuffix(identifier, "/")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return strings.TrimSuffix(u.String(), "/")
}

// SameIdentifier tells whether two identifiers name one API: see compared.
func SameIdentifier(a, b string) bool { return a == b || compared(a) == compared(b) }

// isOwn tells whether an identifier names the API of this server itself.
func (s *Store) isOwn(identifier string) bool {
	return s.Own != "" && SameIdentifier(identifier, s.Own)
}

// complete fills in what was left out and says what is wrong with the rest, as an ErrAPI. issuer may not be an API.
func (a *API) complete(issuer string) error {
	a.Name, a.ComparedAs = strings.TrimSpace(a.Name), compared(a.Identifier)
	if a.TokenType == "" {
		a.TokenType = TypeAccessToken
	}
	if a.Scopes == nil {
		a.Scopes = []Scope{} // the column is not null
	}
	if a.IntrospectionClients == nil {
		a.IntrospectionClients = []string{}
	}
	for _, check := range []func() error{func() error { return a.checkIdentifier(issuer) }, a.checkScopes, a.checkTokens} {
		if err := check(); err != nil {
			return fmt.Errorf("%w: %w", ErrAPI, err)
		}
	}
	return nil
}

func (a *API) checkIdentifier(issuer string) error {
	u, err := url.Parse(a.Identifier)
	switch {
	case err != nil || !u.IsAbs() || u.Host == "" && u.Opaque == "":
		return errors.New("the identifier must be an absolute URI, such as https://api.example.com or urn:example:api")
	case strings.Contains(a.Identifier, "#") || u.User != nil || len(a.Identifier) > 500:
		return errors.New("the identifier may have neither a fragment nor a user, and at most 500 bytes (RFC 8707, section 2)")
	case oidc.CheckText(a.Identifier) != nil || strings.ContainsAny(a.Identifier, " \t\r\n\\"):
		return errors.New("the identifier may have neither spaces nor backslashes")
	case a.ComparedAs == compared(issuer):
		return errors.New("the identifier is this server's issuer; tokens for the server itself need no API")
	case a.Name == "" || len(a.Name) > 200 || oidc.CheckText(a.Name) != nil:
		return errors.New("the API needs a name of at most 200 bytes; people read it when they are asked for consent")
	}
	return nil
}

func (a *API) checkScopes() error {
	if len(a.Scopes) > maxScopes {
		return fmt.Errorf("an API may have %d scopes at the most", maxScopes)
	}
	seen := map[string]bool{}
	for _, scope := range a.Scopes {
		switch {
		case !scopeToken.MatchString(scope.Name):
			return fmt.Errorf("%q is not a scope", scope.Name)
		case slices.ContainsFunc(oidc.Scopes, func(own oidc.Scope) bool { return own.Name == scope.Name }):
			return fmt.Errorf("the scope %s is one of Wicket's own, and cannot mean something else at an API", scope.Name)
		case len(scope.Words) > 200 || oidc.CheckText(scope.Words) != nil:
			return fmt.Errorf("the words for the scope %s must be text of at most 200 bytes", scope.Name)
		case seen[scope.Name]:
			return fmt.Errorf("the scope %s is named twice", scope.Name)
		}
		seen[scope.Name] = true
	}
	return nil
}

func (a *API) checkTokens() error {
	switch {
	case !slices.Contains(TokenTypes, a.TokenType):
		return fmt.Errorf("the token type %q is not one of %s", a.TokenType, strings.Join(TokenTypes, ", "))
	case a.TokenLifetime < 0 || a.TokenLifetime > maxTokenLifetime:
		return errors.New("the lifetime of tokens must be between one second and 24 hours")
	}
	return nil
}

// Has tells whether the API knows a scope.
func (a *API) Has(scope string) bool {
	return slices.ContainsFunc(a.Scopes, func(s Scope) bool { return s.Name == scope })
}

// WordsOf are what people read of a scope; empty where its operator has chosen none.
func (a *API) WordsOf(scope string) string {
	for _, s := range a.Scopes {
		if s.Name == scope {
			return s.Words
		}
	}
	return ""
}

// scopeNames are the names of its scopes.
func (a *API) scopeNames() []string {
	names := make([]string, len(a.Scopes))
	for i, scope := range a.Scopes {
		names[i] = scope.Name
	}
	return names
}

// Create registers an API. What is left out is completed: tokens of the type at+jwt that live as long as the server's.
// It returns ErrAPI with what is wrong, ErrOwnAPI, or ErrAPIExists.
func (s *Store) Create(ctx context.Context, api *API) error {
	if s.isOwn(api.Identifier) {
		return ErrOwnAPI
	}
	if err := api.complete(s.Issuer); err != nil {
		return err
	}
	now, actor := s.Now(), audit.ActorOf(ctx).Name
	api.CreatedAt, api.ModifiedAt, api.CreatedBy, api.ModifiedBy = now, now, actor, actor
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := checkClients(ctx, tx, api.IntrospectionClients); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(api).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "api", EntityID: api.Identifier, Action: "created", New: api.columns(),
		})
	})
	s.Forget()
	if storage.Violates(err, "apis") {
		return ErrAPIExists
	}
	if err != nil {
		return fmt.Errorf("create API: %w", err)
	}
	return nil
}

// Update changes an API by change and returns it as it is then. It returns storage.ErrNotFound, ErrAPI with what is
// wrong, declared.ErrDeclared, or ErrAPIChanged where somebody else changes it at the same time.
func (s *Store) Update(ctx context.Context, identifier string, change func(*API)) (*API, error) {
	if s.isOwn(identifier) {
		return nil, ErrOwnAPI
	}
	before, err := s.Read(ctx, identifier)
	if err != nil {
		return nil, fmt.Errorf("update API: %w", err)
	}
	after := *before
	change(&after)
	after.Identifier = before.Identifier
	if err := after.complete(s.Issuer); err != nil {
		return nil, err
	}
	now := s.Now()
	after.ModifiedAt, after.ModifiedBy = now, audit.ActorOf(ctx).Name
	was, shall := after.differences(before)
	if len(shall) == 0 {
		return before, nil
	}
	if err := declared.Check(before.DeclaredBy); err != nil {
		return nil, err
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := checkClients(ctx, tx, after.IntrospectionClients); err != nil {
			return err
		}
		result, err := tx.NewUpdate().Model(&after).ExcludeColumn("identifier", "created_at", "created_by").
			Where("identifier = ? AND modified_at = ?", before.Identifier, before.ModifiedAt).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrAPIChanged)
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "api", EntityID: after.Identifier, Action: "changed", Old: was, New: shall,
		})
	})
	s.Forget()
	if err != nil {
		return nil, fmt.Errorf("update API: %w", err)
	}
	return &after, nil
}

// Delete removes an API with what people have allowed at it. Its tokens are void: introspection says so at once, and no
// refresh token gives another. It returns storage.ErrNotFound where there is none, or declared.ErrDeclared.
func (s *Store) Delete(ctx context.Context, identifier string) error {
	if s.isOwn(identifier) {
		return ErrOwnAPI
	}
	now := s.Now()
	err := storage.WriteMuch(ctx, s.Database, func(ctx context.Context, tx bun.Tx) error {
		return DeleteIn(ctx, tx, now, identifier, "")
	})
	s.Forget()
	if err != nil {
		return fmt.Errorf("delete API: %w", err)
	}
	return nil
}

// DeleteIn is Delete as part of tx, of an API that source declares, or that no file does.
func DeleteIn(ctx context.Context, tx bun.Tx, now time.Time, identifier, source string) error {
	var deleted API
	err := tx.NewDelete().Model(&deleted).Where("compared_as = ? AND declared_by = ?", compared(identifier), source).
		Returning("identifier").Scan(ctx)
	if err = storage.NotFound(err); errors.Is(err, storage.ErrNotFound) {
		return Row(identifier).Missed(ctx, tx)
	} else if err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{Entity: "api", EntityID: deleted.Identifier, Action: "deleted"})
}

// Row is an API as package declared knows it.
func Row(identifier string) declared.Row {
	return declared.Row{
		Table: "apis", Key: "compared_as", ID: compared(identifier), Entity: "api", EntityID: identifier,
	}
}

// List lists every API by name, but for the server's own, which nobody registers.
func (s *Store) List(ctx context.Context) ([]API, error) {
	list, err := s.rows(ctx)
	return slices.DeleteFunc(list, func(api API) bool { return s.isOwn(api.Identifier) }), err
}

// rows are all APIs by name.
func (s *Store) rows(ctx context.Context) ([]API, error) {
	var list []API
	if err := s.Database.Reader().NewSelect().Model(&list).Order("name", "identifier").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list APIs: %w", err)
	}
	return list, nil
}

// Read reads an API as it is now, or returns storage.ErrNotFound.
func (s *Store) Read(ctx context.Context, identifier string) (*API, error) {
	api := new(API)
	err := s.Database.Reader().NewSelect().Model(api).Where("compared_as = ?", compared(identifier)).Scan(ctx)
	return api, storage.NotFound(err)
}

// checkClients says which of these clients are unknown, as an ErrAPI.
func checkClients(ctx context.Context, tx bun.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var known []string
	err := tx.NewSelect().Table("clients").Column("id").Where("id IN (?)", bun.List(ids)).Scan(ctx, &known)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return fmt.Errorf("%w: there is no client %q to introspect its tokens", ErrAPI, id)
		}
	}
	return nil
}

// columns is what the audit trail keeps of an API.
func (a *API) columns() audit.Values {
	return audit.Values{
		"name": a.Name, "scopes": a.Scopes, "token_lifetime": a.TokenLifetime, "token_type": a.TokenType,
		"is_open": a.IsOpen, "introspection_clients": a.IntrospectionClients,
	}
}
