// Package search is the part of the console that finds people, groups, apps and the console's own pages by what was
// typed into the field above every page.
package search

import (
	"embed"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

// Search is the page of what was found.
type Search struct{ shell.Console }

type searchPage struct {
	shell.Screen
	Query string
	Kinds []kind
}

// kind is what was found of one kind.
type kind struct {
	Label locales.Key
	Found []result
	More  string // where there may be more, or ""
}

type result struct{ URI, Name, Detail string }

// Template is that of the page.
func (searchPage) Template() (pages.Templates, string) { return templates, "search.html" }

// each is how many results there are of a kind.
const each = 5

// Page shows what was found.
func (h Search) Page(v *frame.Visit, by manage.Caller) error {
	page := searchPage{Screen: h.Screen(v, by, ""), Query: strings.TrimSpace(v.Form.Get("q"))}
	if page.Query == "" {
		return v.Show(http.StatusOK, page)
	}
	page.add(kind{Label: locales.Key("console.search.pages"), Found: h.pages(v, page)})
	for _, find := range []func(*frame.Visit, manage.Caller, *searchPage) error{h.people, h.apps, h.groups, h.refused} {
		if err := find(v, by, &page); err != nil {
			return err
		}
	}
	return v.Show(http.StatusOK, page)
}

func (p *searchPage) add(k kind) {
	if len(k.Found) > 0 {
		p.Kinds = append(p.Kinds, k)
	}
}

// pages are the parts of the console whose names begin with what was typed.
func (h Search) pages(v *frame.Visit, page searchPage) (found []result) {
	for _, link := range page.Links {
		name := v.Language.Text(link.Label)
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(page.Query)) {
			found = append(found, result{URI: link.URI, Name: name})
		}
	}
	return found
}

func (h Search) people(v *frame.Visit, by manage.Caller, page *searchPage) error {
	if !page.May(manage.ReadUsers) {
		return nil
	}
	found, err := h.People.List(v.Context(), by, people.Filter{Query: page.Query}, manage.Part{Limit: each})
	if err != nil {
		return err
	}
	k := kind{Label: locales.Key("console.people.title")}
	for _, user := range found.Items {
		person := pages.Person{Username: user.Username, Name: user.Name, Email: user.Email}
		k.Found = append(k.Found, result{shell.People + "/" + user.ID.String(), person.Display(), person.Account()})
	}
	if found.Next != "" {
		k.More = frame.WithParameters(shell.People, url.Values{"q": {page.Query}})
	}
	page.add(k)
	return nil
}

func (h Search) apps(v *frame.Visit, by manage.Caller, page *searchPage) error {
	if !page.May(manage.ReadClients) {
		return nil
	}
	found, err := h.Apps.ListClients(v.Context(), by, apps.ClientFilter{Query: page.Query}, manage.Part{Limit: each})
	if err != nil {
		return err
	}
	k := kind{Label: locales.Key("console.apps.title")}
	for _, client := range found.Items {
		var app struct {
			ID   string `json:"client_id"`
			Name string `json:"client_name"`
		}
		if err := json.Unmarshal(client, &app); err != nil {
			return err
		}
		k.Found = append(k.Found, result{
			frame.WithParameters(shell.Apps+"/app", url.Values{"id": {app.ID}}), app.Name, app.ID,
		})
	}
	page.add(k)
	return nil
}

func (h Search) groups(v *frame.Visit, by manage.Caller, page *searchPage) error {
	if !page.May(manage.ReadGroups) {
		return nil
	}
	group, err := h.Groups.Show(v.Context(), by, strings.ToLower(page.Query))
	if err != nil {
		return shell.Gone(err)
	}
	page.add(kind{
		Label: locales.Key("console.groups.title"), Found: []result{{shell.Groups + "/" + group.Slug, group.Name, group.Slug}},
	})
	return nil
}

// refused finds what was refused with the reference that somebody has read out.
func (h Search) refused(v *frame.Visit, by manage.Caller, page *searchPage) error {
	if !page.May(manage.ReadClients) || !refusals.MayBeReference(page.Query) {
		return nil
	}
	found, err := h.Refusals.List(v.Context(), by, refusals.Filter{Reference: page.Query}, manage.Part{Limit: each})
	if err != nil {
		return err
	}
	k := kind{Label: locales.Key("console.refusals.title")}
	for _, r := range history.Refusals(v, h.Now(), found.Items, nil) {
		k.Found = append(k.Found, result{r.URI, r.What, r.Detail})
	}
	page.add(k)
	return nil
}
