// Package shell is what all pages of the console share: who may open them, what stands around them, and the pages that
// ask before something ends and that show a secret once. Begin with Console, whose method Page wraps a Handler for the
// router; a handler's view begins with a Screen.
package shell

import (
	"embed"

	"github.com/wicket-id/wicket/web/pages"
)

// Files are the layout and the parts of the console's pages, for pages.Parse.
//
//go:embed *.html
var Files embed.FS

var templates = pages.Parse(Files, Files)

// Path is where the console is.
const Path = "/console"
