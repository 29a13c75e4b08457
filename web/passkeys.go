package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/pages"
)

// signInWithPasskey signs a person in with the passkey that their browser has shown.
func (s *Server) signInWithPasskey(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	a, err := s.suspended(c, form.Get("continue"))
	if err != nil {
		return err
	}
	current, err := s.session(c)
	if err != nil {
		return err
	}
	admission, err := s.Identity.SignInWithPasskey(c.Request.Context(), identity.PasskeySignIn{
		State: form.Get("state"), Response: form.Get("response"), Device: s.device(c), Current: current,
	})
	if err != nil {
		return s.refuseSignIn(c, a, form, "This passkey does not sign in here. If you removed it from your account, remove it from this device too, and use your password.", err)
	}
	return s.admitted(c, a, admission, ownPage(form.Get("then")))
}

const passkeyOfferedEvery = 30 * 24 * time.Hour

func (s *Server) passkeyOfferCookie() string {
	if s.https {
		return "__Host-wicket_passkey_offered"
	}
	return "wicket_passkey_offered"
}

// offersPasskey tells whether a person who has just typed their password is offered a passkey: their browser can make one,
// they have none, and were not asked here lately.
func (s *Server) offersPasskey(c *gin.Context, form url.Values, user *identity.User) bool {
	if form.Get("able") != "yes" || user.HasWebAuthn {
		return false
	}
	_, err := c.Request.Cookie(s.passkeyOfferCookie())
	return err != nil
}

// newPasskeyPage lets a person register a passkey.
func (s *Server) newPasskeyPage(c *gin.Context) error {
	return s.newFactorPage(c, func(session *identity.Reauthenticated, form url.Values) error {
		if form.Get("offer") != "" {
			http.SetCookie(c.Writer, &http.Cookie{
				Name: s.passkeyOfferCookie(), Value: "1", Path: "/", MaxAge: int(passkeyOfferedEvery.Seconds()), Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
			})
		}
		return s.showNewPasskey(c, http.StatusOK, session, form, "")
	})
}

func (s *Server) showNewPasskey(c *gin.Context, status int, session *identity.Reauthenticated, form url.Values, failure string) error {
	ceremony, err := s.Identity.BeginPasskey(c.Request.Context(), session.User)
	if err != nil {
		return s.refuseFactor(c, err)
	}
	page := pages.NewKey{
		Title: "Add a passkey", Text: "Next time you sign in with your finger, your face or the PIN of this device. Nobody can guess a passkey, or trick you into telling it.",
		Action: "/account/passkeys/add", Button: "Add a passkey", Ceremony: *shownCeremony(ceremony), Failure: failure,
	}
	return s.showNewKey(c, status, form, page)
}

// addPasskey registers it.
func (s *Server) addPasskey(c *gin.Context) error {
	return s.addKey(c, s.Identity.AddPasskey, s.showNewPasskey)
}

func (s *Server) removePasskey(c *gin.Context) error {
	return s.removeFactor(c, s.Identity.RemovePasskey)
}
