package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// declaredClient is one app in WICKET_CLIENTS: what `wicket client list` prints of an app, and where its secret is. The
// secret itself has no place there, so that the list can be kept with the rest of a deployment.
type declaredClient struct {
	clientView
	SecretFile string `json:"client_secret_file"`
}

// parseDeclarations reads a list of clients in YAML, or JSON, which is YAML, and the secrets that it refers to. Every client
// that is wrong is named at once; a name that Wicket does not know is wrong too, for it would be a mistyped one.
func parseDeclarations(text []byte) ([]oidc.Declaration, error) {
	var list []json.RawMessage
	if encoded, err := yaml.YAMLToJSON(text); err != nil {
		return nil, fmt.Errorf("is not YAML: %w", err)
	} else if err := json.Unmarshal(encoded, &list); err != nil {
		return nil, errors.New("must be a list of clients, each with a client_id, a client_name and redirect_uris")
	}
	declarations := make([]oidc.Declaration, len(list))
	var faults []error
	for i, item := range list {
		var err error
		if declarations[i], err = parseDeclaration(item); err != nil {
			faults = append(faults, fmt.Errorf("client %d, %q: %w", i+1, declarations[i].Client.ID, err))
		}
	}
	return declarations, errors.Join(faults...)
}

func parseDeclaration(item []byte) (oidc.Declaration, error) {
	var c declaredClient
	decoder := json.NewDecoder(bytes.NewReader(item))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&c)
	declaration := oidc.Declaration{Client: &oidc.Client{
		ID: c.ID, Name: c.Name, AuthMethod: c.AuthMethod, GrantTypes: c.GrantTypes, RedirectURIs: c.RedirectURIs,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, AllowedOrigins: c.AllowedOrigins, Scopes: strings.Fields(c.Scope),
		IDTokenAlg: c.IDTokenAlg, IsTrusted: c.Trusted, RequiredACR: c.RequiredACR, JWKS: c.JWKS, JWKSURI: c.JWKSURI,
		LogoURI: c.LogoURI, ClientURI: c.ClientURI, PolicyURI: c.PolicyURI, TOSURI: c.TOSURI,
	}}
	if err != nil {
		return declaration, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if c.SecretFile != "" {
		secret, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return declaration, fmt.Errorf("read client_secret_file: %w", err)
		}
		declaration.Secret = strings.TrimSpace(string(secret))
	}
	return declaration, nil
}

// declareClients makes the apps as they are declared, and says which it made or changed.
func (h *house) declareClients(ctx context.Context, declarations []oidc.Declaration, log *slog.Logger) error {
	if len(declarations) == 0 {
		return nil
	}
	created, changed, err := h.provider.DeclareClients(storage.WithActor(ctx, &storage.Actor{Name: "operator:WICKET_CLIENTS"}), declarations)
	if len(created)+len(changed) > 0 {
		log.Info("made clients as declared", "created", created, "changed", changed)
	}
	return err
}
