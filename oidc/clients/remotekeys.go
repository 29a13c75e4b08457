package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// remoteKeys keeps the key sets behind the jwks_uri of clients. A set is fetched when it is first needed, again once it
// is older than keysBelieved, so that a key that its owner removed is refused soon, and when a signature fits none of
// its keys, for the client may have new ones: but not more often than once in refetchedAfter, because anybody can send
// a signature that fits none.
type remoteKeys struct {
	allowPrivate bool
	now          func() time.Time
	log          *slog.Logger

	fetches singleflight.Group // by key: requests that wait for the same set share one fetch
	// apart, so that clients that nobody vouches for drive out no sets but each other's
	ofStrangers, ofOthers *lru.Cache[string, *remoteKeySet]
}

// remoteKeySet is what is known of one jwks_uri. It is replaced, never changed.
type remoteKeySet struct {
	keys      registeredKeys
	fetchedAt time.Time
	retryAt   time.Time // not before this a set that did not fit is fetched again
	toldAt    time.Time // when the log last said that it could not be fetched
}

const (
	keysBelieved      = 5 * time.Minute
	refetchedAfter    = 30 * time.Second
	retriedAfter      = 2 * time.Second // after a failure
	maxRemoteKeySets  = 1000            // of strangers, and as many of others
	maxRemoteKeySet   = 64 << 10        // bytes
	maxRemoteKeys     = 50              // in a set
	remoteKeysTimeout = 5 * time.Second
	toldAgain         = time.Minute
)

func newRemoteKeys(allowPrivate bool, now func() time.Time, log *slog.Logger) *remoteKeys {
	ofStrangers, err := lru.New[string, *remoteKeySet](maxRemoteKeySets)
	if err != nil {
		panic(err) // only for a size below one
	}
	ofOthers, err := lru.New[string, *remoteKeySet](maxRemoteKeySets)
	if err != nil {
		panic(err)
	}
	return &remoteKeys{
		allowPrivate: allowPrivate, now: now, log: log, ofStrangers: ofStrangers, ofOthers: ofOthers,
	}
}

// keysAt is the key set behind the jwks_uri of a client.
type keysAt struct {
	remote *remoteKeys
	client *Client
	uri    string
}

// key is what the set is known by. Not everybody may reach every address that an operator may, and nobody must spoil
// the set of another's app by that.
func (k keysAt) key() string {
	switch {
	case k.client.Origin == OriginOperator:
		return "operator " + k.uri
	case k.client.IsStranger():
		return "stranger " + k.uri
	}
	return k.uri
}

// sets are those among which the set is kept.
func (k keysAt) sets() *lru.Cache[string, *remoteKeySet] {
	if k.client.IsStranger() {
		return k.remote.ofStrangers
	}
	return k.remote.ofOthers
}

// VerifySignature returns the payload of a JWT that one of the keys signed.
func (k keysAt) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	return ask(ctx, k, func(keys registeredKeys) ([]byte, error) { return keys.VerifySignature(ctx, token) })
}

// EncryptionKey returns the key to encrypt with.
func (k keysAt) EncryptionKey(ctx context.Context, alg jose.KeyAlgorithm) (*jose.JSONWebKey, error) {
	return ask(ctx, k, func(keys registeredKeys) (*jose.JSONWebKey, error) { return keys.encryptionKey(alg) })
}

// ask asks the set that is known, and where that does not do, the one that is there now.
func ask[T any](ctx context.Context, k keysAt, question func(registeredKeys) (T, error)) (answer T, err error) {
	known, ok := k.sets().Get(k.key())
	now := k.remote.now()
	if ok && now.Sub(known.fetchedAt) < keysBelieved {
		answer, err := question(known.keys)
		if err == nil || now.Before(known.retryAt) {
			return answer, err
		}
	} else if ok && now.Before(known.retryAt) {
		return answer, errors.New("the client's keys could not be fetched a moment ago")
	}
	keys, err := k.fetch(ctx, known)
	if err != nil {
		return answer, fmt.Errorf("fetch the client's keys: %w", err)
	}
	return question(keys)
}

// fetch reads the set, once for all requests that want it at the same time; seen is the set that did not do, or nil. A
// failure leaves the set that is known; it ages on. The log tells of it, for the client hears only that it is refused.
func (k keysAt) fetch(ctx context.Context, seen *remoteKeySet) (registeredKeys, error) {
	r := k.remote
	found, err, _ := r.fetches.Do(k.key(), func() (any, error) {
		known, ok := k.sets().Get(k.key())
		if ok && known != seen { // another request has fetched it meanwhile
			return known.keys, nil
		}
		// Not the caller's context: a caller who goes away must not spoil it for the others.
		keys, err := k.read(context.WithoutCancel(ctx))
		now := r.now()
		next := &remoteKeySet{keys: keys, fetchedAt: now, retryAt: now.Add(refetchedAfter)}
		if ok {
			next.toldAt = known.toldAt
		}
		if err != nil {
			next.keys, next.fetchedAt, next.retryAt = registeredKeys{}, time.Time{}, now.Add(retriedAfter)
			if ok {
				next.keys, next.fetchedAt = known.keys, known.fetchedAt
			}
			if now.Sub(next.toldAt) >= toldAgain {
				next.toldAt = now
				k.tell(ctx, err)
			}
		}
		k.sets().Add(k.key(), next)
		return keys, err
	})
	keys, _ := found.(registeredKeys)
	return keys, err
}

// tell says in the log why the set could not be fetched. The host alone is named: what follows may be a secret.
func (k keysAt) tell(ctx context.Context, err error) {
	if asked := (*url.Error)(nil); errors.As(err, &asked) {
		err = asked.Err
	}
	host := ""
	if parsed, err := url.Parse(k.uri); err == nil {
		host = parsed.Host
	}
	k.remote.log.WarnContext(ctx, "the keys of an app could not be fetched, so it is refused", "client_id", k.client.ID,
		"host", host, "error", err)
}

func (k keysAt) read(ctx context.Context) (registeredKeys, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.uri, nil)
	if err != nil {
		return registeredKeys{}, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	outbound := Outbound(k.client, k.uri, k.remote.allowPrivate && !k.client.IsStranger())
	outbound.Timeout, outbound.MaxBody = remoteKeysTimeout, maxRemoteKeySet
	client := outbound.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return registeredKeys{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return registeredKeys{}, fmt.Errorf("the answer has the status %d", response.StatusCode)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return registeredKeys{}, err
	}
	keys, err := parseJWKS(json.RawMessage(body))
	if err == nil && len(keys.Keys) > maxRemoteKeys {
		return registeredKeys{}, fmt.Errorf("the set has %d keys, and may have %d", len(keys.Keys), maxRemoteKeys)
	}
	return keys, err
}
