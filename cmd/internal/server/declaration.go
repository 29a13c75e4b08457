package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// parseClients reads a list of apps, and the secrets that it refers to by read.
func parseClients(text string, read readFile) ([]clients.Declaration, error) {
	const needs = "a client_id, a client_name and redirect_uris"
	var declarations []clients.Declaration
	err := eachDeclared(text, "client", needs, func(decode func(any) error) (string, error) {
		declaration, err := readClient(decode, read)
		declarations = append(declarations, declaration)
		return declaration.Client.ID, err
	})
	if err == nil {
		err = clients.CheckIDs(declarations)
	}
	return declarations, err
}

// readClient reads one app, and its secret from the file that client_secret_file names. The secret itself has no place
// in the list, so that that can be kept with the rest of a deployment.
func readClient(decode func(any) error, read readFile) (clients.Declaration, error) {
	declaration := clients.Declaration{Client: new(clients.Client)}
	var object json.RawMessage
	if err := decode(&object); err != nil {
		return declaration, err
	}
	client, others, err := clients.ReadMetadata(object)
	if err != nil {
		return declaration, err
	}
	declaration.Client = client
	var secretFile string
	if encoded, named := others["client_secret_file"]; named {
		if err := json.Unmarshal(encoded, &secretFile); err != nil {
			return declaration, errors.New("client_secret_file is not a string")
		}
		delete(others, "client_secret_file")
	}
	for name := range others {
		return declaration, fmt.Errorf("unknown field %q", name)
	}
	if declaration.Secret, err = declaredSecret(secretFile, read); err != nil {
		return declaration, err
	}
	return declaration, declaration.Check()
}

// parseAPIs reads a list of APIs.
func parseAPIs(text string) ([]apis.API, error) {
	const needs = "an identifier and a name"
	var declared []apis.API
	err := eachDeclared(text, "API", needs, func(decode func(any) error) (string, error) {
		var item configuration.API
		err := decode(&item)
		api := item.Row()
		if err == nil {
			err = api.Check()
		}
		declared = append(declared, api)
		return api.Identifier, err
	})
	if err == nil {
		err = apis.CheckIdentifiers(declared)
	}
	return declared, err
}

// ProviderView is a provider as WICKET_PROVIDERS declares it and wicket provider prints it.
type ProviderView struct {
	ID          string              `json:"id"`
	Kind        string              `json:"kind"`
	Name        string              `json:"name"`
	Issuer      string              `json:"issuer"`
	ClientID    string              `json:"client_id"`
	IsActive    bool                `json:"is_active"`
	Named       bool                `json:"named_by_variables"`
	Settings    federation.Settings `json:"settings"`
	RedirectURI string              `json:"redirect_uri"`
	LogoutURI   string              `json:"backchannel_logout_uri,omitempty"`
}

// ViewProvider is how a provider is printed, with what is to be registered there.
func (s *Server) ViewProvider(p *federation.Provider) ProviderView {
	view := ProviderView{
		ID: p.ID, Kind: p.Kind, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, IsActive: p.IsActive, Named: p.Named,
		Settings: p.Settings, RedirectURI: s.Upstreams.Callback(p.ID),
	}
	if p.SendsLogoutTokens() {
		view.LogoutURI = s.Upstreams.LogoutURI(p.ID)
	}
	return view
}

// declaredProvider is one provider in WICKET_PROVIDERS, and where its secret is.
type declaredProvider struct {
	ProviderView
	SecretFile string `json:"client_secret_file"`
}

// parseProviders reads a list of providers, and the secrets that it refers to by read.
func parseProviders(text string, read readFile) ([]federation.Provider, error) {
	const needs = "a kind, a client_id and a client_secret_file"
	var providers []federation.Provider
	err := eachDeclared(text, "provider", needs, func(decode func(any) error) (string, error) {
		var d declaredProvider
		err := decode(&d)
		p := federation.Provider{
			ID: d.ID, Kind: d.Kind, Name: d.Name, Issuer: d.Issuer, ClientID: d.ClientID, Settings: d.Settings,
			Named: true, IsActive: true,
		}
		if err == nil {
			p.Secret, err = declaredSecret(d.SecretFile, read)
		}
		if err == nil {
			err = p.Check()
		}
		providers = append(providers, p)
		return p.ID, err
	})
	return providers, err
}

