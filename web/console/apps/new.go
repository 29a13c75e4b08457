package apps

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// New is where an app is registered: which kind it is, what it is called and where it is, and who may use it.
type New struct{ shell.Console }

type newPage struct {
	shell.Screen
	Kinds   []kind
	Kind    *kind // nil: it is to be chosen
	Recipes []recipe
	Groups  []choice
	APIs    []apps.API // that one that acts by itself may ask for

	// as they were typed
	ID, Name, Address, Recipe, RedirectURIs, API string
	Listed, TellGroups                           bool
}

// choice is something to be ticked.
type choice struct {
	Value, Label string
	Chosen       bool
}

// Template is that of the page.
func (newPage) Template() (pages.Templates, string) { return templates, "new.html" }

// Page asks which kind of app it is, and for the rest then.
func (h New) Page(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	return h.show(v, by, http.StatusOK, newPage{Kind: kindNamed(v.Form.Get("kind")), ID: uuid.NewString()}, "")
}

func (h New) show(v *frame.Visit, by manage.Caller, status int, page newPage, failure string) error {
	page.Screen, page.Kinds = h.Screen(v, by, shell.Apps), kinds
	page.Failure = failure
	if page.Kind == nil {
		return v.Show(status, page)
	}
	page.Recipes = recipesFor(page.Kind.Name)
	var err error
	if page.Groups, err = groupChoices(h.Console, v, by, v.Form["group"]); err != nil {
		return err
	}
	if page.Kind.Name == "machine" {
		if page.APIs, err = h.Apps.ListAPIs(v.Context(), by); err != nil {
			return err
		}
	}
	return v.Show(status, page)
}

// shownGroups are how many groups can be chosen on a page.
const shownGroups = 200

// groupChoices are the groups that may be given access, for those who may see them; those that are chosen come first.
func groupChoices(c shell.Console, v *frame.Visit, by manage.Caller, chosen []string) (choices []choice, err error) {
	listed := make(map[string]bool)
	for _, slug := range chosen {
		listed[slug] = true
	}
	found, err := c.Groups.List(v.Context(), by, manage.Part{Limit: shownGroups})
	if err != nil {
		return nil, err
	}
	var others []choice
	for _, g := range found.Items {
		if listed[g.Slug] {
			choices = append(choices, choice{g.Slug, g.Name, true})
			delete(listed, g.Slug)
			continue
		}
		others = append(others, choice{g.Slug, g.Name, false})
	}
	for slug := range listed { // beyond those that are shown
		choices = append(choices, choice{slug, slug, true})
	}
	return append(choices, others...), nil
}

// Create registers an app, and shows what it needs to know. What is sent a second time finds the app there.
func (h New) Create(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	page := newPage{
		Kind: kindNamed(v.Form.Get("kind")), ID: v.Form.Get("client_id"), Name: v.Form.Get("name"),
		Address: strings.TrimSpace(v.Form.Get("address")), Recipe: v.Form.Get("recipe"),
		RedirectURIs: v.Form.Get("redirect_uris"), API: v.Form.Get("api"),
		Listed: v.Form.Get("access") == access.Listed, TellGroups: v.Form.Get("tell_groups") == "yes",
	}
	if page.Kind == nil {
		return v.Redirect(shell.Apps + "/new")
	}
	origin, wrong := page.origin()
	if wrong {
		return h.show(v, by, unprocessable, page, v.Language.Text("console.apps.wrong_address"))
	}
	object, err := json.Marshal(page.metadata(origin, v.Form["group"]))
	if err != nil {
		return err
	}
	made, _, err := h.Apps.PutClient(v.Context(), by, page.ID, object, "", true)
	if errors.Is(err, manage.ErrExists) || errors.Is(err, clients.ErrClientExists) {
		return v.Redirect(Address(page.ID))
	} else if said := failure(v, err); said != "" {
		return h.show(v, by, unprocessable, page, said)
	} else if err != nil {
		return err
	}
	app, err := read(made)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, h.created(v, by, app, page.Recipe, origin))
}

// origin is where the app is, as it was typed; nil: nothing was. It tells whether that is no address.
func (p *newPage) origin() (origin *url.URL, wrong bool) {
	if p.Address == "" || !p.Kind.HasOrigin {
		return nil, false
	}
	typed := p.Address
	if !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	origin, err := url.Parse(typed)
	if err != nil || origin.Host == "" || origin.RawQuery != "" || origin.Fragment != "" || origin.User != nil {
		return nil, true
	}
	return origin, false
}

// metadata is what the app is registered with. Redirect URIs that were not typed are where such an app expects people
// back, by its recipe, or as the kind's example has it.
func (p *newPage) metadata(origin *url.URL, groups []string) map[string]any {
	redirects, wanted := lines(p.RedirectURIs), []string(nil)
	registered := map[string]any{"client_name": p.Name, "grant_types": p.Kind.grantTypes}
	recipe := recipeNamed(p.Recipe)
	switch {
	case origin == nil:
	case recipe == nil || recipe.kind != p.Kind.Name:
		if len(redirects) == 0 {
			redirects = []string{p.Kind.at(origin)}
		}
	default:
		redirect, bye := recipe.at(origin)
		if len(redirects) == 0 {
			redirects = []string{redirect}
		}
		if bye != "" {
			registered["post_logout_redirect_uris"] = []string{bye}
		}
		wanted = recipe.scopes
	}
	if origin != nil && origin.Scheme == "https" {
		registered["client_uri"] = origin.String()
	}
	if p.Kind.Redirects {
		registered["redirect_uris"] = redirects
	}
	for name, value := range map[string]string{
		"token_endpoint_auth_method": p.Kind.authMethod, "application_type": p.Kind.applicationType,
	} {
		if value != "" {
			registered[name] = value
		}
	}
	if p.API != "" && p.Kind.Name == "machine" {
		registered["apis"] = []string{p.API}
	}
	if p.Kind.Name != "machine" {
		registered["scope"] = scopesFor(wanted, p.TellGroups)
		registered["access"] = access.Everyone
		if p.Listed {
			registered["access"], registered["access_groups"] = access.Listed, groups
		}
	}
	return registered
}
