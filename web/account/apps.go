package account

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Apps is the page of the apps that may do something with the account.
type Apps struct{ *frame.Frame }

// Page shows them.
func (h Apps) Page(v *frame.Visit) error {
	top, err := head(h.Frame, v, "/account/apps")
	if err != nil {
		return err
	}
	accesses, more, err := h.Authorize.Accesses(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	page := pages.Apps{Head: top, Notice: notice(h.Frame, v), More: more}
	for i := range accesses {
		app, err := h.view(v, &accesses[i])
		if err != nil {
			return err
		}
		page.Apps = append(page.Apps, app)
	}
	return v.Show(http.StatusOK, page)
}

// view is an app with what it may do, in words.
func (h Apps) view(v *frame.Visit, access *authorize.Access) (pages.ConnectedApp, error) {
	now := h.Now()
	app := pages.ConnectedApp{
		ID: access.Client.ID, App: *frame.AppView(access.Client), Consented: access.Consented || !access.Client.IsTrusted,
		OpenURI: openURI(h.Provider.Issuer, access.Client), Since: frame.Ago(v, now, access.Since),
	}
	if !access.LastUsedAt.IsZero() {
		app.Used = frame.Ago(v, now, access.LastUsedAt)
	}
	for _, scope := range access.Scopes {
		app.Scopes = append(app.Scopes, frame.ScopeView(v.Language, scope))
	}
	for _, claim := range access.Claims {
		app.Claims = append(app.Claims, frame.ClaimView(v.Language, claim))
	}
	for _, identifier := range slices.Sorted(maps.Keys(access.APIs)) {
		api, err := h.APIs.Find(v.Context(), identifier)
		if errors.Is(err, storage.ErrNotFound) {
			continue // it has been deleted, and what was granted there is void
		}
		if err != nil {
			return app, err
		}
		app.APIs = append(app.APIs, frame.APIView(v.Language, api, access.APIs[identifier]))
	}
	return app, nil
}

// openURI is where the app begins a sign-in that a link asks it to, or empty where it knows no such thing: OpenID
// Connect Core, section 4. Whom it is for is not said: the app asks here, where the person is signed in.
func openURI(issuer string, client *clients.Client) string {
	if client.InitiateLoginURI == "" {
		return ""
	}
	separator := "?"
	if strings.Contains(client.InitiateLoginURI, "?") {
		separator = "&"
	}
	return client.InitiateLoginURI + separator + url.Values{"iss": {issuer}}.Encode()
}

// ConfirmRemoval asks whether an app shall lose its access, and says what that means.
func (h Apps) ConfirmRemoval(v *frame.Visit) error {
	access, err := h.Authorize.Access(v.Context(), v.Session.UserID, v.Form.Get("app"))
	if errors.Is(err, storage.ErrNotFound) {
		return frame.ErrNotFound
	}
	if err != nil {
		return err
	}
	app, err := h.view(v, access)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.RemoveApp(app))
}

// Remove takes an app's access away.
func (h Apps) Remove(v *frame.Visit) error {
	err := h.Authorize.RemoveAccess(v.Context(), v.Owner, v.Form.Get("app"))
	if errors.Is(err, storage.ErrNotFound) {
		return frame.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.Redirect("/account/apps?done=app-removed")
}
