package configuration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Export writes a configuration file of what there is: groups, apps that an operator has registered, APIs and providers
// that no variable names. Applied
// to an empty server, with the secrets that its comments name, it makes the same. It returns a *manage.ForbiddenError.
func (s *Store) Export(ctx context.Context, by manage.Caller) ([]byte, error) {
	if err := by.Demand(manage.ReadConfiguration); err != nil {
		return nil, err
	}
	exported, err := s.exported(ctx)
	if err != nil {
		return nil, fmt.Errorf("export the configuration: %w", err)
	}
	w := new(writer)
	w.line("# What this server was configured with. docs/configuration-file.md says what can stand here.")
	w.line("version: %d", version)
	if source := exported.source(); source != "" && source != DefaultSource {
		w.line("source: %s", scalar(source))
	}
	w.section("groups", len(exported.groups))
	for i, group := range exported.groups {
		w.item(pair{"slug", group.Slug}, pair{"name", group.Name}, pair{"roles", exported.roles[i]})
	}
	w.section("clients", len(exported.clients))
	for i := range exported.clients {
		if err := w.client(&exported.clients[i]); err != nil {
			return nil, err
		}
	}
	w.section("apis", len(exported.apis))
	for i := range exported.apis {
		w.api(&exported.apis[i])
	}
	w.section("providers", len(exported.providers))
	for i := range exported.providers {
		w.provider(&exported.providers[i])
	}
	return w.Bytes(), nil
}

// exported are the rows that a file is written of.
type exported struct {
	groups  []groups.Group
	roles   [][]string // of each group
	clients []clients.Client
	apis    []apis.API
	// but for those that variables name
	providers []federation.Provider
}

func (s *Store) exported(ctx context.Context) (e exported, err error) {
	if err := s.Database.Reader().NewSelect().Model(&e.groups).Scan(ctx); err != nil {
		return e, err
	}
	slices.SortFunc(e.groups, func(a, b groups.Group) int { return strings.Compare(a.Slug, b.Slug) })
	held, err := rolesByGroup(ctx, s.Database.Reader())
	if err != nil {
		return e, err
	}
	for _, group := range e.groups {
		e.roles = append(e.roles, held[group.ID.String()])
	}
	if e.clients, err = s.Clients.List(ctx); err != nil {
		return e, err
	}
	e.clients = slices.DeleteFunc(e.clients, func(c clients.Client) bool {
		return c.Origin != clients.OriginOperator || s.IsOurs != nil && s.IsOurs(&c)
	})
	slices.SortFunc(e.clients, func(a, b clients.Client) int { return strings.Compare(a.ID, b.ID) })
	if e.apis, err = s.APIs.List(ctx); err != nil {
		return e, err
	}
	slices.SortFunc(e.apis, func(a, b apis.API) int { return strings.Compare(a.Identifier, b.Identifier) })
	e.providers, err = federation.Within{Upstreams: s.Upstreams}.Rows(ctx)
	slices.SortFunc(e.providers, func(a, b federation.Provider) int { return strings.Compare(a.ID, b.ID) })
	return e, err
}

// rolesByGroup are the roles of all groups, by their ids and in order.
func rolesByGroup(ctx context.Context, db bun.IDB) (map[string][]string, error) {
	var roles []groups.Role
	if err := db.NewSelect().Model(&roles).Scan(ctx); err != nil {
		return nil, err
	}
	held := map[string][]string{}
	for _, role := range roles {
		held[role.GroupID.String()] = append(held[role.GroupID.String()], role.RoleName)
	}
	for _, names := range held {
		slices.Sort(names)
	}
	return held, nil
}

// source is the file that declares something of it, where it is one alone.
func (e exported) source() string {
	var sources []string
	for _, group := range e.groups {
		sources = append(sources, group.DeclaredBy)
	}
	for i := range e.clients {
		sources = append(sources, e.clients[i].DeclaredBy)
	}
	for _, api := range e.apis {
		sources = append(sources, api.DeclaredBy)
	}
	for i := range e.providers {
		sources = append(sources, e.providers[i].DeclaredBy)
	}
	slices.Sort(sources)
	sources = slices.DeleteFunc(slices.Compact(sources), func(source string) bool { return source == "" })
	if len(sources) != 1 {
		return ""
	}
	return sources[0]
}

// writer writes YAML: what is simple as it is, and everything else as JSON, which is YAML.
type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.Buffer, format+"\n", args...) }

func (w *writer) section(name string, items int) {
	if items > 0 {
		w.line("\n%s:", name)
	}
}

// pair is a member of an item: its name and value.
type pair struct {
	name  string
	value any
}

// item writes an item of a section, without the members that are empty. A member without a name is a comment.
func (w *writer) item(members ...pair) {
	lead := "  - "
	for _, m := range members {
		if list, ok := m.value.([]string); m.value == nil || m.value == "" || ok && list == nil {
			continue
		}
		if m.name == "" {
			w.line("    # %s", m.value)
			continue
		}
		w.line("%s%s: %s", lead, m.name, flow(m.value))
		lead = "    "
	}
}

