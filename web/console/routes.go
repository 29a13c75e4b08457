// Package console is where people administer this server in a browser. Here is the table of its pages; each part has a
// package of its own below, and shell has what they share. Nothing is decided here: what somebody may do is for package
// manage to say.
package console

import (
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/web/console/activity"
	"github.com/wicket-id/wicket/web/console/administrators"
	"github.com/wicket-id/wicket/web/console/apps"
	"github.com/wicket-id/wicket/web/console/groups"
	"github.com/wicket-id/wicket/web/console/integrations"
	"github.com/wicket-id/wicket/web/console/overview"
	"github.com/wicket-id/wicket/web/console/people"
	"github.com/wicket-id/wicket/web/console/refusals"
	"github.com/wicket-id/wicket/web/console/search"
	"github.com/wicket-id/wicket/web/console/server"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/console/signin"
	"github.com/wicket-id/wicket/web/frame"
)

// Routes registers the pages of the console. What a form is sent to is below the page that has it.
func Routes(r gin.IRoutes, f *frame.Frame, set verbs.Set) {
	c := shell.Console{Frame: f, Set: set}
	r.GET(shell.Overview, c.Page(overview.Overview{Console: c}.Page))
	r.GET(shell.Search, c.Page(search.Search{Console: c}.Page))
	peopleRoutes(r, c)

	r.GET(shell.Groups, c.Page(groups.List{Console: c}.Page))
	r.POST(shell.Groups+"/create", c.Page(groups.List{Console: c}.Create))
	group, one := groups.Group{Console: c}, shell.Groups+"/:slug"
	r.GET(one, c.Page(group.Page))
	r.POST(one+"/save", c.Page(group.Save()))
	r.POST(one+"/add", c.Page(group.Add))
	r.POST(one+"/remove", c.Page(group.Remove()))
	r.POST(one+"/grant-role", c.Page(group.GrantRole()))
	r.POST(one+"/revoke-role", c.Page(group.RevokeRole()))
	r.GET(one+"/delete", c.Page(group.ConfirmDeletion))
	r.POST(one+"/delete", c.Page(group.Delete))

	appRoutes(r, c)

	providers, provider, of := signin.Providers{Console: c}, signin.Provider{Console: c}, shell.SignIn+"/:provider"
	r.GET(shell.SignIn, c.Page(providers.Page))
	r.GET(shell.SignIn+"/new", c.Page(provider.New))
	r.POST(shell.SignIn+"/add", c.Page(provider.Add))
	r.GET(of, c.Page(provider.Page))
	r.POST(of+"/save", c.Page(provider.Save))
	r.GET(of+"/remove", c.Page(provider.ConfirmRemoval))
	r.POST(of+"/remove", c.Page(provider.Remove))

	r.GET(shell.Activity, c.Page(activity.Attempts{Console: c}.Page))
	r.GET(shell.Activity+"/history", c.Page(activity.History{Console: c}.Page))

	integrationRoutes(r, c)

	holders := administrators.List{Console: c}
	r.GET(shell.Administrators, c.Page(holders.Page))
	r.POST(shell.Administrators+"/grant", c.Page(holders.Grant))
	r.POST(shell.Administrators+"/revoke", c.Page(holders.Revoke))
	keys := administrators.Keys{Console: c}
	r.GET(shell.Administrators+"/keys", c.Page(keys.Page))
	r.POST(shell.Administrators+"/keys/create", c.Page(keys.Create))
	r.POST(shell.Administrators+"/keys/revoke", c.Page(keys.Revoke))

	about := server.About{Console: c}
	r.GET(shell.Server, c.Page(about.Page))
	r.GET(shell.Server+"/rotate", c.Page(about.ConfirmRotation))
	r.POST(shell.Server+"/rotate", c.Page(about.Rotate))
}

