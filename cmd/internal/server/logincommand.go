package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wicket-id/wicket/cmd/internal/login"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// loginActor is who makes the app of wicket login, in the audit trail and in the app's row.
const loginActor = "operator:WICKET_LOGIN_COMMAND"

// declareLogin makes the app of wicket login where the operator wants it, and takes it away where it was made so and is
// wanted no more. An app of the same client_id that an operator has declared, registered or changed stays as it is.
func (s *Server) declareLogin(ctx context.Context, wanted bool, declared []clients.Declaration) error {
	if slices.ContainsFunc(declared, func(d clients.Declaration) bool { return d.Client.ID == login.ClientID }) {
		return nil
	}
	as := audit.As(ctx, audit.Actor{Name: loginActor})
	found, err := s.Clients.Fresh(ctx, login.ClientID)
	if errors.Is(err, storage.ErrNotFound) {
		found, err = nil, nil
	}
	if err != nil || found != nil && !isLogin(found) {
		return err
	}
	if !wanted && found == nil {
		return nil
	}
	if !wanted {
		if err := s.Clients.Delete(as, login.ClientID); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("WICKET_LOGIN_COMMAND: %w", err)
		}
		return nil
	}
	_, _, err = s.Clients.Declare(as, []clients.Declaration{{Client: &clients.Client{
		ID: login.ClientID, Name: "Wicket on the command line", AuthMethod: clients.AuthNone,
		GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken}, Scopes: login.Scopes,
	}}})
	if err != nil {
		return fmt.Errorf("WICKET_LOGIN_COMMAND: %w", err)
	}
	return nil
}

// isLogin tells whether that is the app of wicket login as it was made here, and nobody has changed it since.
func isLogin(client *clients.Client) bool {
	return client.ID == login.ClientID && client.CreatedBy == loginActor && client.ModifiedBy == loginActor
}
