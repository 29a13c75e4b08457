package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/wicket-id/wicket/oidc/authorize"
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
	page := pages.Apps{Head: top, Notice: notice(v), More: more}
	for i := range accesses {
		page.Apps = append(page.Apps, appView(v, h.Now(), &accesses[i]))
	}
	return v.Show(http.StatusOK, page)
}

// appView is an app with what it may do, in words.
func appView(v *frame.Visit, now time.Time, access *authorize.Access) pages.ConnectedApp {
	app := pages.ConnectedApp{
		ID: access.Client.ID, App: *frame.AppView(access.Client), Consented: access.Consented || !access.Client.IsTrusted,
		Since: ago(v, now, access.Since),
	}
	if !access.LastUsedAt.IsZero() {
		app.Used = ago(v, now, access.LastUsedAt)
	}
	for _, scope := range access.Scopes {
		app.Scopes = append(app.Scopes, frame.ScopeView(v.Language, scope))
	}
	return app
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
	return v.Show(http.StatusOK, pages.RemoveApp(appView(v, h.Now(), access)))
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
