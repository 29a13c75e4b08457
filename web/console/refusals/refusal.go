package refusals

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Refusal is the page that explains one refusal.
type Refusal struct{ shell.Console }

type refusalPage struct {
	shell.Screen
	*refusals.Explained
	URI          string
	Seen         string // the entity tag of the refusal as the page shows it
	Explanation  string
	Place        string
	History      history.When
	App, AppURI  string // App: its name; AppURI: "", where it is not there any more
	PersonURI    string
	Username     string
	Change       string // what would let it in, in words; "": nothing does
	Added        []string
	TypedNewHost string
}

// Template is that of the page.
func (refusalPage) Template() (pages.Templates, string) { return templates, "refusal.html" }

// Page shows it.
func (h Refusal) Page(v *frame.Visit, by manage.Caller) error {
	return h.show(v, by, http.StatusOK, "")
}

func (h Refusal) show(v *frame.Visit, by manage.Caller, status int, failure string) error {
	found, err := h.Refusals.Explain(v.Context(), by, v.Gin.Param("reference"))
	if err != nil {
		return err
	}
	page := refusalPage{
		Screen: h.Screen(v, by, part(by)), Explained: found, URI: address(found.Reference), Seen: manage.ETag(found),
		Explanation: found.Description, Place: history.Place(v, found.Where), History: history.NewWhen(v, h.Now(), found.At),
		App: found.ClientID, TypedNewHost: v.Form.Get("new_host"),
	}
	page.Failure = failure
	if found.Because != nil {
		page.Explanation = v.Language.Refusal(found.Because)
	}
	if found.ClientID != "" {
		if client, err := h.Clients.ByID(v.Context(), found.ClientID); err == nil {
			page.App, page.AppURI = client.Name, frame.WithParameters(shell.Apps+"/app", url.Values{"id": {client.ID}})
		}
	}
	if found.UserID != nil {
		names, err := h.People.Usernames(v.Context(), by, []string{found.UserID.String()})
		if err != nil {
			return err
		}
		page.Username, page.PersonURI = names[found.UserID.String()], shell.People+"/"+found.UserID.String()
	}
	if change := found.Mend; change != nil && page.May(manage.WriteClients) {
		page.Change, page.Added = v.Language.Text(changes[change.Member]), change.Add
	}
	return v.Show(status, page)
}

// address is the page of a refusal.
func address(reference string) string { return Path + "/" + url.PathEscape(reference) }

// changes say in words what is changed.
var changes = map[string]locales.Key{
	"redirect_uris":             locales.Key("console.refusals.add_redirect_uri"),
	"post_logout_redirect_uris": locales.Key("console.refusals.add_post_logout_redirect_uri"),
	"allowed_origins":           locales.Key("console.refusals.add_origin"),
	"scope":                     locales.Key("console.refusals.add_scope"),
	"grant_types":               locales.Key("console.refusals.add_grant_type"),
	"response_types":            locales.Key("console.refusals.add_response_type"),
	"any_secret_method":         locales.Key("console.refusals.any_secret_method"),
}

// Mend makes the change of the app that lets in what was refused, where all is as the page has shown it.
func (h Refusal) Mend(v *frame.Visit, by manage.Caller) error {
	reference := v.Gin.Param("reference")
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	} else if v.Form.Get("seen") == "" { // our own page always sends it
		return frame.ErrForm
	}
	_, err := h.Refusals.Mend(v.Context(), by, reference, v.Form.Get("seen"), v.Form.Get("new_host"))
	said := v.Language.Refusal(err)
	if said == "" && (errors.Is(err, clients.ErrClient) || errors.Is(err, clients.ErrClientChanged)) {
		said = strings.TrimPrefix(err.Error(), clients.ErrClient.Error()+": ")
	}
	if said != "" {
		return h.show(v, by, http.StatusUnprocessableEntity, said)
	} else if err != nil {
		return err
	}
	return shell.Done(v, address(reference), "mended")
}
