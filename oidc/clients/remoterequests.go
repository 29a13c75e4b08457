package clients

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/wicket-id/wicket/storage"
)

// remoteRequests fetches the request objects behind the request_uris of clients. One whose digest the URI names, in its
// fragment, cannot change, and is fetched once (OpenID Connect Core, section 6.2).
type remoteRequests struct {
	allowPrivate bool

	fetches singleflight.Group         // by uri: requests that wait for the same object share one fetch
	objects *lru.Cache[string, string] // by uri
}

const (
	maxRemoteRequests     = 500
	maxRemoteRequest      = 16 << 10 // bytes
	remoteRequestsTimeout = 5 * time.Second
)

func newRemoteRequests(allowPrivate bool) *remoteRequests {
	objects, err := lru.New[string, string](maxRemoteRequests)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &remoteRequests{allowPrivate: allowPrivate, objects: objects}
}

// ErrRequestURI says that a client has not registered a request_uri.
var ErrRequestURI = errors.New("the request_uri is not one that this client has registered")

// FetchRequestObject returns the request object behind a request_uri, which must be one that the client has registered:
// OpenID Connect Core, section 6.2, and RFC 9101, section 5.2. The fragment may differ. It returns ErrRequestURI, or
// why the object could not be fetched.
func (p *Store) FetchRequestObject(ctx context.Context, client *Client, uri string) (string, error) {
	address, digest, _ := strings.Cut(uri, "#")
	if !slices.ContainsFunc(client.RequestURIs, func(registered string) bool {
		registered, _, _ = strings.Cut(registered, "#")
		return registered == address
	}) {
		return "", ErrRequestURI
	}
	r := p.remoteRequests
	if object, ok := r.objects.Get(uri); ok {
		return object, nil
	}
	fetched, err, _ := r.fetches.Do(client.ID+" "+uri, func() (any, error) {
		// Not the caller's context: a caller who goes away must not spoil it for the others.
		return r.fetch(context.WithoutCancel(ctx), address, client.IsStranger())
	})
	if err != nil {
		return "", fmt.Errorf("fetch request object: %w", err)
	}
	object := fetched.(string)
	if sum := sha256.Sum256([]byte(object)); base64.RawURLEncoding.EncodeToString(sum[:]) == digest {
		r.objects.Add(uri, object)
	}
	return object, nil
}

// fetch fetches what is at an address that the operator wrote down, or a stranger, who may name no private one.
func (r *remoteRequests) fetch(ctx context.Context, address string, ofStranger bool) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Accept", "application/oauth-authz-req+jwt, application/jwt")
	outbound := storage.Outbound{
		Target: address, AllowPrivate: r.allowPrivate, Timeout: remoteRequestsTimeout, MaxBody: maxRemoteRequest,
	}
	if ofStranger {
		outbound.Target, outbound.AllowPrivate = "", false
	}
	client := outbound.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the answer has the status %d", response.StatusCode)
	}
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
