package shell

import "github.com/wicket-id/wicket/web/pages"

// Confirm asks before something that cannot be taken back. It posts Fields to Action; where there is something to type,
// also typed.
type Confirm struct {
	Screen
	Title  string
	Text   string
	Ends   []string // what will end with it
	Typed  string   // what to type, so that nobody presses the wrong button; "": nothing
	Action string
	Fields map[string]string
	Button string
	Back   string // the page where the person comes from
}

// Template is that of the page.
func (Confirm) Template() (pages.Templates, string) { return templates, "confirm.html" }
