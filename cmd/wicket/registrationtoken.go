package main

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage"
)

type registrationTokenCommands struct {
	Create registrationTokenCreate `cmd:"" help:"Make a token that lets apps register themselves at /clients. Prints it this once."`
	List   registrationTokenList   `cmd:"" help:"List the tokens that are good."`
	Revoke registrationTokenRevoke `cmd:"" help:"Make a token void. Apps that were registered by it stay."`
}

type registrationTokenCreate struct {
	Name    string        `required:"" help:"What it is for."`
	Uses    int64         `default:"1" help:"How many apps may register by it."`
	For     time.Duration `name:"for" default:"24h" help:"How long it is good: 24h, 720h."`
	Host    []string      `sep:"none" help:"The only host that the app's addresses may have; with a dot in front, its subdomains too: .example.com. Repeat it for several."`
	Scope   []string      `sep:"none" help:"A scope that the app may have besides Wicket's own. Repeat it for several."`
	API     []string      `name:"api" sep:"none" placeholder:"IDENTIFIER" help:"An API that the app may ask for tokens for, besides those that are open. Repeat it for several."`
	Devices bool          `name:"device-code" help:"The app may sign in devices without a browser, by codes that people type (RFC 8628)."`
	Own     bool          `name:"client-credentials" help:"The app may have client_credentials: tokens that no person has agreed to."`
}

// registrationTokenView is a token as the command prints it.
type registrationTokenView struct {
	ID        uuid.UUID           `json:"id"`
	Token     string              `json:"token,omitempty"`
	Name      string              `json:"name"`
	UsesLeft  int64               `json:"uses_left"`
	ExpiresAt time.Time           `json:"expires_at"`
	Policy    registration.Policy `json:"policy"`
}

func viewRegistrationToken(t *registration.InitialAccessToken, secret string) registrationTokenView {
	return registrationTokenView{t.ID, secret, t.Name, t.UsesLeft, t.ExpiresAt, t.Policy}
}

// Run makes the token.
func (c registrationTokenCreate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	policy := registration.Policy{Hosts: c.Host, Scopes: c.Scope, MayActForItself: c.Own, MayConnectDevices: c.Devices}
	for _, identifier := range c.API {
		api, err := s.APIs.Find(ctx, identifier)
		if errors.Is(err, storage.ErrNotFound) {
			return noAPI(identifier)
		} else if err != nil {
			return err
		}
		policy.APIs = append(policy.APIs, api.Identifier)
	}
	token, secret, err := s.Registration.CreateToken(ctx, c.Name, c.Uses, c.For, policy)
	if errors.Is(err, registration.ErrInitialAccessToken) {
		return exit.Usage("%s", err)
	} else if err != nil {
		return err
	}
	return out.Print(viewRegistrationToken(token, secret), func() {
		out.Line("Until %s, %d apps may register at %s with this token, which is shown this once:\n%s",
			token.ExpiresAt.Format(time.RFC1123), token.UsesLeft, s.Registration.Endpoint(), secret)
		if !s.Registration.Mode.Enabled() {
			out.Line("WICKET_CLIENT_REGISTRATION is off here. Where the server has it off too, set it to token.")
		}
	})
}

type registrationTokenList struct{}

// Run lists the tokens.
func (registrationTokenList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	list, err := s.Registration.Tokens(ctx)
	if err != nil {
		return err
	}
	views, rows := make([]registrationTokenView, len(list)), make([][]any, len(list))
	for i := range list {
		views[i] = viewRegistrationToken(&list[i], "")
		rows[i] = []any{
			list[i].ID, list[i].Name, list[i].UsesLeft, list[i].ExpiresAt.Format(time.RFC3339),
			strings.Join(list[i].Policy.Hosts, " "),
		}
	}
	return out.Print(views, func() { out.Table([]any{"ID", "NAME", "USES LEFT", "EXPIRES", "HOSTS"}, rows) })
}

type registrationTokenRevoke struct {
	ID uuid.UUID `arg:"" help:"The token's id, as list prints it."`
}

// Run revokes the token.
func (c registrationTokenRevoke) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := s.Registration.RevokeToken(ctx, c.ID); errors.Is(err, storage.ErrNotFound) {
		return exit.NotFound("there is no initial access token with the id %s", c.ID)
	} else if err != nil {
		return err
	}
	return out.Print(map[string]string{"id": c.ID.String(), "status": "revoked"}, func() { out.Line("Revoked.") })
}
