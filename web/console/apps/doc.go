// Package apps is the part of the console that is about the apps that sign people in here. Begin with List.
package apps

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

//go:embed *.html
var files embed.FS

var templates = pages.Parse(shell.Files, files)

// onePage is the page of an app, whose client_id is a parameter: it may be a URL.
const onePage = shell.Apps + "/app"

// Address is the page of an app.
func Address(id string) string { return frame.WithParameters(onePage, url.Values{"id": {id}}) }

// unprocessable is the status of a form that says what cannot be done.
const unprocessable = http.StatusUnprocessableEntity

// failure is what a page says of a change of an app that cannot be made; "" for another error.
func failure(v *frame.Visit, err error) string {
	switch said := v.Language.Refusal(err); {
	case said != "":
		return said
	case errors.Is(err, clients.ErrClientChanged), errors.Is(err, clients.ErrClient):
		said = strings.TrimPrefix(err.Error(), clients.ErrClient.Error()+": ")
		first, size := utf8.DecodeRuneInString(said)
		return string(unicode.ToUpper(first)) + strings.TrimRight(said[size:], ".") + "."
	}
	return ""
}

// registered is an app as the verbs of administration show it.
type registered struct {
	*clients.Client

	ETag  string
	Notes Notes
}

// Notes are what nobody sets of an app.
type Notes struct {
	Origin              string     `json:"registered_by"`
	CreatedAt           time.Time  `json:"created_at"`
	ModifiedAt          time.Time  `json:"modified_at"`
	PreviousSecretUntil *time.Time `json:"previous_secret_until"`
	ClientSecret        string     `json:"client_secret"` // of one that just got it
}

// read reads what is shown of an app.
func read(object apps.Client) (*registered, error) {
	client, _, err := clients.ReadMetadata(object)
	if err != nil {
		return nil, err
	}
	seen := &registered{Client: client, ETag: manage.ETag(object)}
	if err := json.Unmarshal(object, &seen.Notes); err != nil {
		return nil, err
	}
	client.Origin = seen.Notes.Origin
	return seen, nil
}

// lines are the lines of a text field, without those that are empty.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
