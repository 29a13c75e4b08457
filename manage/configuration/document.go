package configuration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Document is a configuration file that was read, with the secrets that it refers to. Make one with Read.
type Document struct {
	Source  string // what the file calls itself
	Groups  []groups.Declaration
	Clients []clients.Declaration
	APIs    []apis.API
	// with their secrets in the clear
	Providers []federation.Provider
}

// DefaultSource is what a file is called that does not say.
const DefaultSource = "configuration"

const (
	version     = 1
	maxDocument = 1 << 20 // bytes
)

// Secrets says where the secrets may be that a file refers to.
type Secrets struct {
	File     func(path string) ([]byte, error) // reads a file; nil: no file is read
	Variable func(name string) (string, bool)  // reads an environment variable; nil: none is read
	Inline   bool                              // they may be in the document itself
}

// Names of members that say where a client secret is, and of one that is written in two ways.
const (
	memberSecretFile = "client_secret_file"
	memberSecretEnv  = "client_secret_env"
	memberSecret     = "client_secret"
	memberAccess     = "access"
)

// groupItem is a group as it stands in a file.
type groupItem struct {
	Slug  string   `json:"slug" words:"What apps and rules know the group as; it never changes."`
	Name  string   `json:"name" words:"What people read. Left out: the slug."`
	Roles []string `json:"roles" words:"The roles that everybody in the group holds. Left out: none."`
}

// API is an API as it stands in a file, and as commands print it.
type API struct {
	Identifier           string       `json:"identifier" words:"An absolute URI: the audience of its access tokens."`
	Name                 string       `json:"name" words:"People read it when they are asked for consent."`
	Scopes               []apis.Scope `json:"scopes" words:"What can be allowed there."`
	TokenLifetime        int64        `json:"token_lifetime" words:"In seconds; 0: as long as the server's own."`
	TokenType            string       `json:"token_type" words:"The header typ of its access tokens: at+jwt, or JWT."`
	Open                 bool         `json:"open" words:"Any app may ask for tokens, not only those that list the API."`
	IntrospectionClients []string     `json:"introspection_clients" words:"The apps that may introspect its tokens."`
}

// providerItem is a provider as it stands in a file, but for its secret.
type providerItem struct {
	ID       string              `json:"id" words:"As it stands in URLs. Left out: the kind."`
	Kind     string              `json:"kind" words:"google, microsoft, github or oidc."`
	Name     string              `json:"name" words:"What people read on the button."`
	Issuer   string              `json:"issuer" words:"Its issuer; of GitHub Enterprise Server its URL."`
	ClientID string              `json:"client_id" words:"The client_id that this server has there."`
	Disabled bool                `json:"disabled" words:"Nobody signs in there; links stay."`
	Settings federation.Settings `json:"settings" words:"How far it is trusted."`
}

// ViewAPI is an API as it stands in a file.
func ViewAPI(api *apis.API) API {
	return API{
		Identifier: api.Identifier, Name: api.Name, Scopes: api.Scopes, TokenLifetime: api.TokenLifetime,
		TokenType: api.TokenType, Open: api.IsOpen, IntrospectionClients: api.IntrospectionClients,
	}
}

// Row is the API that a file declares so.
func (a API) Row() apis.API {
	return apis.API{
		Identifier: a.Identifier, Name: a.Name, Scopes: a.Scopes, TokenLifetime: a.TokenLifetime, TokenType: a.TokenType,
		IsOpen: a.Open, IntrospectionClients: a.IntrospectionClients,
	}
}

// Read reads a configuration file in YAML or JSON, and the secrets that it refers to. It returns a *Fault or Faults
// with all that is wrong, each with its line and path and none with a value that may be a secret.
func Read(source []byte, secrets Secrets) (*Document, error) {
	if len(source) > maxDocument {
		return nil, &Fault{Err: fmt.Errorf("a file may have %d bytes at the most", maxDocument)}
	}
	root, err := parse(source)
	if err != nil {
		return nil, err
	}
	r := &reader{lines: map[string]int{}}
	whole, _ := r.value(root, documentShape(), "").(map[string]any)
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	d := &Document{Source: DefaultSource}
	r.head(d, whole)
	items(r, whole, "groups", func(path string, item groupItem) string {
		group := groups.Declaration{Slug: item.Slug, Name: item.Name, Roles: item.Roles}
		r.check(path, item.Slug, group.Check())
		d.Groups = append(d.Groups, group)
		return item.Slug
	})
	items(r, whole, "clients", func(path string, item map[string]any) string {
		client := r.client(path, item, secrets)
		d.Clients = append(d.Clients, client)
		return client.Client.ID
	})
	items(r, whole, "apis", func(path string, item API) string {
		api := item.Row()
		r.check(path, item.Identifier, api.Check())
		d.APIs = append(d.APIs, api)
		return item.Identifier
	})
	items(r, whole, "providers", func(path string, item map[string]any) string {
		provider := r.provider(path, item, secrets)
		d.Providers = append(d.Providers, provider)
		return provider.ID
	})
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	d.own()
	return d, nil
}

