package federation

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTooManyLogouts says that one address sends too many logout tokens.
var ErrTooManyLogouts = errors.New("too many logout tokens come from there; try again in a minute")

const (
	maxLogouts    = 600 // from one network in logoutWindow: each may cost a look for new keys
	logoutWindow  = time.Minute
	logoutBelief  = 10 * time.Minute // how old a logout token may be
	logoutMarkFor = 20 * time.Minute
)

// Logout ends the sessions that came from a session which the provider says it has ended: OpenID Connect Back-Channel
// Logout, section 2.6. It returns how many people were concerned, or storage.ErrNotFound, ErrUnbelievable,
// ErrUnreachable or ErrTooManyLogouts. A token works once.
func (u *Upstreams) Logout(ctx context.Context, id, token, source string) (int, error) {
	p, err := u.Provider(ctx, id)
	if err != nil {
		return 0, err
	}
	kind, ok := p.kind().(openIDKind)
	if !ok {
		return 0, fmt.Errorf("%w: %s issues no logout tokens", ErrUnbelievable, p.Name)
	}
	if u.Memory.Count(ctx, "logout tokens from "+source, logoutWindow) > maxLogouts {
		return 0, ErrTooManyLogouts
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
		return 0, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	issuer, err := kind.tokenIssuer(p, m, logout.Issuer, claims.Tenant)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnbelievable, err)
	}
	now := u.Now()
	if age := now.Sub(logout.IssuedAt); age > logoutBelief || age < -clockSkew {
		return 0, fmt.Errorf("%w: the token is of another time", ErrUnbelievable)
	}
	mark := "logout token " + p.ID + " " + logout.TokenID
	if !u.Memory.Once(ctx, mark, now.Add(logoutMarkFor)) {
		return 0, fmt.Errorf("%w: the token came before", ErrUnbelievable)
	}
	people, err := u.Identity.ExternalAccounts().EndUpstream(ctx, p.ID, issuer, logout.Subject, logout.SessionID)
	if err != nil {
		u.Memory.Forget(ctx, mark) // the provider comes again
	}
	return people, err
}
