package apps

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// setup is what an app needs to know, and how it is told.
type setup struct {
	Values []value
	Recipe string // of what the app is made with, if that is known
	Blocks []Block
}

// value is something to be copied.
type value struct {
	ID      string // of the field
	Label   locales.Key
	Text    string
	OneTime bool // it is shown this once
}

type createdPage struct {
	shell.Screen
	Name, URI string
	Setup     setup
}

// Template is that of the page.
func (createdPage) Template() (pages.Templates, string) { return templates, "created.html" }

// created is the page of an app that was just registered, with its secret, which is shown this once.
func (h New) created(v *frame.Visit, by manage.Caller, app *registered, recipe string, origin *url.URL) createdPage {
	where := ""
	if origin != nil {
		where = strings.TrimSuffix(origin.String(), "/")
	}
	return createdPage{
		Screen: h.Screen(v, by, shell.Apps), Name: app.Name, URI: Address(app.ID),
		Setup: setupOf(h.Console, app, recipe, where),
	}
}

// setupOf is what an app needs to know.
func setupOf(c shell.Console, app *registered, recipe, origin string) setup {
	issuer := c.Provider.Issuer
	s := setup{Values: []value{
		{ID: "issuer", Label: locales.Key("console.apps.issuer"), Text: issuer},
		{ID: "client-id", Label: locales.Key("console.apps.client_id"), Text: app.ID},
	}}
	if app.Notes.ClientSecret != "" {
		s.Values = append(s.Values, value{"secret", locales.Key("console.apps.client_secret"), app.Notes.ClientSecret, true})
	}
	if len(app.RedirectURIs) > 0 {
		s.Values = append(s.Values, value{
			ID: "redirect-uri", Label: locales.Key("console.apps.redirect_uri"), Text: app.RedirectURIs[0],
		})
	}
	s.Values = append(s.Values, value{
		ID: "discovery", Label: locales.Key("console.apps.discovery"), Text: issuer + oidc.PathConfiguration,
	})
	if made := recipeNamed(recipe); made != nil && made.kind == kindOf(app.Client).Name {
		s.Recipe = made.Title
		s.Blocks = made.blocks(values{issuer, app.ID, app.Notes.ClientSecret, origin})
	}
	return s
}

// scopesFor are the scopes that an app is registered for: those of every day, and those that it wants. Roles and groups
// are told to those alone that want them.
func scopesFor(wanted []string, tellGroups bool) string {
	scopes := oidc.EverydayScopes()
	if tellGroups {
		wanted = append(slices.Clone(wanted), oidc.RolesScope, oidc.GroupsScope)
	}
	for _, scope := range wanted {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return strings.Join(scopes, " ")
}
