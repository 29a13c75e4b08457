package frame

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
)

// Cookie is one of the cookies that Wicket sets. All are for this host and all of its paths. All but the one that is
// framed are kept from scripts, and come along when another site links here, but not with what another site posts
// (SameSite=Lax).
type Cookie struct {
	name     string
	lifetime time.Duration // 0: until the browser is closed
	framed   bool          // for a frame of ours in a page of another site, and the script in it
}

// The cookies.
var (
	// SessionCookie holds the secret of the session. It lasts as long as the session: see SetSession.
	SessionCookie = Cookie{name: "session"}
	// BrowserCookie binds an authorization request under way to the browser in which it began. It says nothing of who
	// the person is.
	BrowserCookie = Cookie{name: "browser"}
	// DeviceCookie is what a browser is known by to those who have signed in with it.
	DeviceCookie = Cookie{name: "device", lifetime: identity.KnownDeviceKept}
	// SecondStepCookie holds the sealed question that the page of the second step asks.
	SecondStepCookie = Cookie{name: "second_step"}
	// UpstreamSignUpCookie holds the secret by which an account of a provider, which belongs to no account here yet, is
	// found again.
	UpstreamSignUpCookie = Cookie{name: "arrival", lifetime: federation.PendingSignUpLifetime}
	// BrowserStateCookie changes when somebody else is signed in, and goes when nobody is: see logout.BrowserState. It
	// opens nothing, and is set only where the operator wants it.
	BrowserStateCookie = Cookie{name: "browser_state", framed: true}
	// UndoneErasureCookie holds when the account was to be deleted that this browser has just kept by signing in: the
	// person has not said yet whether they wanted that.
	UndoneErasureCookie = Cookie{name: "erasure_undone"}
	// LastWayCookie tells by which way somebody signed in with this browser last: "password", "passkey", or the id of a
	// provider. It says nothing of who it was.
	LastWayCookie = Cookie{name: "last_way", lifetime: 180 * 24 * time.Hour}
	// PasskeyOfferCookie tells that this browser has been offered a passkey lately.
	PasskeyOfferCookie = Cookie{name: "passkey_offered", lifetime: 30 * 24 * time.Hour}
)

// nameOf is the name of a cookie. The prefix __Host- makes browsers refuse it without https, from a subdomain or for a
// part of the site; it needs https, which only a server on this machine may lack.
func (f *Frame) nameOf(cookie Cookie) string {
	if f.https {
		return "__Host-wicket_" + cookie.name
	}
	return "wicket_" + cookie.name
}

// Cookie returns what a cookie holds, as the browser sent it or as this answer sets it; "" where there is none.
func (v *Visit) Cookie(cookie Cookie) string {
	name := v.frame.nameOf(cookie)
	if value, set := v.cookies[name]; set {
		return value
	}
	sent, err := v.Gin.Request.Cookie(name)
	if err != nil {
		return ""
	}
	return sent.Value
}

// SetCookie gives the browser a cookie.
func (v *Visit) SetCookie(cookie Cookie, value string) {
	v.setCookie(cookie, http.Cookie{Value: value, MaxAge: int(cookie.lifetime.Seconds())})
}

// ClearCookie makes the browser forget a cookie.
func (v *Visit) ClearCookie(cookie Cookie) {
	v.setCookie(cookie, http.Cookie{MaxAge: -1})
}

// SetSession gives the browser the secret of a session, which lasts until expires.
func (v *Visit) SetSession(secret string, expires time.Time) {
	age := int(expires.Sub(v.frame.Now()).Seconds())
	v.setCookie(SessionCookie, http.Cookie{Value: secret, Expires: expires, MaxAge: max(-1, age)})
}

// ClearCookies makes the browser forget who was signed in, what they were asked, and which account of a provider they
// came with: the next person at this browser may be another. What it has not sent it keeps: with what another site
// posts it sends nothing, and that site must not sign people out here.
func (v *Visit) ClearCookies() {
	for _, cookie := range []Cookie{
		SessionCookie, SecondStepCookie, UpstreamSignUpCookie, BrowserStateCookie, UndoneErasureCookie,
	} {
		if v.Cookie(cookie) != "" {
			v.ClearCookie(cookie)
		}
	}
}

// SetBrowserState gives the browser of a session what tells apps that it is still the same, where that is wanted.
func SetBrowserState(v *Visit, sessionID uuid.UUID) {
	state := v.frame.Logout.BrowserState(sessionID)
	if state != "" && state != v.Cookie(BrowserStateCookie) {
		v.setCookie(BrowserStateCookie, http.Cookie{ // it lasts as long as that of the session
			Value: state, MaxAge: int(v.frame.SignIns.SessionLifetime.Seconds()),
		})
	}
}

func (v *Visit) setCookie(cookie Cookie, to http.Cookie) {
	to.Name, to.Path = v.frame.nameOf(cookie), "/"
	to.Secure, to.HttpOnly, to.SameSite = v.frame.https, !cookie.framed, http.SameSiteLaxMode
	if cookie.framed && v.frame.https { // without https browsers refuse it, and pages on this machine are one site
		to.SameSite = http.SameSiteNoneMode
	}
	if v.cookies == nil {
		v.cookies = make(map[string]string)
	}
	v.cookies[to.Name] = to.Value
	http.SetCookie(v.Gin.Writer, &to)
}
