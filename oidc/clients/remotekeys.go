package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/wicket-id/wicket/storage"
)

// remoteKeys keeps the key sets behind the jwks_uri of clients. A set is fetched when it is first needed, again once it
// is older than keysBelieved, so that a key that its owner removed is refused soon, and when a signature fits none of
// its keys, for the client may have new ones: but not more often than once in refetchedAfter, because anybody can send
// a signature that fits none.
type remoteKeys struct {
	allowPrivate bool
	now          func() time.Time

	fetches singleflight.Group // by uri: requests that wait for the same set share one fetch
	sets    *lru.Cache[string, *remoteKeySet]
}

// remoteKeySet is what is known of one jwks_uri. It is replaced, never changed.
type remoteKeySet struct {
	keys      registeredKeys
	fetchedAt time.Time
	retryAt   time.Time // not before this a set that did not fit is fetched again
}

const (
	keysBelieved      = 5 * time.Minute
	refetchedAfter    = 30 * time.Second
	retriedAfter      = 2 * time.Second // after a failure
	maxRemoteKeySets  = 1000
	remoteKeysTimeout = 5 * time.Second
)

func newRemoteKeys(allowPrivate bool, now func() time.Time) *remoteKeys {
	sets, err := lru.New[string, *remoteKeySet](maxRemoteKeySets)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &remoteKeys{allowPrivate: allowPrivate, now: now, sets: sets}
}

// at returns the key set behind uri.
func (r *remoteKeys) at(uri string) keySet { return keysAt{r, uri} }

// keysAt is the key set behind one jwks_uri.
type keysAt struct {
	remote *remoteKeys
	uri    string
}

// VerifySignature returns the payload of a JWT that one of the keys signed.
func (k keysAt) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	known, ok := k.remote.sets.Get(k.uri)
	now := k.remote.now()
	if ok && now.Sub(known.fetchedAt) < keysBelieved {
		payload, err := known.keys.VerifySignature(ctx, token)
		if err == nil || now.Before(known.retryAt) {
			return payload, err
		}
	} else if ok && now.Before(known.retryAt) {
		return nil, errors.New("the client's keys could not be fetched a moment ago")
	}
	keys, err := k.remote.fetch(ctx, k.uri, known)
	if err != nil {
		return nil, fmt.Errorf("fetch the client's keys: %w", err)
	}
	return keys.VerifySignature(ctx, token)
}

// fetch reads the set behind uri, once for all requests that want it at the same time; seen is the set that did not do,
// or nil. A failure leaves the set that is known; it ages on.
func (r *remoteKeys) fetch(ctx context.Context, uri string, seen *remoteKeySet) (registeredKeys, error) {
	found, err, _ := r.fetches.Do(uri, func() (any, error) {
		known, ok := r.sets.Get(uri)
		if ok && known != seen { // another request has fetched it meanwhile
			return known.keys, nil
		}
		// Not the caller's context: a caller who goes away must not spoil it for the others.
		keys, err := fetchKeys(context.WithoutCancel(ctx), uri, r.allowPrivate)
		now := r.now()
		next := &remoteKeySet{keys: keys, fetchedAt: now, retryAt: now.Add(refetchedAfter)}
		if err != nil {
			next = &remoteKeySet{retryAt: now.Add(retriedAfter)}
			if ok {
				next.keys, next.fetchedAt = known.keys, known.fetchedAt
			}
		}
		r.sets.Add(uri, next)
		return keys, err
	})
	keys, _ := found.(registeredKeys)
	return keys, err
}

func fetchKeys(ctx context.Context, uri string, allowPrivate bool) (registeredKeys, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return registeredKeys{}, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	client := storage.Outbound{Target: uri, AllowPrivate: allowPrivate, Timeout: remoteKeysTimeout}.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return registeredKeys{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return registeredKeys{}, errors.New(response.Status)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return registeredKeys{}, err
	}
	return parseJWKS(json.RawMessage(body))
}
