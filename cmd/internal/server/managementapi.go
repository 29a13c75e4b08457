package server

import (
	"context"
	"fmt"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/storage/audit"
)

// DeclareManagement makes the management API one that tokens are issued for: its scopes are what may be done there.
func (s *Server) DeclareManagement(ctx context.Context) error {
	api := apis.API{Name: "Administration of this server"}
	names, words := manage.Permissions()
	for i, name := range names {
		api.Scopes = append(api.Scopes, apis.Scope{Name: string(name), Words: words[i]})
	}
	as := audit.As(ctx, audit.Actor{Name: "system"})
	if err := s.APIs.DeclareOwn(as, api); err != nil {
		return fmt.Errorf("declare the management API: %w", err)
	}
	return nil
}
