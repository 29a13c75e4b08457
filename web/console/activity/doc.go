// Package activity is the part of the console that says what happened: the attempts to sign in, and the audit trail.
package activity

import (
	"embed"
	"net/url"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

// about is the person whose activity is looked at; uuid.Nil: everybody's.
func about(v *frame.Visit) uuid.UUID {
	id, _ := uuid.Parse(v.Form.Get("user"))
	return id
}

// begin leads to the beginning of a list whose address does not fit any more.
func begin(v *frame.Visit, page string) error {
	return v.RedirectWith(page, url.Values{"user": {v.Form.Get("user")}})
}
