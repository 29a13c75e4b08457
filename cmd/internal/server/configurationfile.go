package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/audit"
)

// parseConfiguration reads a configuration file, and the secrets that it refers to. Files with secrets are looked at
// again when they change; variables never do.
func (c *Config) parseConfiguration(text string) (*configuration.Document, error) {
	return configuration.Read([]byte(text), configuration.Secrets{File: c.readFile, Variable: c.environment.Lookup})
}

// declaredTwice refuses what stands in the configuration file and in the list of another variable: the two would take
// it from each other at each start.
func (r *reading) declaredTwice() {
	c := r.config
	if c.Configuration == nil {
		return
	}
	for _, d := range c.Configuration.Clients {
		if slices.ContainsFunc(c.Clients, func(o clients.Declaration) bool { return o.Client.ID == d.Client.ID }) {
			r.fault("WICKET_CLIENTS", fmt.Errorf("WICKET_CONFIGURATION declares the client %q, too", d.Client.ID))
		}
	}
	for _, d := range c.Configuration.APIs {
		if slices.ContainsFunc(c.APIs, func(o apis.API) bool { return apis.SameIdentifier(o.Identifier, d.Identifier) }) {
			r.fault("WICKET_APIS", fmt.Errorf("WICKET_CONFIGURATION declares the API %q, too", d.Identifier))
		}
	}
	for _, d := range c.Configuration.Providers {
		if slices.ContainsFunc(c.Providers, func(o federation.Provider) bool { return o.ID == d.ID }) {
			r.fault("WICKET_PROVIDERS", fmt.Errorf("WICKET_CONFIGURATION declares the provider %q, too", d.ID))
		}
	}
}

// configurationActor is who makes what the configuration file declares, in the audit trail.
const configurationActor = "operator:WICKET_CONFIGURATION"

// applyConfiguration makes what the configuration file declares, where there is one. What it names no more is let go.
func (s *Server) applyConfiguration(ctx context.Context, document *configuration.Document) error {
	if document == nil {
		return nil
	}
	as := audit.As(ctx, audit.Actor{Name: configurationActor})
	plan, err := s.Configuration.Apply(as, manage.Operator(configurationActor), document, configuration.PruneNothing, "")
	if err != nil {
		return fmt.Errorf("WICKET_CONFIGURATION: %w", err)
	}
	for _, change := range plan.Changes {
		s.log.Info("did as the configuration file says", "action", change.Action, "kind", change.Kind, "id", change.ID)
	}
	return nil
}

// drift counts by kind what the configuration file would change now. It is nothing unless something else has: what a
// file declares is nobody else's to change.
func (s *Server) drift(ctx context.Context) (map[string]int64, error) {
	document := s.Config().Configuration
	if document == nil {
		return nil, errors.New("there is no configuration file")
	}
	plan, err := s.Configuration.Plan(ctx, manage.Operator(configurationActor), document, configuration.PruneNothing)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, change := range plan.Changes {
		counts[change.Kind]++
	}
	return counts, nil
}
