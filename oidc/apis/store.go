// Package apis keeps the APIs that access tokens are issued for: their identifiers, their scopes, and who may ask for
// what there. Begin with Store.
package apis

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Store keeps APIs. Make one with New.
type Store struct {
	*oidc.Provider

	Own string // the identifier of the API of this server itself; empty: it has none

	known atomic.Pointer[known]
}

// New returns a Store.
func New(provider *oidc.Provider) *Store { return &Store{Provider: provider} }

// known are all APIs. There are few, and they change seldom, so each process keeps them; for a few seconds, which
// bounds how long a change by another process goes unseen.
type known struct {
	byComparison map[string]*API
	until        time.Time
}

const believed = 5 * time.Second

// Forget makes the next request read the APIs anew.
func (s *Store) Forget() { s.known.Store(nil) }

// Find returns the API that an identifier names, in whatever spelling, or storage.ErrNotFound. It may be a few seconds
// old, and must not be changed.
func (s *Store) Find(ctx context.Context, identifier string) (*API, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	if api := all.byComparison[compared(identifier)]; api != nil {
		return api, nil
	}
	return nil, storage.ErrNotFound
}

// Any tells whether there are APIs at all, besides the server's own. Where there are none, a server has not begun to
// tell them apart, and what apps say of them means nothing.
func (s *Store) Any(ctx context.Context) (bool, error) {
	all, err := s.all(ctx)
	if err != nil {
		return false, err
	}
	for _, api := range all.byComparison {
		if !s.isOwn(api.Identifier) {
			return true, nil
		}
	}
	return false, nil
}

// OpenScopes are the scopes of the APIs that any client may ask for.
func (s *Store) OpenScopes(ctx context.Context) (scopes []string, err error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	for _, api := range all.byComparison {
		if api.IsOpen {
			scopes = append(scopes, api.scopeNames()...)
		}
	}
	return scopes, nil
}

func (s *Store) all(ctx context.Context) (*known, error) {
	now := s.Now()
	if all := s.known.Load(); all != nil && now.Before(all.until) {
		return all, nil
	}
	list, err := s.rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("APIs: %w", err)
	}
	all := &known{byComparison: make(map[string]*API, len(list)), until: now.Add(believed)}
	for i := range list {
		all.byComparison[list[i].ComparedAs] = &list[i]
	}
	s.known.Store(all)
	return all, nil
}
