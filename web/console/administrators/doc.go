// Package administrators is the part of the console that says who administers this server: people and apps with
// administrative roles, and API keys. Begin with List.
package administrators

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
