// Package signin is the part of the console that is about how people sign in: the providers elsewhere. Begin with
// Providers.
package signin

import (
	"embed"
	"net/http"

	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

const unprocessable = http.StatusUnprocessableEntity