func (w *writer) api(api *apis.API) {
	item := ViewAPI(api)
	members := []pair{{"identifier", item.Identifier}, {"name", item.Name}}
	add := func(name string, value any, given bool) {
		if given {
			members = append(members, pair{name, value})
		}
	}
	add("scopes", item.Scopes, len(item.Scopes) > 0)
	add("token_lifetime", item.TokenLifetime, item.TokenLifetime != 0)
	add("token_type", item.TokenType, item.TokenType != apis.TypeAccessToken)
	add("open", item.Open, item.Open)
	add("introspection_clients", item.IntrospectionClients, len(item.IntrospectionClients) > 0)
	w.item(members...)
}

func (w *writer) provider(p *federation.Provider) {
	members := []pair{
		{"id", p.ID}, {"kind", p.Kind}, {"name", p.Name},
		{"", memberSecretFile + ": " + p.ID + "  (where the provider is new)"},
		{"issuer", p.Issuer}, {"client_id", p.ClientID},
	}
	if !p.IsActive {
		members = append(members, pair{"disabled", true})
	}
	w.item(append(members, pair{"settings", p.Settings})...)
}

// client writes an app without what it has by default.
func (w *writer) client(client *clients.Client) error {
	is, err := described(client)
	if err != nil {
		return err
	}
	usual, err := described(byDefault(client))
	if err != nil {
		return err
	}
	members := []pair{{"client_id", client.ID}}
	for _, shape := range clients.Shapes() {
		value, given := is[shape.Name]
		switch {
		case shape.Name == memberAccess && client.Access == access.Listed:
			members = append(members, pair{memberAccess, client.AccessGroups})
		case shape.Name == "access_groups" || !given || leftOut(shape.Name, client):
		case alwaysSaid(shape.Name, client) || !bytes.Equal(value, usual[shape.Name]):
			members = append(members, pair{shape.Name, value})
		}
		if shape.Name == "client_name" && client.HasSecret() {
			members = append(members, pair{"", memberSecretFile + ": " + client.ID + "  (where the app is new)"})
		}
	}
	w.item(members...)
	return nil
}

// byDefault is an app with the same id, kind of credentials and grants, and everything else by default.
func byDefault(client *clients.Client) *clients.Client {
	usual := &clients.Client{
		ID: client.ID, Name: client.Name, RedirectURIs: slices.Clone(client.RedirectURIs),
		GrantTypes: slices.Clone(client.GrantTypes), ResponseTypes: slices.Clone(client.ResponseTypes),
	}
	if !anySecret(client) {
		usual.AuthMethod = client.AuthMethod
	}
	_ = usual.Complete() // what it needs besides is no matter here
	return usual
}

// anySecret tells whether an app has what it has where it is not said how it proves who it is.
func anySecret(client *clients.Client) bool {
	return client.AuthMethod == clients.AuthBasic && client.AnySecretMethod
}

// alwaysSaid are the members that say something though it is the default, because other defaults depend on them.
func alwaysSaid(name string, client *clients.Client) bool {
	switch name {
	case "client_name":
		return true
	case "redirect_uris":
		return len(client.RedirectURIs) > 0
	case "token_endpoint_auth_method":
		return !anySecret(client)
	case "grant_types":
		return !slices.Equal(client.GrantTypes, []string{oidc.GrantCode, oidc.GrantRefreshToken})
	case "response_types":
		return !slices.Equal(client.ResponseTypes, []string{"code"})
	}
	return false
}

// leftOut are the members that say nothing.
func leftOut(name string, client *clients.Client) bool {
	return anySecret(client) && (name == "token_endpoint_auth_method" || name == "any_secret_method")
}

func described(client *clients.Client) (members map[string]json.RawMessage, err error) {
	object, err := client.Describe()
	if err == nil {
		err = json.Unmarshal(object, &members)
	}
	return members, err
}

// flow is a value on one line.
func flow(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return "null" // never: all of it came from JSON
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if decoder.Decode(&decoded) != nil {
		return "null"
	}
	return flowOf(decoded)
}

func flowOf(value any) string {
	switch value := value.(type) {
	case string:
		return scalar(value)
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = flowOf(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var members []string
		for name, member := range value {
			members = append(members, scalar(name)+": "+flowOf(member))
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ", ") + "}"
	}
	return fmt.Sprint(value) // a number or a truth value
}

// bare is text that YAML takes for text as it stands, wherever it stands.
var bare = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_./-]*(://?[a-zA-Z0-9_.~/-]+)?$`)

// words that YAML, or a reader of an older version of it, takes for something else than text.
var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

func scalar(text string) string {
	if bare.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	encoded, _ := json.Marshal(text) // text always can be
	return string(encoded)
}
