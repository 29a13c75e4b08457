package requestobject

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/wicket-id/wicket/oidc/clients"
)

// remote is what is known of the request objects behind the request_uris of clients. One whose digest the URI names, in
// its fragment, cannot change, and is fetched once (OpenID Connect Core, section 6.2).
type remote struct {
	fetches  singleflight.Group            // by client and address: who waits for the same object shares one fetch
	objects  *lru.Cache[string, string]    // by uri, which names the digest
	failures *lru.Cache[string, time.Time] // by client and address: until when one that failed is not asked for again
}

const (
	maxRemote    = 500
	maxObject    = 16 << 10        // bytes
	retriedAfter = 2 * time.Second // after a failure
	mediaTypes   = "application/oauth-authz-req+jwt, application/jwt"
)

func newRemote() *remote {
	objects, err := lru.New[string, string](maxRemote)
	if err != nil {
		panic(err) // only for a size below one
	}
	failures, err := lru.New[string, time.Time](maxRemote)
	if err != nil {
		panic(err)
	}
	return &remote{objects: objects, failures: failures}
}

// ErrURI says that a client has not registered a request_uri.
var ErrURI = errors.New("the request_uri is not one that this client has registered")

// Fetch returns the request object behind a request_uri, which must be one that the client has registered:
// OpenID Connect Core, section 6.2, and RFC 9101, section 5.2. The fragment may differ. It returns ErrURI, or
// why the object could not be fetched.
func (r *Reader) Fetch(ctx context.Context, client *clients.Client, uri string) (string, error) {
	address, digest, _ := strings.Cut(uri, "#")
	if !slices.ContainsFunc(client.RequestURIs, func(registered string) bool {
		registered, _, _ = strings.Cut(registered, "#")
		return registered == address
	}) {
		return "", ErrURI
	}
	if object, ok := r.remote.objects.Get(uri); ok {
		return object, nil
	}
	key := client.ID + " " + address
	if until, failed := r.remote.failures.Get(key); failed && r.clients.Now().Before(until) {
		return "", errors.New("the request object could not be fetched a moment ago")
	}
	fetched, err, _ := r.remote.fetches.Do(key, func() (any, error) {
		// Not the caller's context: a caller who goes away must not spoil it for the others.
		object, err := r.clients.Fetch(context.WithoutCancel(ctx), client, address, mediaTypes, maxObject)
		if err != nil && !errors.Is(err, clients.ErrTurns) {
			r.remote.failures.Add(key, r.clients.Now().Add(retriedAfter))
		}
		return string(object), err
	})
	if err != nil {
		return "", fmt.Errorf("fetch request object: %w", err)
	}
	object := fetched.(string)
	if sum := sha256.Sum256([]byte(object)); base64.RawURLEncoding.EncodeToString(sum[:]) == digest {
		r.remote.objects.Add(uri, object)
	}
	return object, nil
}
