package server

import (
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/issuer"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// About is the page of the server: what apps are told, and what it signs with.
type About struct{ shell.Console }

type aboutPage struct {
	shell.Screen
	Issuer, Discovery, JWKS string
	Keys                    []key
}

type key struct {
	KID, Alg string
	Signs    bool   // it signs now
	Next     string // when it will sign, or ""
	Until    string // until when it is published, or ""
	Encrypts bool   // apps encrypt with it
}

// Template is that of the page.
func (aboutPage) Template() (pages.Templates, string) { return templates, "about.html" }

// Page shows it.
func (h About) Page(v *frame.Visit, by manage.Caller) error {
	found, err := h.Issuer.Keys(v.Context(), by)
	if err != nil {
		return err
	}
	page := aboutPage{
		Screen: h.Screen(v, by, shell.Server), Issuer: h.Provider.Issuer,
		Discovery: h.Provider.Issuer + oidc.PathConfiguration, JWKS: h.Provider.Issuer + oidc.PathJWKS,
	}
	for _, k := range found {
		shown := key{KID: k.KID, Alg: k.Alg, Encrypts: k.Use == issuer.UseEncryption}
		switch {
		case k.PublishedUntil != nil:
			shown.Until = v.Language.Moment(*k.PublishedUntil)
		case k.DecryptsUntil != nil:
			shown.Until = v.Language.Moment(*k.DecryptsUntil)
		case k.SignsFrom != nil && k.SignsFrom.After(h.Now()):
			shown.Next = v.Language.Moment(*k.SignsFrom)
		default:
			shown.Signs = !shown.Encrypts
		}
		page.Keys = append(page.Keys, shown)
	}
	return v.Show(http.StatusOK, page)
}

// ConfirmRotation asks before the keys are rotated.
func (h About) ConfirmRotation(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.RotateKeys); err != nil {
		return err
	}
	page := shell.Confirm{
		Screen: h.Screen(v, by, shell.Server), Title: v.Language.Text("console.server.rotate"),
		Text: v.Language.Text("console.server.rotate_text"), Button: v.Language.Text("console.server.rotate"),
		Action: shell.Server + "/rotate", Back: shell.Server,
	}
	if v.Form.Get("leaked") != "" {
		page.Title, page.Text = v.Language.Text("console.server.leaked"), v.Language.Text("console.server.leaked_text")
		page.Button, page.Fields = page.Title, map[string]string{"leaked": "yes"}
	}
	return v.Show(http.StatusOK, page)
}

// Rotate makes new keys.
func (h About) Rotate(v *frame.Visit, by manage.Caller) error {
	if _, err := h.Issuer.Rotate(v.Context(), by, v.Form.Get("leaked") == "yes", nil); err != nil {
		return err
	}
	return shell.Done(v, shell.Server, "keys-rotated")
}
