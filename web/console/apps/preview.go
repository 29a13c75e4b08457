package apps

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Preview is the page that tells what an app is told of a person.
type Preview struct{ shell.Console }

type previewPage struct {
	shell.Screen
	App    *clients.Client
	URI    string // of the app's page
	Who    string // as it was typed
	Scopes []choice
	Shown  *told
}

// told is what the app would be told of somebody now.
type told struct {
	Username, URI string
	Allowed       bool
	Claims        []claim
}

// claim is one of them, and by which ways it is told.
type claim struct {
	Name, Value       string
	IDToken, Userinfo bool
}

// Template is that of the page.
func (previewPage) Template() (pages.Templates, string) { return templates, "preview.html" }

// Page asks of whom, and shows what the app is told of them. That is in the audit trail each time.
func (h Preview) Page(v *frame.Visit, by manage.Caller) error {
	found, err := h.Apps.Client(v.Context(), by, v.Form.Get("id"))
	if err != nil {
		return err
	}
	app, err := read(found)
	if err != nil {
		return err
	}
	page := previewPage{
		Screen: h.Screen(v, by, shell.Apps), App: app.Client, URI: Address(app.ID), Who: v.Form.Get("who"),
	}
	asked := v.Form["scope"]
	for _, name := range app.Scopes {
		page.Scopes = append(page.Scopes, choice{name, name, len(asked) == 0 || slices.Contains(asked, name)})
	}
	if page.Who == "" {
		return v.Show(http.StatusOK, page)
	}
	if err := by.Demand(manage.ReadUsers); err != nil {
		return err
	}
	user, err := h.Identity.Users().Find(v.Context(), page.Who)
	if errors.Is(err, storage.ErrNotFound) {
		page.Failure = v.Language.Text("console.groups.no_such_person")
		return v.Show(unprocessable, page)
	} else if err != nil {
		return err
	}
	seen, err := h.Apps.Preview(v.Context(), by, app.ID, user.ID, asked)
	if err != nil {
		return err
	}
	page.Shown = &told{
		Username: user.Username, URI: shell.People + "/" + user.ID.String(), Allowed: seen.Allowed, Claims: claims(seen),
	}
	return v.Show(http.StatusOK, page)
}

// claims are those of both ways by name. What is told by both alike stands there once.
func claims(seen *apps.Preview) (all []claim) {
	names := maps.Clone(seen.IDToken)
	if names == nil {
		names = make(map[string]any)
	}
	maps.Copy(names, seen.Userinfo)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		inToken, isInToken := seen.IDToken[name]
		there, isThere := seen.Userinfo[name]
		switch {
		case isInToken && isThere && valueText(inToken) == valueText(there):
			all = append(all, claim{name, valueText(there), true, true})
			continue
		case isInToken:
			all = append(all, claim{Name: name, Value: valueText(inToken), IDToken: true})
		}
		if isThere {
			all = append(all, claim{Name: name, Value: valueText(there), Userinfo: true})
		}
	}
	return all
}

// valueText is the value of a claim as people read it.
func valueText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	encoded, _ := json.Marshal(value) // it came from JSON
	return string(encoded)
}

// PreviewURI is where it is told what an app is told of a person; who is their username, or "".
func PreviewURI(id, who string) string {
	values := url.Values{"id": {id}}
	if who != "" {
		values.Set("who", who)
	}
	return frame.WithParameters(onePage+"/preview", values)
}

// PreviewURI is where it is told what the app is told of people.
func (p appPage) PreviewURI() string { return PreviewURI(p.App.ID, "") }
