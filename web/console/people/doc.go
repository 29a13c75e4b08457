// Package people is the part of the console that is about the people of this server, a file for each page. Begin with
// List.
package people

import (
	"embed"
	"net/http"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

// address is the page of a person.
func address(id uuid.UUID) string { return shell.People + "/" + id.String() }

// personID is whom the request is about.
func personID(v *frame.Visit) (uuid.UUID, error) {
	id, err := uuid.Parse(v.Gin.Param("id"))
	if err != nil {
		return id, frame.ErrNotFound
	}
	return id, nil
}

// unprocessable is the status of a form that says what cannot be done.
const unprocessable = http.StatusUnprocessableEntity