// head reads what a file says of itself.
func (r *reader) head(d *Document, whole map[string]any) {
	if whole["version"] != int64(version) {
		r.fault("version", fmt.Errorf("a file says which form it has: version: %d", version))
	}
	if source, given := whole["source"].(string); given {
		d.Source = source
		if err := declared.CheckSource(source); err != nil {
			r.fault("source", err)
		}
	}
}

// own says of all that a file declares that it does.
func (d *Document) own() {
	for _, c := range d.Clients {
		c.Client.DeclaredBy = d.Source
	}
	for i := range d.APIs {
		d.APIs[i].DeclaredBy = d.Source
	}
	for i := range d.Providers {
		d.Providers[i].DeclaredBy = d.Source
	}
}

// clone is a document of its own: what is carried out is filled in with who does it, and when.
func (d *Document) clone() *Document {
	own := *d
	own.Clients, own.APIs = slices.Clone(d.Clients), slices.Clone(d.APIs)
	for i := range own.Clients {
		client := *own.Clients[i].Client
		client.ResponseTypes = slices.Clone(client.ResponseTypes) // which are spelled anew in their place
		own.Clients[i].Client = &client
	}
	return &own
}

// items calls each with every item of a section. each returns what it is known by, which is there once.
func items[T any](r *reader, whole map[string]any, section string, each func(path string, item T) string) {
	list, _ := whole[section].([]any)
	seen := map[string]int{}
	for i, value := range list {
		path := fmt.Sprintf("%s[%d]", section, i)
		var item T
		if err := decode(value, &item); err != nil {
			r.fault(path, err)
			continue
		}
		id := each(path, item)
		if first, twice := seen[id]; twice {
			r.fault(path, fmt.Errorf("%q is declared twice: the first is at line %d", id, first))
			continue
		}
		seen[id] = r.lineAt(path)
	}
}

// check notes what is wrong with an item, if anything is.
func (r *reader) check(path, id string, err error) {
	if err != nil {
		r.fault(path, fmt.Errorf("%q: %w", id, err))
	}
}

// client reads an app.
func (r *reader) client(path string, item map[string]any, secrets Secrets) clients.Declaration {
	declaration := clients.Declaration{Client: new(clients.Client), KeepsSecret: true}
	declaration.Secret = r.secret(path, item, secrets)
	if list, ok := item[memberAccess].([]any); ok {
		if _, both := item["access_groups"]; both {
			r.fault(path+"."+memberAccess, errors.New("the groups stand here or in access_groups, not in both"))
		}
		item[memberAccess], item["access_groups"] = access.Listed, list
	}
	object, err := json.Marshal(item)
	if err != nil {
		r.fault(path, errors.New("it cannot be read"))
		return declaration
	}
	client, _, err := clients.ReadMetadata(object) // what is not known was named already
	declaration.Client = client
	if err == nil {
		err = declaration.Check()
	}
	r.check(path, client.ID, err)
	return declaration
}

// provider reads a provider upstream.
func (r *reader) provider(path string, item map[string]any, secrets Secrets) federation.Provider {
	secret := r.secret(path, item, secrets)
	var is providerItem
	if err := decode(item, &is); err != nil {
		r.fault(path, err)
		return federation.Provider{}
	}
	p := federation.Provider{
		ID: is.ID, Kind: is.Kind, Name: is.Name, Issuer: is.Issuer, ClientID: is.ClientID, Settings: is.Settings,
		IsActive: !is.Disabled, Secret: secret, Keeps: true,
	}
	err := p.Check()
	r.check(path, p.ID, err)
	return p
}

// secret takes the secret out of an item, from where the item says that it is; empty: it does not say.
func (r *reader) secret(path string, item map[string]any, secrets Secrets) (secret string) {
	given := 0
	for _, place := range []struct {
		name string
		read func(value string) (string, error)
	}{{memberSecretFile, secrets.file}, {memberSecretEnv, secrets.variable}, {memberSecret, secrets.inline}} {
		value, is := item[place.name].(string)
		delete(item, place.name)
		if !is {
			continue
		}
		given++
		found, err := place.read(value)
		if err == nil && found == "" {
			err = errors.New("there is no secret")
		}
		if err != nil {
			r.fault(path+"."+place.name, err)
		}
		secret = found
	}
	if given > 1 {
		r.fault(path, errors.New("a secret is in one place: in a file, in a variable, or here"))
	}
	return secret
}

func (s Secrets) file(path string) (string, error) {
	if s.File == nil {
		return "", errors.New("the server reads no files for who calls from elsewhere; send client_secret")
	}
	content, err := s.File(path)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err // without the path: somebody may have put the secret there
	}
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

func (s Secrets) variable(name string) (string, error) {
	if s.Variable == nil {
		return "", errors.New("the server reads no variables for who calls from elsewhere; send client_secret")
	}
	value, set := s.Variable(name)
	if !set {
		return "", errors.New("there is no such environment variable")
	}
	return strings.TrimSpace(value), nil
}

func (s Secrets) inline(value string) (string, error) {
	if !s.Inline {
		return "", errors.New("a secret has no place in a file: name a file or a variable with client_secret_file or " +
			"client_secret_env")
	}
	return value, nil
}
