package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
)

// Provider is what all parts of the OpenID Provider share; set all of its fields. The parts are the packages below this
// one: each has a type that embeds it.
type Provider struct {
	Issuer    string // the issuer identifier: an origin, such as https://id.example.com; see CheckIssuer
	Database  *storage.Database
	Cache     cache.Cache
	Limits    *cache.Limits
	Seal      *seal.Seal
	Lifetimes Lifetimes
	// the operator's rule; a grant to a person who must have two factors stands only if it was made with two
	TwoFactors  identity.TwoFactorRule
	RequirePKCE bool // the operator's rule: every client must use PKCE, not only public ones
	RequirePAR  bool // the operator's rule: every client must push its authorization requests
	// the operator's leave: apps may be registered for every one of ResponseTypes
	AllResponseTypes bool
	// the operator's leave: redirect URIs of public clients may have these schemes, which have no dot
	RedirectSchemes []string
	// the operator's choice: apps are told of logouts by frames in the browser, and may watch a frame of ours
	FrontchannelLogout, SessionManagement bool

	Now func() time.Time // UTC, to the microsecond: see identity.Clock
}

// Lifetimes say how long things live.
type Lifetimes struct {
	// an authorization code; RFC 6749 recommends ten minutes at the most, a browser needs seconds
	Code         time.Duration
	AccessToken  time.Duration
	IDToken      time.Duration
	LogoutToken  time.Duration // Back-Channel Logout, section 2.4: two minutes at the most
	RefreshToken time.Duration // one refresh token, unused
	Grant        time.Duration // a whole family of refresh tokens, however busy
	Repeat       time.Duration // how long after its use a refresh token may be repeated by a client that lost the answer
	RepeatPublic time.Duration // the same of a public client
}

// DefaultLifetimes are safe for browsers and kind to mobile apps.
var DefaultLifetimes = Lifetimes{
	Code:         time.Minute,
	AccessToken:  10 * time.Minute,
	IDToken:      time.Hour,
	LogoutToken:  2 * time.Minute,
	RefreshToken: 30 * 24 * time.Hour,
	Grant:        180 * 24 * time.Hour,
	Repeat:       10 * time.Second,
	RepeatPublic: 3 * time.Second,
}

// CheckElsewhere returns an error for a URI that is an address of this server. No answer goes to one: a form that our
// own page posts there would pass for one of ours, and do what it says in the name of whoever is signed in.
func (p *Provider) CheckElsewhere(uri string) error {
	ours, err := url.Parse(p.Issuer)
	if err != nil {
		return err
	}
	theirs, err := url.Parse(uri)
	switch {
	case err != nil:
		return err
	case strings.EqualFold(ours.Hostname(), theirs.Hostname()) && portOf(ours) == portOf(theirs):
		return fmt.Errorf("%q is an address of this server; an app has addresses of its own", uri)
	}
	return nil
}

// portOf is the port of a web address, as a number, however it is written.
func portOf(u *url.URL) uint64 {
	if u.Port() == "" && u.Scheme == "https" {
		return 443
	} else if u.Port() == "" {
		return 80
	}
	port, _ := strconv.ParseUint(u.Port(), 10, 16) // which a browser does not open, where it is none
	return port
}

// CheckIssuer says what is wrong with an issuer, if anything is: it must be an origin. OpenID Connect Discovery,
// section 3, allows a path, but the cookies of a sign-in server want a host of their own.
func CheckIssuer(issuer string) error {
	if origin := OriginOf(issuer); origin != issuer || !strings.HasPrefix(origin, "http") {
		return errors.New("the issuer must be an origin such as https://id.example.com: " +
			"scheme and host, without a path or a slash at the end")
	}
	if !IsWebURL(issuer) {
		return errors.New("the issuer must use https; http is for localhost, 127.0.0.1 and [::1]")
	}
	return nil
}
