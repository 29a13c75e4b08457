package activity

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// History is the page of the audit trail.
type History struct{ shell.Console }

type historyPage struct {
	shell.Screen
	User, Entity, EntityID string
	Lines                  []history.Line
	Newest, Older          string
}

// Template is that of the page.
func (historyPage) Template() (pages.Templates, string) { return templates, "history.html" }

// Page shows its lines, the newest first.
func (h History) Page(v *frame.Visit, by manage.Caller) error {
	filter := activity.EntryFilter{
		UserID: about(v), Entity: v.Form.Get("entity"), EntityID: v.Form.Get("entity_id"),
	}
	found, err := h.Activity.Entries(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 30})
	if known := v.Language.Refusal(err); known != "" {
		return begin(v, shell.Activity+"/history")
	} else if err != nil {
		return err
	}
	names, err := h.People.Usernames(v.Context(), by, history.People(found.Items, nil))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, historyPage{
		Screen: h.Screen(v, by, shell.Activity), User: v.Form.Get("user"), Entity: filter.Entity, EntityID: filter.EntityID,
		Lines:  history.Lines(v, h.Now(), found.Items, names, true),
		Newest: shell.Newest(v), Older: shell.Older(v, found.Next),
	})
}
