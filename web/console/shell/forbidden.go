package shell

import (
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/pages"
)

// noRole tells a person that they do not administer this server.
type noRole struct{ Screen }

// Template is that of the page.
func (noRole) Template() (pages.Templates, string) { return templates, "norole.html" }

// notAllowed tells a person that their role does not allow something.
type notAllowed struct {
	Screen
	Permission manage.Permission
	Reason     string // see manage.ForbiddenError
}

// Template is that of the page.
func (notAllowed) Template() (pages.Templates, string) { return templates, "notallowed.html" }
