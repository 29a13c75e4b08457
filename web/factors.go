package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/pages"
)

// What the pages of all factors have in common.

// name is what authenticators call this Wicket.
func (s *Server) name() string { return "Wicket (" + hostOf(s.Provider.Issuer) + ")" }

// newFactorPage shows a page that begins to add a factor to whoever is up to that.
func (s *Server) newFactorPage(c *gin.Context, show func(*identity.Reauthenticated, url.Values) error) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	session, err := s.session(c)
	if err != nil {
		return err
	}
	if session == nil {
		return redirect(c, "/sign-in?"+url.Values{"continue": {form.Get("continue")}}.Encode())
	}
	owner, err := s.demandStrength(c, session, form.Get("continue"), c.Request.URL.Path)
	if err != nil || owner == nil {
		return err
	}
	return show(owner, form)
}

// factorOwner is the session of whoever posts a change of their factors, with the request of the app that waits, if any; no
// session, after a redirect, where it is not up to that.
func (s *Server) factorOwner(c *gin.Context) (*identity.Reauthenticated, *oidc.Authorization, error) {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return nil, nil, err
	}
	form := c.Request.PostForm
	if err := oidc.CheckForm(form); err != nil {
		return nil, nil, errForm
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return nil, nil, err
	}
	owner, err := s.demandStrength(c, session, form.Get("continue"), "/account/security")
	return owner, a, err
}

// showNewKey shows the page that adds a passkey or a security key.
func (s *Server) showNewKey(c *gin.Context, status int, form url.Values, page pages.NewKey) error {
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	page.App, page.Continue = s.waitingFor(c, a)
	page.LaterURI = s.laterURI(page.Continue)
	return s.show(c, status, page)
}

// laterURI is where "Not now" leads: back to the app that waits, or to the account.
func (s *Server) laterURI(sealed string) string {
	if sealed == "" {
		return "/account/security"
	}
	return oidc.PathAuthorize + "?interaction=" + sealed
}

// addKey takes the answer of a new passkey or security key; show shows its page again.
func (s *Server) addKey(c *gin.Context, add func(ctx context.Context, owner *identity.Reauthenticated, state, response, name string) (string, error),
	show func(c *gin.Context, status int, owner *identity.Reauthenticated, form url.Values, failure string) error) error {
	session, a, err := s.factorOwner(c)
	if err != nil || session == nil {
		return err
	}
	form := c.Request.PostForm
	secret, err := add(c.Request.Context(), session, form.Get("state"), form.Get("response"), form.Get("name"))
	for _, known := range []error{identity.ErrAuthenticator, identity.ErrAuthenticatorModel, identity.ErrAuthenticatorListed, identity.ErrFactorName} {
		if errors.Is(err, known) {
			// Whoever runs this may want to know which rule it was.
			s.Log.InfoContext(c.Request.Context(), "a key was refused", "request_id", audit.ActorOf(c.Request.Context()).RequestID, "error", err.Error())
			return show(c, http.StatusUnprocessableEntity, session, form, sentence(known))
		}
	}
	if err != nil {
		return s.refuseFactor(c, err)
	}
	return s.factorAdded(c, a, session, secret)
}

func (s *Server) factorAdded(c *gin.Context, a *oidc.Authorization, session *identity.Reauthenticated, secret string) error {
	s.setCookie(c, secret, session.ExpiresAt)
	if a != nil {
		return s.goOn(c, a)
	}
	return redirect(c, "/account/security?done=factor-added")
}

func (s *Server) removeFactor(c *gin.Context, remove func(context.Context, *identity.Reauthenticated, uuid.UUID) (string, error)) error {
	session, _, err := s.factorOwner(c)
	if err != nil || session == nil {
		return err
	}
	id, err := uuid.Parse(c.Request.PostForm.Get("id"))
	if err != nil {
		return errForm
	}
	secret, err := remove(c.Request.Context(), session, id)
	if err != nil {
		return s.refuseFactor(c, err)
	}
	s.setCookie(c, secret, session.ExpiresAt)
	return redirect(c, "/account/security?done=factor-removed")
}

// removePassword leaves a person with passkeys alone.
func (s *Server) removePassword(c *gin.Context) error {
	session, _, err := s.factorOwner(c)
	if err != nil || session == nil {
		return err
	}
	secret, err := s.Identity.RemovePassword(c.Request.Context(), session)
	if err != nil {
		return s.refuseFactor(c, err)
	}
	s.setCookie(c, secret, session.ExpiresAt)
	return redirect(c, "/account/security?done=password-removed")
}

