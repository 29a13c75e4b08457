package overview

import (
	"net/http"
	"strconv"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Overview is the first page of the console.
type Overview struct{ shell.Console }

type overviewPage struct {
	shell.Screen
	Steps    []step // that are left; empty: the server is ready
	Done     int    // how many are not left
	People   string
	SignIns  int64 // within the hours of the chart
	Failures int64
	Chart    *chart
	Attempts []history.Attempt
	Lines    []history.Line
}

// Template is that of the page.
func (overviewPage) Template() (pages.Templates, string) { return templates, "overview.html" }

// recent is how many attempts and lines are shown.
const recent = 8

// Page shows it.
func (h Overview) Page(v *frame.Visit, by manage.Caller) error {
	page := overviewPage{Screen: h.Screen(v, by, shell.Overview)}
	for _, read := range []func(*frame.Visit, manage.Caller, *overviewPage) error{h.steps, h.people, h.activity} {
		if err := read(v, by, &page); err != nil {
			return err
		}
	}
	return v.Show(http.StatusOK, page)
}

func (h Overview) people(v *frame.Visit, by manage.Caller, page *overviewPage) error {
	n, exact, err := h.People.Count(v.Context(), by)
	if err != nil {
		return err
	}
	page.People = strconv.FormatInt(n, 10)
	if !exact {
		page.People = v.Language.Text("console.overview.about", locales.Params{"N": n})
	}
	return nil
}

func (h Overview) activity(v *frame.Visit, by manage.Caller, page *overviewPage) error {
	if !page.May(manage.ReadAuditTrail) {
		return nil
	}
	ctx := v.Context()
	hours, err := h.Activity.Hours(ctx, by, chartHours)
	if err != nil {
		return err
	}
	for _, hour := range hours {
		page.SignIns += hour.Success
		page.Failures += hour.Failures
	}
	page.Chart = newChart(v, hours)
	attempts, err := h.Activity.Attempts(ctx, by, activity.AttemptFilter{}, manage.Part{Limit: recent})
	if err != nil {
		return err
	}
	lines, err := h.Activity.Entries(ctx, by, activity.EntryFilter{}, manage.Part{Limit: recent})
	if err != nil {
		return err
	}
	names, err := h.People.Usernames(ctx, by, history.People(lines.Items, attempts.Items))
	if err != nil {
		return err
	}
	page.Attempts = history.Attempts(v, h.Now(), attempts.Items, names)
	page.Lines = history.Lines(v, h.Now(), lines.Items, names, true)
	return nil
}
