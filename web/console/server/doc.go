// Package server is the part of the console that is about this server itself: its addresses and its signing keys. Begin
// with About.
package server

import (
	"embed"

	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)
