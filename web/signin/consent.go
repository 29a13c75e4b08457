package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Consent asks the person for what an app wants to know.
type Consent struct{ *frame.Frame }

// Page asks in plain words.
func (h Consent) Page(v *frame.Visit) error {
	person, err := v.Person()
	if err != nil {
		return err
	}
	app, sealed := v.App()
	a := v.Authorization
	page := pages.Consent{App: *app, RedirectHost: frame.HostOf(a.RedirectURI), Person: person, Continue: sealed}
	for _, name := range a.Scopes {
		page.Scopes = append(page.Scopes, scopeView(v, name))
	}
	return v.Show(http.StatusOK, page)
}

// scopeView is a scope in words; one that only an API knows is shown by its name.
func scopeView(v *frame.Visit, name string) pages.Scope {
	scope := pages.Scope{Name: name, Required: name == "openid"}
	if words, ok := scopeWords[name]; ok {
		scope.Title, scope.Detail = v.Language.Text(words.title), v.Language.Text(words.detail)
	} else {
		scope.Title = v.Language.Text("scope.unknown", locales.Params{"Scope": name})
		scope.Detail = v.Language.Text("scope.unknown_detail")
	}
	return scope
}

// scopeWords say what the scopes of oidc.Scopes mean.
var scopeWords = map[string]struct{ title, detail locales.Key }{
	"openid":           {locales.Key("scope.openid"), locales.Key("scope.openid_detail")},
	"profile":          {locales.Key("scope.profile"), locales.Key("scope.profile_detail")},
	"email":            {locales.Key("scope.email"), locales.Key("scope.email_detail")},
	"phone":            {locales.Key("scope.phone"), locales.Key("scope.phone_detail")},
	"address":          {locales.Key("scope.address"), locales.Key("scope.address_detail")},
	oidc.RolesScope:    {locales.Key("scope.roles"), locales.Key("scope.roles_detail")},
	oidc.OfflineAccess: {locales.Key("scope.offline_access"), locales.Key("scope.offline_access_detail")},
}

// Answer takes the answer.
func (h Consent) Answer(v *frame.Visit) error {
	a := v.Authorization
	if v.Form.Get("decision") != "allow" {
		reason := &oidc.Error{Code: "access_denied", Description: "The user denied the request."}
		return &authorize.Refusal{Reason: reason, Authorization: a}
	}
	if err := h.Authorize.GrantConsent(v.Context(), v.Session.UserID, a, v.Form["scope"]); err != nil {
		return err
	}
	return v.ReturnToAuthorize()
}
