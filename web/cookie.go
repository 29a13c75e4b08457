package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
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

func (s *Server) clearCookie(c *gin.Context) {
	s.setCookie(c, "", time.Unix(1, 0))
}

// session returns the live session of this browser, or nil; and notes that it was seen.
func (s *Server) session(c *gin.Context) (*identity.Session, error) {
	cookie, err := c.Request.Cookie(s.cookieName())
	if err != nil || cookie.Value == "" {
		return nil, nil
	}
	ctx := c.Request.Context()
	session, err := s.Identity.SessionBySecret(ctx, cookie.Value)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	actor := storage.ActorOf(ctx)
	actor.Name, actor.SessionID = session.User.Actor(), session.ID.String()
	return session, s.Identity.Seen(ctx, session, actor.IP)
}

func device(c *gin.Context) identity.Device {
	actor := storage.ActorOf(c.Request.Context())
	return identity.Device{UserAgent: actor.UserAgent, Language: cleanHeader(c.GetHeader("Accept-Language")), IP: actor.IP}
}
