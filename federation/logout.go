package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wicket-id/wicket/storage"
)

// ErrTooManyLogouts says that too many logout tokens come from one network.
var ErrTooManyLogouts = errors.New("too many logout tokens come from there; try again in a minute")

const (
	maxLogouts         = 600 // from one network in logoutWindow: each may make us fetch keys
	logoutWindow       = time.Minute
	logoutMaxAge       = 10 * time.Minute // how old a logout token may be
	logoutMarkLifetime = 20 * time.Minute
)

// Logout ends the sessions that came from the session at the provider which a logout token names: OpenID Connect
// Back-Channel Logout, section 2.6. It returns how many users were concerned, or storage.ErrNotFound,
// ErrInvalidResponse, ErrUnreachable or ErrTooManyLogouts. A token works once.
func (u *Upstreams) Logout(ctx context.Context, id, token, source string) (int, error) {
	p, err := u.Provider(ctx, id)
	if err != nil {
		return 0, err
	}
	kind, ok := p.kind().(openIDKind)
	if !ok {
		return 0, fmt.Errorf("%w: %s issues no logout tokens", ErrInvalidResponse, p.Name)
	}
	if u.Cache.Count(ctx, "logout tokens from "+source, logoutWindow) > maxLogouts {
		return 0, ErrTooManyLogouts
	}
	if err := checkCompact(token); err != nil {
		return 0, err
	}
	m, ctx, err := u.metadata(ctx, p)
	if err != nil {
		return 0, err
	}
	logout, err := m.verifier(p, u.Now).VerifyLogout(ctx, token)
	if err != nil {
		return 0, verifyFault(err)
	}
	var claims idClaims
	if err := logout.Claims(&claims); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	issuer, err := kind.tokenIssuer(p, m, logout.Issuer, claims.Tenant)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	now := u.Now()
	if age := now.Sub(logout.IssuedAt); age > logoutMaxAge || age < -clockSkew {
		return 0, fmt.Errorf("%w: the logout token is too old, or issued in the future", ErrInvalidResponse)
	}
	sid := printable(logout.SessionID, 255) // as it is kept of an ID token
	if printable(logout.Subject, 255) != logout.Subject || sid == "" && logout.SessionID != "" {
		return 0, fmt.Errorf("%w: the subject or the session is too long, or not printable", ErrInvalidResponse)
	}
	mark := storage.NewOneTimeMark("logout token", p.ID+" "+logout.TokenID, now.Add(logoutMarkLifetime))
	people, err := u.Identity.ExternalAccounts().EndUpstream(ctx, mark, p.ID, issuer, logout.Subject, sid)
	if errors.Is(err, storage.ErrUsedBefore) {
		return 0, fmt.Errorf("%w: the logout token was used before", ErrInvalidResponse)
	}
	return people, err
}
