package integrations

import (
	"slices"
	"strings"

	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/web/frame"
)

// fields are what may be chosen of a webhook, as a form has it.
type fields struct {
	URL, Description string
	All              bool   // it is told of everything
	Nouns            []noun // of all that happens to one of these
	Others           string // types of their own, one in a line
	Values           bool
}

// noun is what events are about.
type noun struct {
	Name   string
	Chosen bool
}

// anything of a noun is how a webhook chooses it.
const anything = ".*"

// nouns are what events are about, in the order of the catalogue.
var nouns = func() (all []string) {
	for _, name := range events.Names() {
		if noun, _, _ := strings.Cut(name, "."); !slices.Contains(all, noun) {
			all = append(all, noun)
		}
	}
	return all
}()

// fieldsOf are the fields of settings.
func fieldsOf(settings webhooks.WebhookSettings) fields {
	f := fields{URL: settings.URL, Description: settings.Description, Values: settings.Values}
	var others []string
	chosen := map[string]bool{}
	for _, choice := range settings.Types {
		name, isNoun := strings.CutSuffix(choice, anything)
		switch {
		case choice == events.AllTypes:
			f.All = true
		case isNoun && slices.Contains(nouns, name):
			chosen[name] = true
		default:
			others = append(others, choice)
		}
	}
	for _, name := range nouns {
		f.Nouns = append(f.Nouns, noun{name, chosen[name]})
	}
	f.Others = strings.Join(others, "\n")
	return f
}

// typed are the settings that a form has.
func typed(v *frame.Visit) webhooks.WebhookSettings {
	settings := webhooks.WebhookSettings{
		URL: strings.TrimSpace(v.Form.Get("url")), Description: strings.TrimSpace(v.Form.Get("description")),
		Values: v.Form.Get("values") == "yes",
	}
	if v.Form.Get("which") == "all" {
		settings.Types = []string{events.AllTypes}
		return settings
	}
	for _, name := range v.Form["noun"] {
		settings.Types = append(settings.Types, name+anything)
	}
	settings.Types = append(settings.Types, lines(v.Form.Get("others"))...)
	return settings
}