// refuseFactor says on the security page why a factor was not changed.
func (s *Server) refuseFactor(c *gin.Context, err error) error {
	for _, known := range []error{identity.ErrNoKeys, identity.ErrTooManyFactors, identity.ErrLastFactor, identity.ErrTooManySignIns, identity.ErrNothingToBackUp, identity.ErrTooManySendings} {
		if errors.Is(err, known) {
			return s.showSecurity(c, http.StatusUnprocessableEntity, sentence(known))
		}
	}
	if errors.Is(err, storage.ErrNotFound) { // gone already: the page shows what there is
		return redirect(c, "/account/security")
	}
	return err
}

// enrolPage asks a person to register a factor, for an app or the operator demands one.
func (s *Server) enrolPage(c *gin.Context) error {
	a, _, err := s.asked(c, query)
	if err != nil || a == nil {
		return err
	}
	app, sealed := s.waitingFor(c, a)
	return s.show(c, http.StatusOK, pages.Enrol{App: app, KeyOnly: c.Query("class") == identity.ACRPhishingResistant, Continue: sealed})
}

// declineEnrol takes a person who will not back to the app.
func (s *Server) declineEnrol(c *gin.Context) error {
	a, _, err := s.asked(c, posted)
	if err != nil || a == nil {
		return err
	}
	return &oidc.Refusal{Reason: oidc.ErrUnmet, Authorization: a}
}

// factorKinds describes a person's factors.
func (s *Server) factorKinds(factors *identity.Factors) []pages.FactorKind {
	passkeys := pages.FactorKind{
		ID: "passkeys", Title: "Passkeys", Text: "Sign in with your finger, your face or the PIN of your device, without a password.",
		AddURI: "/account/passkeys/new", Add: "Add a passkey", Remove: "/account/passkeys/remove",
	}
	for _, passkey := range factors.Passkeys {
		passkeys.Factors = append(passkeys.Factors, s.keyFactor(&passkey.Authenticator))
	}
	keys := pages.FactorKind{
		ID: "hardware-keys", Title: "Security keys", Text: "A key that you touch after your password. Once you have one, or an app, every sign-in asks for a second step.",
		AddURI: "/account/hardware-keys/new", Add: "Add a security key", Remove: "/account/hardware-keys/remove",
	}
	for _, key := range factors.HardwareKeys {
		keys.Factors = append(keys.Factors, s.keyFactor(&key.Authenticator))
	}
	apps := pages.FactorKind{
		ID: "totps", Title: "Authenticator apps", Text: "An app that shows a code, which you type after your password.",
		AddURI: "/account/totps/new", Add: "Add an app", Remove: "/account/totps/remove",
	}
	for _, app := range factors.TOTPs {
		detail := "Added " + s.ago(app.CreatedAt)
		if app.LastUsedAt != nil {
			detail += ", used " + s.ago(*app.LastUsedAt)
		}
		apps.Factors = append(apps.Factors, pages.Factor{ID: app.ID.String(), Name: app.Name, Detail: detail})
	}
	return []pages.FactorKind{passkeys, keys, apps}
}

func (s *Server) keyFactor(key *identity.Authenticator) pages.Factor {
	factor := pages.Factor{ID: key.ID.String(), Name: key.Name, Detail: "Added " + s.ago(key.CreatedAt)}
	if key.LastUsedAt != nil {
		factor.Detail += ", used " + s.ago(*key.LastUsedAt)
	}
	if model := key.Model(); model != "" && model != key.Name {
		factor.Detail += ", " + model
	}
	if key.IsBackedUp() {
		factor.Detail += ", backed up"
	}
	if key.CloneWarningAt != nil {
		factor.Warning = "May have been copied"
	}
	return factor
}

// codesLeft says how many backup codes a person has; empty where they have no use for any.
func codesLeft(factors *identity.Factors) string {
	switch {
	case len(factors.HardwareKeys)+len(factors.TOTPs)+len(factors.Passkeys) == 0:
		return ""
	case factors.BackupMadeAt == nil:
		return "You have none yet: make some, and keep them apart from your devices."
	case factors.BackupCodes == 1:
		return "You have one left."
	}
	return fmt.Sprintf("You have %d left.", factors.BackupCodes)
}
