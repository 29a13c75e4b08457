package account

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// UsableApps is the page of the apps that a person may use: where people begin who do not know an app's address.
type UsableApps struct{ *frame.Frame }

const usableApps = "/apps"

// Page shows them. It is a page to begin at, so that who must sign in first comes back here.
func (h UsableApps) Page(v *frame.Visit) error {
	if v.Session == nil {
		return v.RedirectWith("/sign-in", url.Values{"then": {usableApps}})
	}
	if err := v.SupplyProof(usableApps, v.Session.DemandRule()); err != nil {
		return err
	}
	top, err := head(h.Frame, v, usableApps)
	if err != nil {
		return err
	}
	list, more, err := clients.UsableBy(v.Context(), h.Provider, v.Session.UserID)
	if err != nil {
		return err
	}
	page := pages.UsableApps{Head: top, More: more}
	for i := range list {
		uri := cmp.Or(openURI(h.Provider.Issuer, &list[i]), list[i].ClientURI)
		page.Apps = append(page.Apps, pages.UsableApp{
			App: *frame.AppView(&list[i]), URI: uri, Host: frame.HostOf(cmp.Or(list[i].ClientURI, uri)),
		})
	}
	return v.Show(http.StatusOK, page)
}
