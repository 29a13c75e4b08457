package groups

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/groups"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// List is the page of all groups, where one can be made.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Groups        []groups.Listed
	Newest, Older string
	Slug, Name    string // as they were typed
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows them by slug.
func (h List) Page(v *frame.Visit, by manage.Caller) error {
	return h.show(v, by, http.StatusOK, listPage{Screen: h.Screen(v, by, shell.Groups)})
}

func (h List) show(v *frame.Visit, by manage.Caller, status int, page listPage) error {
	found, err := h.Groups.List(v.Context(), by, manage.Part{Cursor: v.Gin.Query("cursor"), Limit: 100})
	if known := v.Language.Refusal(err); known != "" {
		return v.Redirect(shell.Groups)
	} else if err != nil {
		return err
	}
	page.Groups, page.Newest, page.Older = found.Items, shell.Newest(v), shell.Older(v, found.Next)
	return v.Show(status, page)
}

// Create makes a group.
func (h List) Create(v *frame.Visit, by manage.Caller) error {
	slug, settings := v.Form.Get("slug"), groups.Settings{Name: v.Form.Get("name")}
	_, err := h.Groups.Put(v.Context(), by, slug, settings, "", true)
	if failure := v.Language.Refusal(err); failure != "" {
		page := listPage{Screen: h.Screen(v, by, shell.Groups), Slug: slug, Name: settings.Name}
		page.Failure = failure
		return h.show(v, by, unprocessable, page)
	} else if err != nil {
		return err
	}
	return shell.Done(v, shell.Groups+"/"+slug, "group-created")
}
