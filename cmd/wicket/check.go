package main

import (
	"context"
	"errors"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/check"
	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

type checkCommand struct {
	Issuer           string        `arg:"" help:"The issuer, as apps know it: https://id.example.com"`
	Through          string        `help:"Reach the issuer at this address instead, without DNS and TLS: http://wicket:8080"`
	Username         string        `help:"Sign this person in, too, through the authorization code flow, and out again. They must have no second factor."`
	PasswordFile     string        `name:"password-file" type:"existingfile" help:"File that holds their password."`
	ClientID         string        `name:"client-id" help:"The app to sign in to."`
	ClientSecretFile string        `name:"client-secret-file" type:"existingfile" help:"File that holds the app's secret; left out for a public app."`
	RedirectURI      string        `name:"redirect-uri" default:"http://127.0.0.1/" help:"A redirect URI of the app. Nothing is sent there."`
	Timeout          time.Duration `default:"30s" help:"How long all of it may take."`
}

// Validate refuses to sign somebody in of whom too little is known.
func (c checkCommand) Validate() error {
	if (c.Username == "") != (c.PasswordFile == "") || (c.Username == "") != (c.ClientID == "") {
		return errors.New("to sign somebody in, name all of --username, --password-file and --client-id")
	}
	return nil
}

// Run looks at the Wicket, and prints what it has found to be right.
func (c checkCommand) Run(ctx context.Context, env server.Environment, out printer.Printer) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	done, err := check.Run(ctx, check.Target{
		Issuer: c.Issuer, Through: c.Through, Username: c.Username, PasswordFile: c.PasswordFile,
		ClientID: c.ClientID, ClientSecretFile: c.ClientSecretFile, RedirectURI: c.RedirectURI,
	}, env)
	if errors.Is(err, check.ErrThrough) {
		return exit.Usage("--through %s", err)
	}
	if err != nil {
		return err
	}
	return out.Print(done, func() {
		for _, step := range done {
			out.Line("ok  %-10s %s", step.Step, step.Detail)
		}
	})
}
