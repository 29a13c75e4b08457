package frame

import (
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// ScopeView is a scope in words; one that only an API knows is shown by its name.
func ScopeView(language *locales.Language, name string) pages.Scope {
	scope := pages.Scope{Name: name, Required: name == "openid"}
	if words, ok := scopeWords[name]; ok {
		scope.Title, scope.Detail = language.Text(words.title), language.Text(words.detail)
	} else {
		scope.Title = language.Text("scope.unknown", locales.Params{"Scope": name})
		scope.Detail = language.Text("scope.unknown_detail")
	}
	return scope
}

// APIView is an API with some of its scopes in the words of its operator.
func APIView(language *locales.Language, api *apis.API, scopes []string) pages.API {
	view := pages.API{Name: api.Name, Host: HostOf(api.Identifier)}
	for _, name := range scopes {
		scope := pages.Scope{Name: authorize.AtAPI(api.Identifier, name), Title: api.WordsOf(name)}
		if scope.Title == "" {
			scope.Title = language.Text("scope.unknown", locales.Params{"Scope": name})
		}
		view.Scopes = append(view.Scopes, scope)
	}
	return view
}

// scopeWords say what the scopes of oidc.Scopes mean.
var scopeWords = map[string]struct{ title, detail locales.Key }{
	"openid":           {locales.Key("scope.openid"), locales.Key("scope.openid_detail")},
	"profile":          {locales.Key("scope.profile"), locales.Key("scope.profile_detail")},
	"email":            {locales.Key("scope.email"), locales.Key("scope.email_detail")},
	"phone":            {locales.Key("scope.phone"), locales.Key("scope.phone_detail")},
	"address":          {locales.Key("scope.address"), locales.Key("scope.address_detail")},
	oidc.RolesScope:    {locales.Key("scope.roles"), locales.Key("scope.roles_detail")},
	oidc.GroupsScope:   {locales.Key("scope.groups"), locales.Key("scope.groups_detail")},
	oidc.OfflineAccess: {locales.Key("scope.offline_access"), locales.Key("scope.offline_access_detail")},
}
