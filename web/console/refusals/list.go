// Package refusals is the part of the console that says what apps and people were refused, and why, and mends what one
// change of an app mends. Begin with List.
package refusals

import (
	"embed"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
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

// Path is where refusals are.
const Path = history.RefusalsPath

// List is the page of what was refused.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Client, ClientName, User string // whose refusals are shown; empty: everybody's
	Reference                string // as it was typed
	Places                   []place
	Refusals                 []history.Refusal
	Newest, Older            string
}

type place struct {
	Name   string
	Label  locales.Key
	Chosen bool
}

// part is where refusals are for somebody: with what else happened, or with the apps for who sees nothing else of it.
func part(by manage.Caller) string {
	if by.Demand(manage.ReadAuditTrail) != nil {
		return shell.Apps
	}
	return shell.Activity
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows them, the newest first, or those that are looked for. One that is looked for by its whole reference is
// shown at once.
func (h List) Page(v *frame.Visit, by manage.Caller) error {
	filter := refusals.Filter{
		ClientID: v.Form.Get("client"), Reference: v.Form.Get("reference"), Where: v.Form.Get("where"),
	}
	filter.UserID, _ = uuid.Parse(v.Form.Get("user"))
	found, err := h.Refusals.List(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 50})
	if known := v.Language.Refusal(err); known != "" { // the address was written by hand, or is old
		return v.Redirect(Path)
	} else if err != nil {
		return err
	}
	names := make(map[string]string)
	for _, r := range found.Items {
		if _, known := names[r.ClientID]; !known && r.ClientID != "" {
			names[r.ClientID] = ""
			if client, err := h.Clients.ByID(v.Context(), r.ClientID); err == nil {
				names[r.ClientID] = client.Name
			}
		}
	}
	page := listPage{
		Screen: h.Screen(v, by, part(by)), Client: filter.ClientID, User: v.Form.Get("user"),
		Reference: filter.Reference, Refusals: history.Refusals(v, h.Now(), found.Items, names),
		Newest: shell.Newest(v), Older: shell.Older(v, found.Next),
	}
	if page.ClientName = names[filter.ClientID]; page.ClientName == "" {
		page.ClientName = filter.ClientID
	}
	for _, name := range refusals.Places {
		page.Places = append(page.Places, place{name, history.PlaceWords[name], name == filter.Where})
	}
	return v.Show(http.StatusOK, page)
}