// readFile reads a file that configuration names.
type readFile func(path string) ([]byte, error)

// declaredSecret reads the file that client_secret_file names, if any.
func declaredSecret(path string, read readFile) (string, error) {
	if path == "" {
		return "", nil
	}
	secret, err := read(path)
	if err != nil {
		return "", fmt.Errorf("read client_secret_file: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}

// eachDeclared calls each with what decodes one item of a list in YAML, or JSON, which is YAML. Every item that is
// wrong is named at once, by what each calls it; a field that Wicket does not know is wrong too, for it would be a
// mistyped one.
func eachDeclared(text, noun, needs string, each func(decode func(into any) error) (name string, err error)) error {
	var list []json.RawMessage
	if encoded, err := yaml.YAMLToJSON([]byte(text)); err != nil {
		return notYAML(err)
	} else if err := json.Unmarshal(encoded, &list); err != nil {
		return fmt.Errorf("must be a list of %ss, each with %s", noun, needs)
	}
	var faults []error
	for i, item := range list {
		name, err := each(func(into any) error {
			decoder := json.NewDecoder(bytes.NewReader(item))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(into); err != nil {
				return errors.New(strings.TrimPrefix(err.Error(), "json: "))
			}
			return nil
		})
		if err != nil {
			faults = append(faults, fmt.Errorf("%s %d, %q: %w", noun, i+1, name, err))
		}
	}
	return errors.Join(faults...)
}

// notYAML says where a text is wrong, and nothing of what is there, which may be a secret.
func notYAML(err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		position := at.GetToken().Position
		return fmt.Errorf("is not YAML: something is wrong at line %d, column %d", position.Line, position.Column)
	}
	return errors.New("is not YAML")
}

// declare makes apps, APIs and what a configuration file has as they are declared, and logs which it made or changed.
func (s *Server) declare(ctx context.Context, config *Config) error {
	if err := s.DeclareManagement(ctx); err != nil {
		return err
	}
	if len(config.Clients) > 0 {
		as := audit.As(ctx, audit.Actor{Name: "operator:WICKET_CLIENTS"})
		created, changed, err := s.Clients.Declare(as, config.Clients)
		if err != nil {
			return fmt.Errorf("WICKET_CLIENTS: %w", err)
		}
		if len(created)+len(changed) > 0 {
			s.log.Info("made clients as declared", "created", created, "changed", changed)
		}
	}
	if len(config.APIs) > 0 { // after the clients, which may introspect their tokens
		as := audit.As(ctx, audit.Actor{Name: "operator:WICKET_APIS"})
		created, changed, err := s.APIs.Declare(as, config.APIs)
		if err != nil {
			return fmt.Errorf("WICKET_APIS: %w", err)
		}
		if len(created)+len(changed) > 0 {
			s.log.Info("made APIs as declared", "created", created, "changed", changed)
		}
	}
	if err := s.applyConfiguration(ctx, config.Configuration); err != nil {
		return err
	}
	if err := s.declareLogin(ctx, config.LoginCommand, config.Clients); err != nil {
		return err
	}
	return s.reportUnknownAPIs(ctx, config)
}

// reportUnknownAPIs tells of declared apps that are registered for an API that does not exist: it may be mistyped, or
// be registered later.
func (s *Server) reportUnknownAPIs(ctx context.Context, config *Config) error {
	for _, declared := range config.Clients {
		for _, identifier := range declared.Client.APIs {
			_, err := s.APIs.Find(ctx, identifier)
			if errors.Is(err, storage.ErrNotFound) {
				s.log.Warn("a declared client is registered for an API that there is none of", "client_id", declared.Client.ID,
					"api", identifier)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}
