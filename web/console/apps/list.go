package apps

import (
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// List is the page of all apps.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Query         string
	Apps          []row
	Newest, Older string
}

// row is an app in the list.
type row struct {
	pages.App
	ID, URI  string
	Kind     locales.Key
	Everyone bool
	Listed   bool // it is for the people of some groups
	Stranger bool // it has registered itself
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows apps by name, or those that are looked for.
func (h List) Page(v *frame.Visit, by manage.Caller) error {
	filter := apps.ClientFilter{Query: v.Form.Get("q")}
	found, err := h.Apps.ListClients(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 50})
	if known := v.Language.Refusal(err); known != "" { // the address was written by hand, or is old
		return v.RedirectWith(shell.Apps, url.Values{"q": {filter.Query}})
	} else if err != nil {
		return err
	}
	page := listPage{
		Screen: h.Screen(v, by, shell.Apps), Query: filter.Query, Newest: shell.Newest(v), Older: shell.Older(v, found.Next),
	}
	for _, object := range found.Items {
		seen, err := read(object)
		if err != nil {
			return err
		}
		page.Apps = append(page.Apps, newRow(seen.Client))
	}
	return v.Show(http.StatusOK, page)
}

// newRow is an app in a list. Its logo is elsewhere, and who looks is nobody's business there.
func newRow(client *clients.Client) row {
	mark := *frame.AppView(client)
	mark.LogoURI = ""
	return row{
		App: mark, ID: client.ID, URI: Address(client.ID), Kind: kindOf(client).Title,
		Everyone: client.Access == access.Everyone, Listed: client.Access == access.Listed, Stranger: client.IsStranger(),
	}
}
