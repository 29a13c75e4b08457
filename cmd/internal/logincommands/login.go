// Package logincommands are the commands of a person who is signed in on the command line: wicket login, whoami and
// logout. What they do is in package login.
package logincommands

import (
	"context"
	"errors"
	"os"

	"github.com/mattn/go-isatty"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/login"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

// SignIn is wicket login.
type SignIn struct {
	Issuer    string   `arg:"" optional:"" help:"The server, such as https://id.example.com. Left out, WICKET_ISSUER, or http://localhost:8080."`
	ClientID  string   `default:"${login_client}" help:"The app to sign in as: a public one that is registered for device codes."`
	Scope     []string `help:"What to ask for instead of openid, profile, email and offline_access. Several by commas, or repeated."`
	NoBrowser bool     `name:"no-browser" help:"Print the page's address and do not open it."`
}

// Run signs a person in at a running server.
func (c SignIn) Run(ctx context.Context, env server.Environment, out printer.Printer) error {
	store, err := login.DefaultStore()
	if err != nil {
		return err
	}
	if c.Issuer == "" {
		if c.Issuer, err = env.Value("WICKET_ISSUER"); err != nil {
			return exit.Usage("WICKET_ISSUER %w", err)
		}
	}
	claims, at, err := store.SignIn(ctx, c.Issuer, c.ClientID, c.Scope, func(prompt login.Prompt) {
		prompt.Tell(os.Stderr, !c.NoBrowser && isatty.IsTerminal(os.Stderr.Fd()))
	})
	if err != nil {
		return err
	}
	return out.Print(claims, func() { out.Line("Signed in at %s as %s.", at, login.Name(claims)) })
}

// WhoAmI is wicket whoami.
type WhoAmI struct {
	Issuer string `arg:"" optional:"" help:"The server. Left out, the one that you signed in to last."`
	Token  bool   `help:"Print an access token that is good for a while, for another program, instead of who you are."`
}

// Run tells who is signed in.
func (c WhoAmI) Run(ctx context.Context, out printer.Printer) error {
	store, err := login.DefaultStore()
	if err != nil {
		return err
	}
	if c.Token {
		token, at, err := store.Token(ctx, c.Issuer)
		if err != nil {
			return notSignedIn(err)
		}
		return out.Print(map[string]string{"issuer": at, "access_token": token}, func() { out.Line("%s", token) })
	}
	claims, at, err := store.WhoAmI(ctx, c.Issuer)
	if err != nil {
		return notSignedIn(err)
	}
	return out.Print(claims, func() { out.Line("At %s you are %s.", at, login.Name(claims)) })
}

// SignOut is wicket logout.
type SignOut struct {
	Issuer string `arg:"" optional:"" help:"The server. Left out, the one that you signed in to last."`
}

// Run signs out.
func (c SignOut) Run(ctx context.Context, out printer.Printer) error {
	store, err := login.DefaultStore()
	if err != nil {
		return err
	}
	at, told, err := store.SignOut(ctx, c.Issuer)
	if err != nil {
		return notSignedIn(err)
	}
	if !told {
		printer.Warn("%s could not be told; end the device on the page of your account there", at)
	}
	return out.Print(map[string]string{"issuer": at, "status": "signed out"}, func() { out.Line("Signed out of %s.", at) })
}

func notSignedIn(err error) error {
	if errors.Is(err, login.ErrNotSignedIn) {
		return exit.NotFound("%w", err)
	}
	return err
}
