package integrations

import (
	"net/http"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/storage/outgoing"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// List is the page of all webhooks.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Webhooks []row
}

// row is a webhook in the list.
type row struct {
	ID, URI, Host, Description, Types string
	State                             state
}

// state is how a webhook fares, in words.
type state struct {
	Text string
	Bad  bool
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows them.
func (h List) Page(v *frame.Visit, by manage.Caller) error {
	found, err := h.Webhooks.List(v.Context(), by)
	if err != nil {
		return err
	}
	page := listPage{Screen: h.Screen(v, by, shell.Integrations)}
	for i := range found {
		w := &found[i]
		page.Webhooks = append(page.Webhooks, row{
			ID: w.ID, URI: address(w.ID), Host: outgoing.HostOf(w.URL), Description: w.Description,
			Types: strings.Join(w.Types, ", "), State: h.state(v, w),
		})
	}
	return v.Show(http.StatusOK, page)
}

var reasons = map[string]locales.Key{
	"failing": locales.Key("console.webhooks.off_failing"),
	"gone":    locales.Key("console.webhooks.off_gone"),
}

func (h List) state(v *frame.Visit, w *webhooks.Webhook) state {
	switch {
	case w.Disabled && w.DisabledReason != "":
		return state{v.Language.Text(reasons[w.DisabledReason]), true}
	case w.Disabled:
		return state{Text: v.Language.Text("console.webhooks.off")}
	case w.FailingSince != nil:
		return state{v.Language.Text("console.webhooks.failing", locales.Params{
			"Since": frame.Ago(v, h.Now(), *w.FailingSince),
		}), true}
	}
	return state{Text: v.Language.Text("console.webhooks.on")}
}
