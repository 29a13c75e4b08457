// Package clients keeps the apps that Wicket serves: their metadata, their authentication, their keys and redirect
// URIs. Begin with Store.
package clients

import (
	"context"
	"log/slog"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/keys"
)

// Store keeps clients. Make one with New.
type Store struct {
	*oidc.Provider

	// Keys are those that apps encrypt their requests with.
	Keys *keys.Keys
	// Leaving is called in the transaction that deletes a client, before it does; nil: nothing is to be done.
	Leaving func(ctx context.Context, tx bun.Tx, clientID string) error

	cache      *clientCache
	remoteKeys *remoteKeys
	documents  *remoteDocuments
	log        *slog.Logger
}

// New returns a Store. Where allowPrivate is set, what clients refer to is fetched from private addresses too. The log
// tells of what cannot be.
func New(provider *oidc.Provider, keys *keys.Keys, allowPrivate bool, log *slog.Logger) *Store {
	return &Store{
		Provider: provider, Keys: keys, cache: newClientCache(), remoteKeys: newRemoteKeys(allowPrivate, provider.Now, log),
		documents: newRemoteDocuments(allowPrivate), log: log,
	}
}

// CacheHits tells how often a client was found in the process since the start, and how often not.
func (s *Store) CacheHits() (hits, misses int64) { return s.cache.counted.Read() }
