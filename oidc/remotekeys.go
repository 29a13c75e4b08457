package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// remoteKeys are the public keys behind a client's jwks_uri. They are fetched when they are first needed, and again when
// a signature fits none of them, for the client may have new ones: but not more often than once in fetchedEvery, because
// anybody can send a signature that fits none.
type remoteKeys struct {
	uri string
	now func() time.Time

	mu      sync.Mutex
	keys    registeredKeys
	triedAt time.Time
}

const (
	fetchedEvery = 30 * time.Second
	retriedAfter = 2 * time.Second // after a failure
	maxKeySet    = 1 << 20         // bytes
)

var keyClient = &http.Client{Timeout: 5 * time.Second}

// VerifySignature returns the payload of a JWT that one of the keys signed.
func (r *remoteKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	r.mu.Lock() // also while fetching: whoever comes meanwhile wants the same
	defer r.mu.Unlock()
	payload, err := r.keys.VerifySignature(ctx, token)
	now := r.now()
	if err == nil || now.Sub(r.triedAt) < fetchedEvery {
		return payload, err
	}
	r.triedAt = now
	// Not the caller's context: whoever hangs up must not spoil it for the client itself.
	keys, err := fetchKeys(context.WithoutCancel(ctx), r.uri)
	if err != nil {
		r.triedAt = now.Add(retriedAfter - fetchedEvery)
		return nil, fmt.Errorf("fetch the client's keys: %w", err)
	}
	r.keys = keys
	return keys.VerifySignature(ctx, token)
}

func fetchKeys(ctx context.Context, uri string) (registeredKeys, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return registeredKeys{}, err
	}
	response, err := keyClient.Do(request)
	if err != nil {
		return registeredKeys{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return registeredKeys{}, errors.New(response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet))
	if err != nil {
		return registeredKeys{}, err
	}
	return parseJWKS(json.RawMessage(body))
}
