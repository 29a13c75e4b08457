package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/audit"
)

// declaredClient is one app in WICKET_CLIENTS: what `wicket client list` prints of an app, and where its secret is. The
// secret itself has no place there, so that the list can be kept with the rest of a deployment.
type declaredClient struct {
	clientView
	SecretFile string `json:"client_secret_file"`
}

// parseDeclarations reads a list of clients, and the secrets that it refers to by read.
func parseDeclarations(text string, read readFile) ([]oidc.Declaration, error) {
	var declarations []oidc.Declaration
	err := eachDeclared(text, "client", "a client_id, a client_name and redirect_uris", func(decode func(any) error) (string, error) {
		var c declaredClient
		err := decode(&c)
		declaration := oidc.Declaration{Client: &oidc.Client{
			ID: c.ID, Name: c.Name, AuthMethod: c.AuthMethod, GrantTypes: c.GrantTypes, RedirectURIs: c.RedirectURIs,
			PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, AllowedOrigins: c.AllowedOrigins, Scopes: strings.Fields(c.Scope),
			IDTokenAlg: c.IDTokenAlg, IsTrusted: c.Trusted, RequiredACR: c.RequiredACR, JWKS: c.JWKS, JWKSURI: c.JWKSURI,
			LogoURI: c.LogoURI, ClientURI: c.ClientURI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI,
		}}
		if err == nil {
			declaration.Secret, err = read.declaredSecret(c.SecretFile)
		}
		declarations = append(declarations, declaration)
		return c.ID, err
	})
	return declarations, err
}

// declaredProvider is one provider in WICKET_PROVIDERS: what `wicket provider list` prints of it, and where its secret is.
type declaredProvider struct {
	providerView
	SecretFile string `json:"client_secret_file"`
}

// parseProviders reads a list of providers, and the secrets that it refers to by read.
func parseProviders(text string, read readFile) ([]federation.Provider, error) {
	var providers []federation.Provider
	err := eachDeclared(text, "provider", "a kind, a client_id and a client_secret_file", func(decode func(any) error) (string, error) {
		var d declaredProvider
		err := decode(&d)
		p := federation.Provider{ID: d.ID, Kind: d.Kind, Name: d.Name, Issuer: d.Issuer, ClientID: d.ClientID, Settings: d.Settings, Named: true, IsActive: true}
		if err == nil {
			p.Secret, err = read.declaredSecret(d.SecretFile)
		}
		if err == nil {
			err = p.Check()
		}
		providers = append(providers, p)
		return p.ID, err
	})
	return providers, err
}

// declaredSecret reads the file that client_secret_file names, if any.
func (read readFile) declaredSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	secret, err := read.secret(path)
	if err != nil {
		return "", fmt.Errorf("read client_secret_file: %w", err)
	}
	return secret, nil
}

// eachDeclared calls each with what decodes one item of a list in YAML, or JSON, which is YAML. Every item that is wrong is
// named at once, by what each calls it; a field that Wicket does not know is wrong too, for it would be a mistyped one.
func eachDeclared(text, noun, needs string, each func(decode func(into any) error) (name string, err error)) error {
	var list []json.RawMessage
	if encoded, err := yaml.YAMLToJSON([]byte(text)); err != nil {
		return fmt.Errorf("is not YAML: %w", err)
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

// declareClients makes the apps as they are declared, and says which it made or changed.
func (h *house) declareClients(ctx context.Context, declarations []oidc.Declaration, log *slog.Logger) error {
	if len(declarations) == 0 {
		return nil
	}
	created, changed, err := h.provider.DeclareClients(audit.As(ctx, audit.Actor{Name: "operator:WICKET_CLIENTS"}), declarations)
	if len(created)+len(changed) > 0 {
		log.Info("made clients as declared", "created", created, "changed", changed)
	}
	return err
}
