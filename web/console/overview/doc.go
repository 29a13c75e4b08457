// Package overview is the first page of the console: what happens, and what is left to do before a new server is ready
// for real use. Begin with Overview.
package overview

import (
	"embed"

	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)
