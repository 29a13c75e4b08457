package apps

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/locales"
)

// kind is a kind of app that can be registered, with what goes without saying for it.
type kind struct {
	Name        string
	Title, Text locales.Key
	Redirects   bool   // people come back to it in a browser
	HasOrigin   bool   // it is at an address of the web
	Example     string // of a redirect URI

	authMethod, applicationType string
	grantTypes                  []string
}

// kinds are all of them.
var kinds = []kind{
	{
		Name: "web", Title: locales.Key("console.apps.kind.web"), Text: locales.Key("console.apps.kind.web_text"),
		Redirects: true, HasOrigin: true, Example: "https://app.example.com/callback",
		grantTypes: []string{oidc.GrantCode, oidc.GrantRefreshToken},
	},
	{
		Name: "spa", Title: locales.Key("console.apps.kind.spa"), Text: locales.Key("console.apps.kind.spa_text"),
		Redirects: true, HasOrigin: true, Example: "https://app.example.com/", authMethod: clients.AuthNone,
		grantTypes: []string{oidc.GrantCode, oidc.GrantRefreshToken},
	},
	{
		Name: "native", Title: locales.Key("console.apps.kind.native"), Text: locales.Key("console.apps.kind.native_text"),
		Redirects: true, Example: "com.example.app:/callback", authMethod: clients.AuthNone, applicationType: "native",
		grantTypes: []string{oidc.GrantCode, oidc.GrantRefreshToken},
	},
	{
		Name: "device", Title: locales.Key("console.apps.kind.device"), Text: locales.Key("console.apps.kind.device_text"),
		authMethod: clients.AuthNone, grantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
	},
	{
		Name: "machine", Title: locales.Key("console.apps.kind.machine"), Text: locales.Key("console.apps.kind.machine_text"),
		grantTypes: []string{oidc.GrantClientCredentials},
	},
}

// kindNamed is the kind of that name; nil: there is none.
func kindNamed(name string) *kind {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.Name == name }); i >= 0 {
		return &kinds[i]
	}
	return nil
}

// at guesses where an app of that kind that is at an origin expects people back.
func (k *kind) at(origin *url.URL) string {
	example, err := url.Parse(k.Example)
	if err != nil {
		return k.Example
	}
	there := *origin
	there.Path = strings.TrimSuffix(origin.Path, "/") + example.Path
	return there.String()
}

// kindOf is the kind that an app is most like, however it was registered.
func kindOf(client *clients.Client) *kind {
	grants := func(name string) bool { return slices.Contains(client.GrantTypes, name) }
	switch {
	case !grants(oidc.GrantCode) && grants(oidc.GrantDeviceCode):
		return kindNamed("device")
	case !grants(oidc.GrantCode) && grants(oidc.GrantClientCredentials):
		return kindNamed("machine")
	case !client.IsPublic():
		return kindNamed("web")
	case client.ApplicationType == "native" || slices.ContainsFunc(client.RedirectURIs, clients.IsAnyPrograms) &&
		!slices.ContainsFunc(client.RedirectURIs, isHTTPS):
		return kindNamed("native")
	}
	return kindNamed("spa")
}

func isHTTPS(uri string) bool {
	parsed, err := url.Parse(uri)
	return err == nil && strings.EqualFold(parsed.Scheme, "https")
}
