package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/providers"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Providers is the page of all providers.
type Providers struct{ shell.Console }

type providersPage struct {
	shell.Screen
	Providers []providers.Provider
	Kinds     []providerKind
}

// providerKind is a kind that can be added.
type providerKind struct {
	Name  string
	Label locales.Key
}

var kinds = []providerKind{
	{federation.KindGoogle, locales.Key("console.providers.google")},
	{federation.KindMicrosoft, locales.Key("console.providers.microsoft")},
	{federation.KindGitHub, locales.Key("console.providers.github")},
	{federation.KindOpenID, locales.Key("console.providers.oidc")},
}

// Template is that of the page.
func (providersPage) Template() (pages.Templates, string) { return templates, "providers.html" }

// Page shows them.
func (h Providers) Page(v *frame.Visit, by manage.Caller) error {
	found, err := h.Console.Providers.List(v.Context(), by)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, providersPage{
		Screen: h.Screen(v, by, shell.SignIn), Providers: found, Kinds: kinds,
	})
}
