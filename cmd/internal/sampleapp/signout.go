package sampleapp

import (
	"net/http"
	"net/url"
)

// signOut forgets the person here, then lets Wicket end their session there (OpenID Connect RP-Initiated Logout,
// section 2). When Wicket cannot be reached the first half still holds.
func (a *App) signOut(w http.ResponseWriter, r *http.Request) error {
	var v *visit
	if s := a.sessions.of(r); s != nil {
		v = s.current()
	}
	a.sessions.end(w, r)
	m, err := a.issuer.metadata(r.Context())
	if v == nil || err != nil || m.EndSession == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	to, err := url.Parse(m.EndSession)
	if err != nil {
		return failure("Wicket's sign-out address cannot be read", err)
	}
	q := to.Query()
	q.Set("id_token_hint", v.idToken)
	q.Set("client_id", a.config.ClientID)
	q.Set("post_logout_redirect_uri", a.config.PostLogoutRedirectURI())
	q.Set("state", "signed-out")
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return nil
}
