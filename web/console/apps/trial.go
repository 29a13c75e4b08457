package apps

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Trial is the page from which a sign-in to an app is tried.
type Trial struct{ shell.Console }

type trialPage struct {
	shell.Screen
	App       *clients.Client
	URI       string      // of the app's page
	OpenURI   string      // where the app begins a sign-in itself; "": it knows no such address
	Obstacle  locales.Key // why no request can be made here; "": one can
	Redirects []choice
	Request   string // the address of the request
	Members   []member
}

// member is a parameter of the request.
type member struct{ Name, Value string }

// Template is that of the page.
func (trialPage) Template() (pages.Templates, string) { return templates, "trial.html" }

// Page shows the request, and where it begins.
func (h Trial) Page(v *frame.Visit, by manage.Caller) error {
	found, err := h.Apps.Client(v.Context(), by, v.Form.Get("id"))
	if err != nil {
		return err
	}
	app, err := read(found)
	if err != nil {
		return err
	}
	page := trialPage{
		Screen: h.Screen(v, by, shell.Apps), App: app.Client, URI: Address(app.ID), Obstacle: obstacle(app.Client),
		OpenURI: openURI(h.Provider.Issuer, app.InitiateLoginURI),
	}
	if page.Obstacle == "" {
		to := v.Form.Get("redirect_uri")
		if !slices.Contains(app.RedirectURIs, to) {
			to = app.RedirectURIs[0]
		}
		for _, uri := range app.RedirectURIs {
			page.Redirects = append(page.Redirects, choice{uri, uri, uri == to})
		}
		page.ask(h.Provider.Issuer, to)
	}
	return v.Show(http.StatusOK, page)
}

// obstacle is why a sign-in to an app cannot be tried by a link, if that is so.
func obstacle(client *clients.Client) locales.Key {
	switch {
	case !slices.Contains(client.GrantTypes, oidc.GrantCode) || len(client.RedirectURIs) == 0:
		return locales.Key("console.trial.no_browser")
	case !slices.Contains(client.ResponseTypes, "code"):
		return locales.Key("console.trial.no_code")
	case client.RequirePAR:
		return locales.Key("console.trial.pushed")
	case client.RequireSignedRequest:
		return locales.Key("console.trial.signed")
	}
	return ""
}

// ask makes the request that the app could send: an ordinary one, such as anybody can write. The app has not asked for
// what comes back, so it must refuse it; and should it not look, the code is of no use to it, for nobody keeps the
// verifier of the challenge (RFC 7636).
func (p *trialPage) ask(issuer, redirectURI string) {
	challenge := sha256.Sum256([]byte(unguessable()))
	p.Members = []member{
		{"client_id", p.App.ID}, {"redirect_uri", redirectURI}, {"response_type", "code"},
		{"scope", strings.Join(p.App.Scopes, " ")}, {"state", "wicket-test-" + unguessable()[:8]}, {"nonce", unguessable()},
		{"code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:])}, {"code_challenge_method", "S256"},
	}
	values := url.Values{}
	for _, m := range p.Members {
		values.Set(m.Name, m.Value)
	}
	p.Request = issuer + oidc.PathAuthorize + "?" + values.Encode()
}

// unguessable is 128 random bits as text.
func unguessable() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(random)
}

// openURI is where an app begins a sign-in that a link asks it to: OpenID Connect Core, section 4.
func openURI(issuer, initiateLoginURI string) string {
	if initiateLoginURI == "" {
		return ""
	}
	separator := "?"
	if strings.Contains(initiateLoginURI, "?") {
		separator = "&"
	}
	return initiateLoginURI + separator + url.Values{"iss": {issuer}}.Encode()
}

// TrialURI is where a sign-in to the app is tried.
func (p appPage) TrialURI() string {
	return frame.WithParameters(onePage+"/test", url.Values{"id": {p.App.ID}})
}
