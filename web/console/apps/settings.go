package apps

import (
	"encoding/json"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
)

// fields are the settings of an app that its page has fields for.
type fields struct {
	Name                                                              string
	RedirectURIs, PostLogoutRedirectURIs, AllowedOrigins, Contacts    string // one in a line
	ClientURI, LogoURI, PolicyURI, TOSURI, InitiateLoginURI, LogoutTo string
	Scopes, GrantTypes                                                []string
	Trusted, RequirePKCE                                              bool
}

func fieldsOf(c *clients.Client) fields {
	list := func(texts []string) string { return strings.Join(texts, "\n") }
	return fields{
		Name: c.Name, RedirectURIs: list(c.RedirectURIs), PostLogoutRedirectURIs: list(c.PostLogoutRedirectURIs),
		AllowedOrigins: list(c.AllowedOrigins), Contacts: list(c.Contacts), ClientURI: c.ClientURI, LogoURI: c.LogoURI,
		PolicyURI: c.PolicyURI, TOSURI: c.TOSURI, InitiateLoginURI: c.InitiateLoginURI, LogoutTo: c.BackchannelLogoutURI,
		Scopes: c.Scopes, GrantTypes: c.GrantTypes, Trusted: c.IsTrusted, RequirePKCE: c.RequirePKCE,
	}
}

// typed are the fields as a form has them.
func typed(v *frame.Visit) fields {
	return fields{
		Name: v.Form.Get("name"), RedirectURIs: v.Form.Get("redirect_uris"),
		PostLogoutRedirectURIs: v.Form.Get("post_logout_redirect_uris"), AllowedOrigins: v.Form.Get("allowed_origins"),
		Contacts: v.Form.Get("contacts"), ClientURI: v.Form.Get("client_uri"), LogoURI: v.Form.Get("logo_uri"),
		PolicyURI: v.Form.Get("policy_uri"), TOSURI: v.Form.Get("tos_uri"),
		InitiateLoginURI: v.Form.Get("initiate_login_uri"), LogoutTo: v.Form.Get("backchannel_logout_uri"),
		Scopes: v.Form["scope"], GrantTypes: v.Form["grant_type"],
		Trusted: v.Form.Get("trusted") == "yes", RequirePKCE: v.Form.Get("require_pkce") == "yes",
	}
}

// metadata is what an app is registered with by the fields.
func (f fields) metadata() map[string]any {
	return map[string]any{
		"client_name": f.Name, "redirect_uris": lines(f.RedirectURIs),
		"post_logout_redirect_uris": lines(f.PostLogoutRedirectURIs), "allowed_origins": lines(f.AllowedOrigins),
		"contacts": lines(f.Contacts), "client_uri": f.ClientURI, "logo_uri": f.LogoURI, "policy_uri": f.PolicyURI,
		"tos_uri": f.TOSURI, "initiate_login_uri": f.InitiateLoginURI, "backchannel_logout_uri": f.LogoutTo,
		"scope": strings.Join(f.Scopes, " "), "grant_types": f.GrantTypes,
		"trusted": f.Trusted, "require_pkce": f.RequirePKCE,
	}
}

// Save changes the settings of an app, where it is as the page has shown it.
func (h App) Save(v *frame.Visit, by manage.Caller) error {
	changed := typed(v)
	err := h.change(v, by, changed.metadata())
	if said := failure(v, err); said != "" {
		return h.show(v, by, v.Form.Get("id"), unprocessable, said, &changed)
	} else if err != nil {
		return err
	}
	return shell.Done(v, onePage, "saved", "id", v.Form.Get("id"))
}

// SaveAccess says who may use an app.
func (h App) SaveAccess(v *frame.Visit, by manage.Caller) error {
	changed := map[string]any{"access": access.Everyone, "access_groups": []string{}}
	if v.Form.Get("access") == access.Listed {
		changed = map[string]any{"access": access.Listed, "access_groups": v.Form["group"]}
	}
	err := h.change(v, by, changed)
	if said := failure(v, err); said != "" {
		return h.show(v, by, v.Form.Get("id"), unprocessable, said, nil)
	} else if err != nil {
		return err
	}
	return shell.Done(v, onePage, "saved", "id", v.Form.Get("id"))
}

// change changes some members of what an app is registered with, where it is as the page has shown it. The others stay.
func (h App) change(v *frame.Visit, by manage.Caller, changed map[string]any) error {
	if err := by.Demand(manage.WriteClients); err != nil {
		return err
	}
	id := v.Form.Get("id")
	is, err := h.Apps.Client(v.Context(), by, id)
	if err != nil {
		return err
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(is, &members); err != nil {
		return err
	}
	for name, value := range changed {
		if members[name], err = json.Marshal(value); err != nil {
			return err
		}
	}
	wanted, err := json.Marshal(members)
	if err != nil {
		return err
	}
	_, _, err = h.Apps.PutClient(v.Context(), by, id, wanted, v.Form.Get("seen"), false)
	return err
}
