package apps

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// App is the page of one app.
type App struct{ shell.Console }

type appPage struct {
	shell.Screen
	App        *clients.Client
	Mark       pages.App
	Kind       locales.Key
	Seen       string // the entity tag of the app as the page shows it
	Registered string // when it was
	Origin     locales.Key
	IsDocument bool // it is what a document elsewhere says
	Fields     fields
	Scopes     []choice // of this server
	GrantTypes []choice
	Listed     bool
	Groups     []choice
	Told       []pages.Scope // what it may be told, in words
	Setup      setup
	Recipes    []recipe
	Recipe     string

	PreviousSecretUntil string // how long the secret before is good, too; or ""
	SignIns             []signIn
	Refusals            []history.Refusal
	Lines               []history.Line
}

// signIn is that somebody has signed in to the app.
type signIn struct {
	Username, URI, Device string
	Ended                 bool
	history.When
}

// Template is that of the page.
func (appPage) Template() (pages.Templates, string) { return templates, "app.html" }

// origins say by whom an app was registered.
var origins = map[string]locales.Key{
	clients.OriginOperator: locales.Key("console.apps.by_operator"),
	clients.OriginToken:    locales.Key("console.apps.by_token"),
	clients.OriginOpen:     locales.Key("console.apps.by_anybody"),
	clients.OriginDocument: locales.Key("console.apps.by_document"),
}

// Page shows an app.
func (h App) Page(v *frame.Visit, by manage.Caller) error {
	return h.show(v, by, v.Form.Get("id"), http.StatusOK, "", nil)
}

// show shows an app; typed are the fields of a form that could not be taken.
func (h App) show(v *frame.Visit, by manage.Caller, id string, status int, failure string, typed *fields) error {
	found, err := h.Apps.Client(v.Context(), by, id)
	if err != nil {
		return err
	}
	app, err := read(found)
	if err != nil {
		return err
	}
	page := appPage{
		Screen: h.Screen(v, by, shell.Apps), App: app.Client, Mark: newRow(app.Client).App, Kind: kindOf(app.Client).Title,
		Seen: app.ETag, Registered: v.Language.Moment(app.Notes.CreatedAt), Origin: origins[app.Notes.Origin],
		IsDocument: app.Notes.Origin == clients.OriginDocument, Fields: fieldsOf(app.Client),
		Listed: app.Access == access.Listed,
	}
	page.Failure = failure
	if typed != nil {
		page.Fields, page.Seen = *typed, v.Form.Get("seen")
	}
	if until := app.Notes.PreviousSecretUntil; until != nil {
		page.PreviousSecretUntil = v.Language.Moment(*until)
	}
	for _, name := range app.Scopes {
		page.Told = append(page.Told, frame.ScopeView(v.Language, name))
	}
	page.choose()
	page.setUp(h.Console, v, app)
	if page.Groups, err = groupChoices(h.Console, v, by, app.AccessGroups); err != nil {
		return err
	}
	if err := errors.Join(h.signIns(v, by, &page), h.happened(v, by, &page)); err != nil {
		return err
	}
	return v.Show(status, page)
}

// choose makes the boxes that can be ticked.
func (p *appPage) choose() {
	for _, scope := range oidc.Scopes {
		p.Scopes = append(p.Scopes, choice{scope.Name, scope.Name, slices.Contains(p.Fields.Scopes, scope.Name)})
	}
	for _, name := range p.Fields.Scopes {
		if !oidc.IsOwnScope(name) {
			p.Scopes = append(p.Scopes, choice{name, name, true})
		}
	}
	for _, name := range oidc.GrantTypes {
		short := name[strings.LastIndex(name, ":")+1:]
		p.GrantTypes = append(p.GrantTypes, choice{name, short, slices.Contains(p.Fields.GrantTypes, name)})
	}
}

// setUp says what the app needs to know, and how it is told where it is made with what was chosen.
func (p *appPage) setUp(c shell.Console, v *frame.Visit, app *registered) {
	p.Recipe = v.Form.Get("recipe")
	p.Recipes = recipesFor(kindOf(app.Client).Name)
	origin := ""
	if len(app.RedirectURIs) > 0 {
		origin = oidc.OriginOf(app.RedirectURIs[0])
	}
	p.Setup = setupOf(c, app, p.Recipe, origin)
}

// few is how much is shown of what happened lately.
const few = 5

// signIns reads who has signed in to the app lately.
func (h App) signIns(v *frame.Visit, by manage.Caller, page *appPage) error {
	found, err := h.Apps.SignIns(v.Context(), by, page.App.ID, few)
	for _, s := range found {
		page.SignIns = append(page.SignIns, signIn{
			s.Username, shell.People + "/" + s.UserID.String(), s.Device, s.EndedAt != nil, history.NewWhen(v, h.Now(), s.At),
		})
	}
	return err
}

// happened reads what was refused to the app and what was done to it lately.
func (h App) happened(v *frame.Visit, by manage.Caller, page *appPage) error {
	refused, err := h.Refusals.List(v.Context(), by, refusals.Filter{ClientID: page.App.ID}, manage.Part{Limit: few})
	if err != nil {
		return err
	}
	page.Refusals = history.Refusals(v, h.Now(), refused.Items, nil)
	for i := range page.Refusals { // which app is clear
		page.Refusals[i].Detail = strings.TrimPrefix(page.Refusals[i].Detail, page.App.ID+" · ")
	}
	if !page.May(manage.ReadAuditTrail) {
		return nil
	}
	filter := activity.EntryFilter{Entity: "client", EntityID: page.App.ID}
	lines, err := h.Activity.Entries(v.Context(), by, filter, manage.Part{Limit: few})
	if err != nil {
		return err
	}
	names, err := h.People.Usernames(v.Context(), by, history.People(lines.Items, nil))
	page.Lines = history.Lines(v, h.Now(), lines.Items, names, false)
	return err
}

// RefusalsURI is where all that was refused to the app is listed.
func (p appPage) RefusalsURI() string {
	return frame.WithParameters(history.RefusalsPath, url.Values{"client": {p.App.ID}})
}

// LogoutsURI is where it is listed of which logouts the app was told, or "" where it is told of none.
func (p appPage) LogoutsURI() string {
	if p.App.BackchannelLogoutURI == "" {
		return ""
	}
	return frame.WithParameters(shell.Integrations+"/logouts", url.Values{"client": {p.App.ID}})
}

// HistoryURI is where all that was done to the app is listed.
func (p appPage) HistoryURI() string {
	return frame.WithParameters(shell.Activity+"/history", url.Values{"entity": {"client"}, "entity_id": {p.App.ID}})
}

// DeletionURI is where the app is deleted.
func (p appPage) DeletionURI() string {
	return frame.WithParameters(onePage+"/delete", url.Values{"id": {p.App.ID}})
}
