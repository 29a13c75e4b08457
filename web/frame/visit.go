package frame

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Visit is one request while it is handled. Which of the fields below are read before the handler begins is said by the
// demands of its route.
type Visit struct {
	Gin *gin.Context

	Language *locales.Language // in which the person is answered

	Form          url.Values                // the parameters of the URL of a GET, of the body of a POST
	Authorization *authorize.Request        // the authorization request under way; nil where no app waits
	Session       *identity.Session         // nil where nobody is signed in
	Owner         *identity.Reauthenticated // the session again, where the route demands that it is fresh
	Client        *clients.Client           // the app that calls, as soon as it is known; for the log

	frame      *Frame
	ownSources bool              // see OwnSourcesOnly
	leadsTo    []string          // where the forms of the page lead in the end: see LeadsTo
	framed     []string          // what the page shows in frames
	cookies    map[string]string // the cookies that the answer sets, by name
	read       bool              // Session was looked for
}

// Context is the context of the request. It knows who acts, and ends when the browser goes away or the request has
// taken too long.
func (v *Visit) Context() context.Context { return v.Gin.Request.Context() }

// RequestID is what the request is called in the log.
func (v *Visit) RequestID() string { return audit.ActorOf(v.Context()).RequestID }

// Device is the browser that sends the request.
func (v *Visit) Device() identity.Device {
	actor := audit.ActorOf(v.Context())
	return identity.Device{
		UserAgent: actor.UserAgent,
		Language:  cleanHeader(v.Gin.GetHeader("Accept-Language")),
		IP:        actor.IP,
		Secret:    v.Cookie(DeviceCookie),
	}
}

// readSession reads the live session of this browser, once, and notes that it is in use.
func (v *Visit) readSession() error {
	if v.read {
		return nil
	}
	v.read = true
	secret := v.Cookie(SessionCookie)
	if secret == "" {
		return nil
	}
	session, err := v.frame.Identity.Sessions().BySecret(v.Context(), secret)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v.Session = session
	return v.Seen(session)
}

// Seen notes whose request this is, counts it for their account, and notes that the session is in use. It returns a
// *storage.Limited where the account has sent too many.
func (v *Visit) Seen(session *identity.Session) error {
	actor := audit.ActorOf(v.Context())
	actor.Name, actor.SessionID = session.User.Actor(), session.ID.String()
	v.act(actor)
	if err := v.frame.Limits.Take(v.Context(), endpoint(v.Gin), cache.ByAccount, session.UserID.String()); err != nil {
		return err
	}
	return v.frame.Identity.Sessions().Seen(v.Context(), session, actor.IP)
}

// ActAs notes who the request turned out to be of, for the audit trail and the log: somebody has signed in, a client
// has authenticated.
func (v *Visit) ActAs(name string) {
	actor := audit.ActorOf(v.Context())
	actor.Name = name
	v.act(actor)
}

// ActVia is Visit.ActAs for an administrator, who acts by that way: see audit.ViaAPI.
func ActVia(v *Visit, name, via string) {
	actor := audit.ActorOf(v.Context())
	actor.Name, actor.Via = name, via
	v.act(actor)
}

func (v *Visit) act(actor audit.Actor) {
	v.Gin.Request = v.Gin.Request.WithContext(audit.As(v.Context(), actor))
}

// IsOf notes which app calls, if one has authenticated.
func (v *Visit) IsOf(client *clients.Client) {
	if client != nil {
		v.Client = client
		v.ActAs(client.Actor())
	}
}

// Show answers with a page.
func (v *Visit) Show(status int, page pages.Page) error {
	if status == http.StatusTooManyRequests && v.Gin.Writer.Header().Get("Retry-After") == "" {
		v.Gin.Header("Retry-After", "60") // what identity refuses comes back within minutes, up to an hour
	}
	sources := sourcesOfPages
	if v.ownSources {
		sources = sourcesOfConsole
	}
	v.Gin.Header("Content-Security-Policy", contentSecurityPolicy(sources, v.leadsTo, v.framed))
	return pages.Write(v.Gin.Writer, status, v.Language, page)
}

// Redirect answers with a redirect after which the browser forgets what it posted (RFC 9700, section 4.12).
func (v *Visit) Redirect(to string) error {
	v.Gin.Header("Location", to) // as it is: http.Redirect would rewrite custom schemes
	v.Gin.Status(http.StatusSeeOther)
	v.Gin.Writer.WriteHeaderNow()
	return nil
}

// RedirectWith is Redirect to a page of ours with parameters; empty ones are left out.
func (v *Visit) RedirectWith(path string, parameters url.Values) error {
	return v.Redirect(WithParameters(path, parameters))
}