func peopleRoutes(r gin.IRoutes, c shell.Console) {
	r.GET(shell.People, c.Page(people.List{Console: c}.Page))
	added := people.New{Console: c}
	r.GET(shell.People+"/new", c.Page(added.Page))
	r.POST(shell.People+"/invite", c.Page(added.Invite))
	r.POST(shell.People+"/create", c.Page(added.Create))
	invitations := people.Invitations{Console: c}
	r.GET(shell.People+"/invitations", c.Page(invitations.Page))
	r.POST(shell.People+"/invitations/revoke", c.Page(invitations.Revoke))

	person, one := people.Person{Console: c}, shell.People+"/:id"
	emails, memberships := people.Emails{Person: person}, people.Memberships{Person: person}
	recovery, erasure := people.Recovery{Person: person}, people.Erasure{Person: person}
	r.GET(one, c.Page(person.Page))
	r.GET(one+"/view", c.Page(people.Seen{Person: person}.Page))
	r.POST(one+"/save", c.Page(person.Save()))
	r.POST(one+"/disable", c.Page(person.Disable()))
	r.POST(one+"/enable", c.Page(person.Enable()))
	r.POST(one+"/unlock", c.Page(person.Unlock()))
	r.POST(one+"/sign-out", c.Page(person.SignOut()))
	r.POST(one+"/end-session", c.Page(person.EndSession()))
	r.POST(one+"/end-grant", c.Page(person.EndGrant()))
	r.POST(one+"/add-email", c.Page(emails.Add()))
	r.POST(one+"/remove-email", c.Page(emails.Remove()))
	r.POST(one+"/prefer-email", c.Page(emails.Prefer()))
	r.POST(one+"/join", c.Page(memberships.Join()))
	r.POST(one+"/leave", c.Page(memberships.Leave()))
	r.POST(one+"/grant-role", c.Page(memberships.GrantRole()))
	r.POST(one+"/revoke-role", c.Page(memberships.RevokeRole()))
	r.POST(one+"/grant-admin", c.Page(memberships.GrantAdmin()))
	r.POST(one+"/revoke-admin", c.Page(memberships.RevokeAdmin()))
	r.POST(one+"/reset-link", c.Page(recovery.ResetLink))
	r.GET(one+"/reset-factors", c.Page(recovery.ConfirmReset))
	r.POST(one+"/reset-factors", c.Page(recovery.ResetFactors()))
	r.GET(one+"/erase", c.Page(erasure.Confirm))
	r.POST(one+"/erase", c.Page(erasure.Erase))
}

func appRoutes(r gin.IRoutes, c shell.Console) {
	r.GET(shell.Apps, c.Page(apps.List{Console: c}.Page))
	added := apps.New{Console: c}
	r.GET(shell.Apps+"/new", c.Page(added.Page))
	r.POST(shell.Apps+"/create", c.Page(added.Create))

	// the client_id, which may be a URL, is a parameter
	app, one := apps.App{Console: c}, shell.Apps+"/app"
	r.GET(one, c.Page(app.Page))
	r.POST(one+"/save", c.Page(app.Save))
	r.POST(one+"/save-access", c.Page(app.SaveAccess))
	r.POST(one+"/rotate", c.Page(app.Rotate))
	r.GET(one+"/delete", c.Page(app.ConfirmDeletion))
	r.POST(one+"/delete", c.Page(app.Delete))

	r.GET(one+"/preview", c.Page(apps.Preview{Console: c}.Page))
	r.GET(one+"/test", c.Page(apps.Trial{Console: c}.Page))

	r.GET(refusals.Path, c.Page(refusals.List{Console: c}.Page))
	refused := refusals.Refusal{Console: c}
	r.GET(refusals.Path+"/:reference", c.Page(refused.Page))
	r.POST(refusals.Path+"/:reference/mend", c.Page(refused.Mend))
}

func integrationRoutes(r gin.IRoutes, c shell.Console) {
	r.GET(shell.Integrations, c.Page(integrations.List{Console: c}.Page))
	added := integrations.New{Console: c}
	r.GET(shell.Integrations+"/new", c.Page(added.Page))
	r.POST(shell.Integrations+"/create", c.Page(added.Create))

	webhook, one := integrations.Webhook{Console: c}, shell.Integrations+"/webhooks/:webhook"
	r.GET(one, c.Page(webhook.Page))
	r.POST(one+"/save", c.Page(webhook.Save))
	r.POST(one+"/test", c.Page(webhook.Test()))
	r.POST(one+"/resend", c.Page(webhook.Resend()))
	r.POST(one+"/resend-since", c.Page(webhook.ResendSince))
	r.POST(one+"/rotate", c.Page(webhook.Rotate))
	r.POST(one+"/disable", c.Page(webhook.Disable()))
	r.POST(one+"/enable", c.Page(webhook.Enable()))
	r.GET(one+"/delete", c.Page(webhook.ConfirmDeletion))
	r.POST(one+"/delete", c.Page(webhook.Delete))

	logouts := integrations.Logouts{Console: c}
	r.GET(shell.Integrations+"/logouts", c.Page(logouts.Page))
	r.POST(shell.Integrations+"/logouts/resend", c.Page(logouts.Resend))
}
