package sampleapp

import (
	"encoding/json"
	"net/http"
	"strings"
)

// spa shows the single-page app: one static page and one script, which does everything else in the browser.
func (a *App) spa(w http.ResponseWriter, r *http.Request) error {
	return render(w, http.StatusOK, "spa.html", struct{ Issuer, ClientID string }{a.config.Issuer, a.config.SPAClientID})
}

// spaConfig tells the script who it is.
func (a *App) spaConfig(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"issuer":       a.config.Issuer,
		"client_id":    a.config.SPAClientID,
		"redirect_uri": a.config.SPARedirectURI(),
		"scope":        strings.Join(Scopes[:3], " "), // it keeps no refresh token
	})
}
