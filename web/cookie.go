package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// cookieName is the name of the session cookie. The prefix __Host- makes browsers refuse it without https, from a
// subdomain or for a part of the site; it needs https, which this machine alone may lack.
func (s *Server) cookieName() string {
	if s.https {
		return "__Host-wicket_session"
	}
	return "wicket_session"
}

func (s *Server) setCookie(c *gin.Context, secret string, expires time.Time) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.cookieName(), Value: secret, Path: "/", Expires: expires, MaxAge: max(-1, int(expires.Sub(s.Now()).Seconds())),
		Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// clearCookies makes the browser forget who was signed in, what they were asked and what they had brought along from
// elsewhere: whoever sits there next is somebody else.
func (s *Server) clearCookies(c *gin.Context) {
	s.setCookie(c, "", time.Unix(1, 0))
	s.setSecondStep(c, "")
	s.setArrivalCookie(c, "")
}

// session returns the live session of this browser, or nil; and notes that it was seen.
func (s *Server) session(c *gin.Context) (*identity.Session, error) {
	secret := s.secret(c)
	if secret == "" {
		return nil, nil
	}
	session, err := s.Identity.SessionBySecret(c.Request.Context(), secret)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return session, s.seen(c, session)
}

// secret is what the session cookie holds; empty where there is none.
func (s *Server) secret(c *gin.Context) string {
	cookie, err := c.Request.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// seen notes whose request this is, which counts for them, and that their session is in use.
func (s *Server) seen(c *gin.Context, session *identity.Session) error {
	actor := audit.ActorOf(c.Request.Context())
	actor.Name, actor.SessionID = session.User.Actor(), session.ID.String()
	ctx := audit.As(c.Request.Context(), actor)
	c.Request = c.Request.WithContext(ctx)
	if err := s.Limits.Spend(ctx, endpoint(c), storage.ByAccount, session.UserID.String()); err != nil {
		return err
	}
	return s.Identity.Seen(ctx, session, actor.IP)
}

// deviceCookie is the name of the cookie by which a browser is known to those who have signed in with it.
func (s *Server) deviceCookie() string {
	if s.https {
		return "__Host-wicket_device"
	}
	return "wicket_device"
}

func (s *Server) setDeviceCookie(c *gin.Context, secret string) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.deviceCookie(), Value: secret, Path: "/", MaxAge: int(identity.KnownDeviceKept.Seconds()),
		Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// device is the browser of a request.
func (s *Server) device(c *gin.Context) identity.Device {
	actor := audit.ActorOf(c.Request.Context())
	device := identity.Device{UserAgent: actor.UserAgent, Language: cleanHeader(c.GetHeader("Accept-Language")), IP: actor.IP}
	if cookie, err := c.Request.Cookie(s.deviceCookie()); err == nil {
		device.Secret = cookie.Value
	}
	return device
}
