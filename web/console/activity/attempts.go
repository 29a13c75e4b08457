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

// Attempts is the page of the attempts to sign in.
type Attempts struct{ shell.Console }

type attemptsPage struct {
	shell.Screen
	User, IP, Outcome string
	Attempts          []history.Attempt
	Newest, Older     string
}

// Template is that of the page.
func (attemptsPage) Template() (pages.Templates, string) { return templates, "attempts.html" }

// Page shows them, the newest first.
func (h Attempts) Page(v *frame.Visit, by manage.Caller) error {
	filter := activity.AttemptFilter{UserID: about(v), IP: v.Form.Get("ip"), Outcome: v.Form.Get("outcome")}
	found, err := h.Activity.Attempts(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 50})
	if known := v.Language.Refusal(err); known != "" {
		return begin(v, shell.Activity)
	} else if err != nil {
		return err
	}
	names, err := h.People.Usernames(v.Context(), by, history.People(nil, found.Items))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, attemptsPage{
		Screen: h.Screen(v, by, shell.Activity), User: v.Form.Get("user"), IP: filter.IP, Outcome: filter.Outcome,
		Attempts: history.Attempts(v, h.Now(), found.Items, names),
		Newest:   shell.Newest(v), Older: shell.Older(v, found.Next),
	})
}
