package frame

import (
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// ReadAuthorization takes up an authorization request that Suspend sealed. It returns authorize.ErrInteraction, or a
// *oidc.Refusal.
func (v *Visit) ReadAuthorization(sealed string) (err error) {
	v.Authorization, err = v.frame.Authorize.Resume(v.Context(), sealed, v.Cookie(BrowserCookie))
	return err
}

// Suspend seals the authorization request under way for this browser, so that a page can hand it on in the parameter
// continue; "" where no app waits.
func (v *Visit) Suspend() string {
	if v.Authorization == nil {
		return ""
	}
	return v.frame.Authorize.Suspend(v.Authorization, v.Browser())
}

// Browser is the secret by which this browser is known while somebody signs in with it; it gets one if it has none.
func (v *Visit) Browser() string {
	browser := v.Cookie(BrowserCookie)
	if browser == "" {
		browser = storage.NewSecret()
		v.SetCookie(BrowserCookie, browser)
	}
	return browser
}

// App tells a page which app waits, with its request sealed for the way back, and lets the page's forms lead on to the
// app; nil and "" where none waits.
func (v *Visit) App() (app *pages.App, sealed string) {
	if v.Authorization == nil {
		return nil, ""
	}
	v.LeadsTo(v.Authorization.RedirectURI)
	return AppView(v.Authorization.Client), v.Suspend()
}

// Proceed goes on where the person came from: to the app that waits, or else to a page of ours.
func (v *Visit) Proceed(page string) error {
	if v.Authorization == nil {
		return v.Redirect(page)
	}
	return v.ReturnToAuthorize()
}

// ReturnToAuthorize sends the browser back to the authorization endpoint, which finds out what comes next.
func (v *Visit) ReturnToAuthorize() error {
	return v.Redirect(oidc.PathAuthorize + "?interaction=" + v.Suspend())
}

// Respond sends the answer to the app by way of the browser, in the response mode that it asked for.
func (v *Visit) Respond(response *oidc.Response) error {
	if response.Mode != "form_post" {
		return v.Redirect(response.URL())
	}
	v.leadsTo = []string{response.RedirectURI}
	return v.Show(http.StatusOK, pages.FormPost{Action: response.RedirectURI, Fields: fields(response.Parameters)})
}

func fields(parameters url.Values) []pages.Field {
	var fields []pages.Field
	for _, name := range []string{"code", "state", "iss", "session_state", "error", "error_description"} {
		if parameters.Has(name) {
			fields = append(fields, pages.Field{Name: name, Value: parameters.Get(name)})
		}
	}
	return fields
}
