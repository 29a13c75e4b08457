// Package integrations is the part of the console that is about the programs elsewhere that are told of what happens
// here: webhooks, and the apps that are told of a logout. Begin with List.
package integrations

import (
	"embed"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

const (
	webhooksPath = shell.Integrations + "/webhooks"
	logoutsPath  = shell.Integrations + "/logouts"
)

// address is the page of a webhook.
func address(id string) string { return webhooksPath + "/" + url.PathEscape(id) }

// unprocessable is the status of a form that says what cannot be done.
const unprocessable = http.StatusUnprocessableEntity

// choice is something to choose from.
type choice struct {
	Value  string
	Label  locales.Key
	Chosen bool
}

// states are what deliveries may be chosen by; the one that is chosen is "" for any.
func states(chosen string, names ...string) []choice {
	choices := []choice{{Label: locales.Key("console.deliveries.any"), Chosen: chosen == ""}}
	for _, name := range names {
		choices = append(choices, choice{name, stateWords[name], name == chosen})
	}
	return choices
}

// stateWords are the words for the states that deliveries of webhooks and of logouts share.
var stateWords = map[string]locales.Key{
	webhooks.Pending:   locales.Key("console.deliveries.only_pending"),
	webhooks.Delivered: locales.Key("console.deliveries.only_delivered"),
	webhooks.Failed:    locales.Key("console.deliveries.only_failed"),
}

// lines are the words of a text field, one in a line.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
