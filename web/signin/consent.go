package signin

import (
	"net/http"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/frame"
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
	page := pages.Consent{
		App: *app, RedirectHost: frame.HostOf(a.RedirectURI), Person: person, Continue: sealed,
		Stranger: a.Client.IsStranger(), Asked: asked(v, a),
	}
	if a.Client.Origin == clients.OriginDocument {
		page.Publisher = frame.HostOf(a.Client.ID)
	}
	return v.Show(http.StatusOK, page)
}

// asked is what an app asks for, in words.
func asked(v *frame.Visit, a *authorize.Request) (asked pages.Asked) {
	for _, name := range a.Scopes {
		asked.Scopes = append(asked.Scopes, frame.ScopeView(v.Language, name))
	}
	for _, name := range a.NamedClaims() {
		asked.Claims = append(asked.Claims, frame.ClaimView(v.Language, name))
	}
	for _, api := range a.APIs {
		asked.APIs = append(asked.APIs, frame.APIView(v.Language, api.API, api.Scopes))
	}
	return asked
}

// Answer takes the answer.
func (h Consent) Answer(v *frame.Visit) error {
	a := v.Authorization
	if v.Form.Get("decision") != "allow" {
		return denied(a)
	}
	if err := h.Authorize.GrantConsent(v.Context(), v.Session.UserID, a, v.Form["scope"], v.Form["claim"]); err != nil {
		return err
	}
	a.Confirm(v.Session)
	return v.ReturnToAuthorize()
}

// denied tells the app that the person does not want to go there: RFC 6749, section 4.1.2.1.
func denied(a *authorize.Request) error {
	reason := &oidc.Error{Code: "access_denied", Description: "The user denied the request."}
	return &authorize.Refusal{Reason: reason, Authorization: a}
}
