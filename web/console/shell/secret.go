package shell

import "github.com/wicket-id/wicket/web/pages"

// Secret shows something this once.
type Secret struct {
	Screen
	Title  string
	Text   string
	Label  string // what it is: "Link", "API key"
	Secret string
	Back   string // where to go on
}

// Template is that of the page.
func (Secret) Template() (pages.Templates, string) { return templates, "secret.html" }
