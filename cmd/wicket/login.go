package main

import (
	"context"
	"errors"
	"os"

	"github.com/mattn/go-isatty"

	"github.com/wicket-id/wicket/cmd/internal/login"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type loginCommand struct {
	Issuer    string   `arg:"" optional:"" help:"The server, such as https://id.example.com. Left out, WICKET_ISSUER, or http://localhost:8080."`
	ClientID  string   `default:"${login_client}" help:"The app to sign in as: a public one that is registered for device codes."`
	Scope     []string `help:"What to ask for instead of openid, profile, email and offline_access. Several by commas, or repeated."`
	NoBrowser bool     `name:"no-browser" help:"Print the page's address and do not open it."`
}

// Run signs a person in at a running server.
func (c loginCommand) Run(ctx context.Context, env server.Environment, out printer) error {
	store, err := loginStore()
	if err != nil {
		return err
	}
	if c.Issuer == "" {
		if c.Issuer, err = env.Value("WICKET_ISSUER"); err != nil {
			return usage("WICKET_ISSUER %w", err)
		}
	}
	if c.Issuer == "" {
		c.Issuer = "http://localhost:8080"
	}
	if len(c.Scope) == 0 {
		c.Scope = login.Scopes
	}
	claims, err := store.SignIn(ctx, c.Issuer, c.ClientID, c.Scope, func(prompt login.Prompt) {
		told := printer{out: os.Stderr} // what comes out is the result alone
		told.line("Open this page, on any device, and check that it shows the code %s:\n\n  %s\n", prompt.Code, prompt.URL)
		told.line("Waiting until %s ...", prompt.ExpiresAt.Local().Format("15:04:05"))
		if !c.NoBrowser && isatty.IsTerminal(os.Stderr.Fd()) {
			login.OpenBrowser(prompt.URL)
		}
	})
	if err != nil {
		return err
	}
	return printPerson(out, c.Issuer, claims, "Signed in at %s as %s.")
}

type whoAmICommand struct {
	Issuer string `arg:"" optional:"" help:"The server. Left out, the one that you signed in to last."`
	Token  bool   `help:"Print an access token that is good for a while, for another program, instead of who you are."`
}

// Run tells who is signed in.
func (c whoAmICommand) Run(ctx context.Context, out printer) error {
	store, err := loginStore()
	if err != nil {
		return err
	}
	if c.Token {
		token, at, err := store.Token(ctx, c.Issuer)
		if err != nil {
			return notSignedIn(err)
		}
		return out.print(map[string]string{"issuer": at, "access_token": token}, func() { out.line("%s", token) })
	}
	claims, at, err := store.WhoAmI(ctx, c.Issuer)
	if err != nil {
		return notSignedIn(err)
	}
	return printPerson(out, at, claims, "At %s you are %s.")
}

type signOutCommand struct {
	Issuer string `arg:"" optional:"" help:"The server. Left out, the one that you signed in to last."`
}

// Run signs out.
func (c signOutCommand) Run(ctx context.Context, out printer) error {
	store, err := loginStore()
	if err != nil {
		return err
	}
	at, told, err := store.SignOut(ctx, c.Issuer)
	if err != nil {
		return notSignedIn(err)
	}
	if !told {
		warn("%s could not be told; end the device on the page of your account there", at)
	}
	return out.print(map[string]string{"issuer": at, "status": "signed out"}, func() { out.line("Signed out of %s.", at) })
}

func loginStore() (login.Store, error) {
	folder, err := login.DefaultFolder()
	return login.Store{Folder: folder}, err
}

func notSignedIn(err error) error {
	if errors.Is(err, login.ErrNotSignedIn) {
		return notFound("%w", err)
	}
	return err
}

// printPerson prints who somebody is by their claims, as text by the name that they are known by.
func printPerson(out printer, issuer string, claims map[string]any, text string) error {
	claims["iss"] = issuer
	return out.print(claims, func() {
		for _, name := range []string{"preferred_username", "email", "sub"} {
			if known, ok := claims[name].(string); ok && known != "" {
				out.line(text, issuer, known)
				return
			}
		}
	})
}
