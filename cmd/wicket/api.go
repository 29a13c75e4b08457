package main

import (
	"errors"
	"strings"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage"
)

type apiCommands struct {
	Create   apiCreate   `cmd:"" help:"Register an API. Apps ask for tokens for it by its identifier, as the parameter resource."`
	List     apiList     `cmd:"" help:"List the registered APIs."`
	Update   apiUpdate   `cmd:"" help:"Change an API. What is not named stays as it is."`
	Delete   apiDelete   `cmd:"" help:"Delete an API with what people have allowed there. Its tokens are void. Asks first on a terminal."`
	Metadata apiMetadata `cmd:"" help:"Print what the API is to serve at /.well-known/oauth-protected-resource, so that apps find this server by it (RFC 9728)."`
}

// apiSettings are what can be said of an API; nil: nothing.
type apiSettings struct {
	Scope               []string       `sep:"none" placeholder:"NAME=WORDS" help:"What can be allowed there, with the words that people read: \"read=Read your orders\". Repeat it for several."`
	TokenLifetime       *time.Duration `name:"token-lifetime" placeholder:"10m" help:"How long its access tokens are good, up to 24h; 0 for as long as the server's own."`
	TokenType           *string        `name:"token-type" placeholder:"at+jwt" help:"The typ of its access tokens: at+jwt (default), or JWT for libraries that refuse that, such as Spring's."`
	Open                *bool          `negatable:"" help:"Any app may ask for tokens; people are asked all the same. Without it, only apps that were registered with --api."`
	IntrospectionClient []string       `name:"introspection-client" sep:"none" placeholder:"CLIENT_ID" help:"A client that may introspect its tokens: usually the API itself. Repeat it for several."`
}

// Validate refuses what the row of an API cannot hold.
func (c *apiSettings) Validate() error {
	if c.TokenLifetime != nil && *c.TokenLifetime%time.Second != 0 {
		return errors.New("--token-lifetime must be whole seconds")
	}
	return nil
}

// apply changes an API as the settings say.
func (c *apiSettings) apply(api *apis.API) {
	if c.Scope != nil {
		api.Scopes = nil
		for _, scope := range c.Scope {
			name, words, _ := strings.Cut(scope, "=")
			api.Scopes = append(api.Scopes, apis.Scope{Name: name, Words: strings.TrimSpace(words)})
		}
	}
	if c.TokenLifetime != nil {
		api.TokenLifetime = int64(*c.TokenLifetime / time.Second)
	}
	if c.TokenType != nil {
		api.TokenType = *c.TokenType
	}
	if c.Open != nil {
		api.IsOpen = *c.Open
	}
	if c.IntrospectionClient != nil {
		api.IntrospectionClients = c.IntrospectionClient
	}
}

type apiCreate struct {
	Identifier string `required:"" placeholder:"URI" help:"The audience of its tokens: the API's address, or another absolute URI. An MCP server's is the address that people type in their host."`
	Name       string `required:"" help:"What people read when they are asked for consent."`
	apiSettings
}

// Run registers the API.
func (c apiCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	api := &apis.API{Identifier: c.Identifier, Name: c.Name}
	c.apply(api)
	if err := s.APIs.Create(ctx, api); err != nil {
		return err
	}
	return out.Print(configuration.ViewAPI(api), func() { printAPI(out, api) })
}

type apiUpdate struct {
	Identifier string  `arg:"" help:"The API to change."`
	Name       *string `help:"What people read when they are asked for consent."`
	apiSettings
}

// Run changes the API.
func (c apiUpdate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	api, err := s.APIs.Update(ctx, c.Identifier, func(api *apis.API) {
		if c.Name != nil {
			api.Name = *c.Name
		}
		c.apply(api)
	})
	if errors.Is(err, storage.ErrNotFound) {
		return noAPI(c.Identifier)
	} else if err != nil {
		return err
	}
	return out.Print(configuration.ViewAPI(api), func() { printAPI(out, api) })
}

func printAPI(out printer.Printer, api *apis.API) {
	out.Line("identifier  %s", api.Identifier)
	out.Line("name        %s", api.Name)
	for _, scope := range api.Scopes {
		out.Line("scope       %s", strings.TrimSpace(scope.Name+"  "+scope.Words))
	}
}

type apiList struct{}

// Run lists the APIs.
func (apiList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	list, err := s.APIs.List(ctx)
	if err != nil {
		return err
	}
	views, rows := make([]configuration.API, len(list)), make([][]any, len(list))
	for i := range list {
		views[i] = configuration.ViewAPI(&list[i])
		var scopes []string
		for _, scope := range list[i].Scopes {
			scopes = append(scopes, scope.Name)
		}
		who := "registered apps"
		if list[i].IsOpen {
			who = "any app"
		}
		rows[i] = []any{list[i].Identifier, list[i].Name, strings.Join(scopes, " "), who}
	}
	return out.Print(views, func() { out.Table([]any{"IDENTIFIER", "NAME", "SCOPES", "WHO MAY ASK"}, rows) })
}

type apiDelete struct {
	Identifier string `arg:"" help:"The API to delete."`
	confirmation
}

// Run deletes the API.
func (c apiDelete) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := c.confirm(true, "This deletes the API %s; its tokens are void.", c.Identifier); err != nil {
		return err
	}
	if err := s.APIs.Delete(ctx, c.Identifier); errors.Is(err, storage.ErrNotFound) {
		return noAPI(c.Identifier)
	} else if err != nil {
		return err
	}
	return out.Print(map[string]string{"identifier": c.Identifier, "status": "deleted"}, func() {
		out.Line("Deleted %s.", c.Identifier)
	})
}

type apiMetadata struct {
	Identifier string `arg:"" help:"The API."`
}

// Run prints the API's metadata, which is JSON whatever --output says.
func (c apiMetadata) Run(ctx operator, s *server.Server, out printer.Printer) error {
	api, err := s.APIs.Find(ctx, c.Identifier)
	if errors.Is(err, storage.ErrNotFound) {
		return noAPI(c.Identifier)
	} else if err != nil {
		return err
	}
	out.JSON = true
	return out.Print(apis.MetadataOf(api, s.Provider.Issuer), nil)
}

func noAPI(identifier string) error {
	return exit.NotFound("there is no API with the identifier %q", identifier)
}
