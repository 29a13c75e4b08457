// Command wicket is an OpenID Connect and OAuth 2 authorization server with its own identity store. See README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones of profiles, on machines that have none

	"github.com/alecthomas/kong"

	"github.com/wicket-id/wicket/cmd/internal/configurationcommands"
	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/login"
	"github.com/wicket-id/wicket/cmd/internal/logincommands"
	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/cmd/internal/webhookcommands"
)

// commands is the command line: one field for each subcommand, each in the file of its name.
type commands struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"How to print results: text, or json for one JSON value."`

	Serve             serveCommand                 `cmd:"" help:"Run the server. Configuration comes from WICKET_* variables; none at all means embedded SQLite in ./wicket-data."`
	Config            configCommands               `cmd:"" help:"Look at the configuration."`
	Dev               devCommand                   `cmd:"" help:"Run the server with a demo user, demo clients and a sample app, to try it or to develop an app against it."`
	Migrate           migrateCommand               `cmd:"" help:"Bring the database up to date. serve does so by itself unless WICKET_MIGRATE=off."`
	Copy              copyCommand                  `cmd:"" help:"Move everything from one database into another, from SQLite to PostgreSQL or back. It can be run again."`
	Client            clientCommands               `cmd:"" help:"Register, show, change, list and delete apps, and rotate their secrets."`
	API               apiCommands                  `cmd:"" name:"api" help:"Register, list, change and delete the APIs that tokens are for."`
	RegistrationToken registrationTokenCommands    `cmd:"" name:"registration-token" help:"Let apps register themselves: make, list and revoke initial access tokens."`
	Provider          providerCommands             `cmd:"" help:"Let people sign in with accounts that they have elsewhere: Google, Microsoft, GitHub, any OpenID Provider."`
	User              userCommands                 `cmd:"" help:"Register, invite, import, show, find, change, disable, unlock, sign out and delete people."`
	Invitation        invitationCommands           `cmd:"" help:"List and revoke invitations; wicket user invite makes them."`
	Session           sessionCommands              `cmd:"" help:"List where people are signed in, and sign them out there."`
	Grant             grantCommands                `cmd:"" help:"List what apps hold of people, and take it away."`
	Logout            logoutCommands               `cmd:"" name:"logout-delivery" help:"List which apps were told of logouts, and tell those again that could not be."`
	Role              roleCommands                 `cmd:"" help:"Grant, revoke and list people's roles."`
	Group             groupCommands                `cmd:"" help:"Make, list, change and delete groups, put people into them, and give them roles."`
	Admin             adminCommands                `cmd:"" help:"Make people and apps administrators of this server, list them, and take that back."`
	APIKey            apiKeyCommands               `cmd:"" name:"api-key" help:"Make, list and revoke keys by which programs call the management API."`
	Webhook           webhookcommands.Commands     `cmd:"" help:"Tell programs elsewhere what changes: make, list, show, change, test and delete webhooks, and send again what they have missed."`
	Key               keyCommands                  `cmd:"" help:"List and rotate the signing keys."`
	Audit             auditCommands                `cmd:"" help:"Read the audit trail: every change."`
	Plan              configurationcommands.Plan   `cmd:"" help:"Tell what wicket apply would change. Exit code 0: nothing; 2: something; 1: it cannot be told."`
	Apply             configurationcommands.Apply  `cmd:"" help:"Make this server what a configuration file declares: groups, apps, APIs and providers."`
	Export            configurationcommands.Export `cmd:"" help:"Print a configuration file of the groups, apps, APIs and providers that there are, without secrets."`
	Detach            configurationcommands.Detach `cmd:"" help:"Take something out of the hands of a configuration file, so that it can be changed by commands again."`

	Complete   completeCommand       `cmd:"" hidden:""`
	Completion completionCommand     `cmd:"" help:"Print the script by which a shell completes what you type: bash, zsh or fish."`
	Login      logincommands.SignIn  `cmd:"" help:"Sign in at a running server on the command line, by a page in a browser on any device."`
	WhoAmI     logincommands.WhoAmI  `cmd:"" name:"whoami" help:"Tell who is signed in by wicket login, or print an access token of theirs."`
	SignOut    logincommands.SignOut `cmd:"" name:"logout" help:"End what wicket login has begun."`
	Version    versionCommand        `cmd:"" help:"Print which Wicket this is."`
	Report     reportCommands        `cmd:"" help:"Reports for operators."`
	Check      checkCommand          `cmd:"" help:"Look at a running Wicket as apps do: discovery, keys and, where a person is named, a whole sign-in."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second one ends the process, unless somebody else listens to it
	if err := run(ctx, os.Args[1:], server.ProcessEnvironment()); err != nil {
		if text := err.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "wicket: "+text)
		}
		os.Exit(exit.Code(err))
	}
}

// run parses the command line and runs the subcommand.
func run(ctx context.Context, args []string, env server.Environment) error {
	var line commands
	parser, err := kong.New(&line, kong.Name("wicket"), kong.UsageOnError(), kong.Vars{"login_client": login.ClientID},
		kong.Description("An OpenID Connect and OAuth 2 authorization server with its own identity store."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if err != nil && args[0] == "plan" {
		return exit.Failed("%s; --help says more", err)
	} else if err != nil {
		return fmt.Errorf("%w; --help says more", err)
	}
	return runBeside(ctx, chosen, env, printer.Printer{Out: os.Stdout, JSON: line.Output == "json"})
}
