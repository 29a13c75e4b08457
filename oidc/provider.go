package oidc

import (
	"errors"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
)

// Config is what a Provider leans on; set all of it.
type Config struct {
	Issuer     string // the issuer identifier: an origin, such as https://id.example.com
	Database   *storage.Database
	Memory     cache.Cache
	Limits     *cache.Limits
	Seal       *seal.Seal
	Identity   *identity.Store
	Keys       *Keys
	Lifetimes  Lifetimes
	TwoFactors TwoFactorRule
	Now        func() time.Time // UTC, to the microsecond: see identity.Clock

	AllowPrivate bool // keys of clients may be fetched from private addresses, whatever their names resolve to
}

// Provider is the OpenID Provider.
type Provider struct {
	Config

	engine     *fosite.Fosite
	clients    *clientCache
	verified   *verified
	remoteKeys *remoteKeys
	discovery  []byte
}

// Lifetimes say how long things live.
type Lifetimes struct {
	Code         time.Duration // an authorization code; RFC 6749 recommends ten minutes at the most, a browser needs seconds
	AccessToken  time.Duration
	IDToken      time.Duration
	RefreshToken time.Duration // one refresh token, unused
	Grant        time.Duration // a whole family of refresh tokens, however busy
	Repeat       time.Duration // how long after its use a refresh token may be repeated by a client that lost the answer
}

// DefaultLifetimes are safe for browsers and kind to mobile apps.
var DefaultLifetimes = Lifetimes{
	Code:         time.Minute,
	AccessToken:  10 * time.Minute,
	IDToken:      time.Hour,
	RefreshToken: 30 * 24 * time.Hour,
	Grant:        180 * 24 * time.Hour,
	Repeat:       10 * time.Second,
}

// New returns a provider. It fails where the issuer is not an origin (OpenID Connect Discovery, section 3, allows a path;
// the cookies of a sign-in server want a host of their own).
func New(config Config) (*Provider, error) {
	err := CheckIssuer(config.Issuer)
	if err != nil {
		return nil, err
	}
	provider := &Provider{
		Config: config, clients: newClientCache(), verified: newVerified(), remoteKeys: newRemoteKeys(config.AllowPrivate, config.Now),
	}
	provider.engine = newEngine(provider)
	if provider.discovery, err = provider.describe(); err != nil {
		return nil, err
	}
	return provider, nil
}

// CheckIssuer says what is wrong with an issuer, if anything is.
func CheckIssuer(issuer string) error {
	if origin := originOf(issuer); origin != issuer || !strings.HasPrefix(origin, "http") {
		return errors.New("the issuer must be an origin such as https://id.example.com: " +
			"scheme and host, without a path or a slash at the end")
	}
	if !isWebURL(issuer) {
		return errors.New("the issuer must use https; http is for localhost, 127.0.0.1 and [::1]")
	}
	return nil
}
