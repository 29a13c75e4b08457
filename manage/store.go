package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
)

// Store knows who calls. Set all of its fields.
type Store struct {
	Database       *storage.Database
	Seal           *seal.Seal
	Administrators *administrators.Store
	Tokens         *tokens.Service
	Now            func() time.Time // UTC, to the microsecond
}

// APIPath is where the management API is served. The issuer with it is the API's identifier: the audience of its
// tokens.
const APIPath = "/api"

// APIOf is the identifier of the management API of the server with that issuer.
func APIOf(issuer string) string { return issuer + APIPath }

// ByToken returns who calls with an access token for the management API: a person by an app that they have allowed to,
// or an app by itself. It returns an *oidc.Error where the token is not good.
func (s *Store) ByToken(ctx context.Context, shown tokens.Presented) (Caller, error) {
	bearer, err := s.Tokens.AdmitBearer(ctx, shown, APIOf(s.Tokens.Issuer))
	if err != nil {
		return Caller{}, err
	}
	holder := administrators.Client(bearer.ClientID)
	if bearer.UserID != uuid.Nil {
		holder = administrators.Person(bearer.UserID)
	}
	made := func(p Permission) bool { return slices.Contains(strings.Fields(bearer.Scope), string(p)) }
	caller, err := s.caller(ctx, holder, made)
	caller.stepUp = bearer.UserID != uuid.Nil
	caller.strong = identity.Assures(bearer.ACR, identity.ACRMultiFactor) &&
		s.Now().Sub(time.Unix(bearer.AuthTime, 0)) <= StepUpFor
	return caller, err
}

// ConsoleAge is how long after a sign-in its session is good for the console.
const ConsoleAge = 12 * time.Hour

// BySession returns who calls by the console: a person who is signed in there. It returns identity.ErrSignInNotFresh
// where that was longer than ConsoleAge ago, and identity.ErrSecondFactorOwed where they have a second factor or a
// passkey which the session has not seen.
func (s *Store) BySession(ctx context.Context, session *identity.Session) (Caller, error) {
	user, since := session.User, s.Now().Sub(session.AuthTime)
	strong := identity.Assures(session.ACR, identity.ACRMultiFactor)
	if since > ConsoleAge {
		return Caller{}, identity.ErrSignInNotFresh
	}
	if !strong && (user.TwoFactor || user.HasWebAuthn) {
		return Caller{}, identity.ErrSecondFactorOwed
	}
	caller, err := s.caller(ctx, administrators.Person(user.ID), func(Permission) bool { return true })
	caller.stepUp, caller.strong = true, strong && since <= StepUpFor
	return caller, err
}

// ByKey returns who calls with an API key from an address. It returns ErrKey where the key is not good, or not from
// there.
func (s *Store) ByKey(ctx context.Context, secret, ip string) (Caller, error) {
	key, err := s.keyBySecret(ctx, secret, ip)
	if errors.Is(err, storage.ErrNotFound) {
		return Caller{}, ErrKey
	} else if err != nil {
		return Caller{}, fmt.Errorf("API key: %w", err)
	}
	caller, err := s.caller(ctx, administrators.Key(key.ID), key.allows)
	caller.bounds.key, caller.bounds.networks = &key.ExpiresAt, key.Networks
	return caller, err
}

// DemandOver returns an error where the caller lacks a permission, or may not use it on somebody who may do what the
// caller may not: by roles of their own, and by those that are used through them. It returns a *ForbiddenError or a
// *StepUpError.
func (s *Store) DemandOver(
	ctx context.Context, by Caller, permission Permission, on administrators.Holder, through ...string,
) error {
	if err := by.Demand(permission); err != nil {
		return err
	}
	roles, _, err := s.Administrators.Held(ctx, on)
	if err != nil {
		return err
	}
	return by.DemandAbove(append(roles, through...), permission)
}

// caller is a holder with what they may do of what their roles allow.
func (s *Store) caller(ctx context.Context, holder administrators.Holder, made func(Permission) bool) (Caller, error) {
	roles, ends, err := s.Administrators.Held(ctx, holder)
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{Holder: holder, Roles: roles, name: holder.Actor(), granted: PermissionsOf(roles)}
	caller.bounds.ends = ends
	for _, permission := range caller.granted {
		if made(permission) {
			caller.may = append(caller.may, permission)
		}
	}
	return caller, nil
}
