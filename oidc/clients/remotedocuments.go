package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// remoteDocuments fetches what clients refer to by a URL, so many at once at the most.
type remoteDocuments struct {
	allowPrivate bool

	turns chan struct{} // of all that fetch at once
	few   chan struct{} // and of those for clients that nobody vouches for
}

const (
	remoteDocumentTimeout = 5 * time.Second
	documentTurns         = 32
	documentTurnsOfOthers = 8
)

func newRemoteDocuments(allowPrivate bool) *remoteDocuments {
	return &remoteDocuments{
		allowPrivate: allowPrivate,
		turns:        make(chan struct{}, documentTurns), few: make(chan struct{}, documentTurnsOfOthers),
	}
}

// ErrTurns says that as many documents are being fetched as may be at once.
var ErrTurns = errors.New("too many documents are being fetched")

// Fetch returns what is at an address of a client: see remoteDocuments.fetch.
func (s *Store) Fetch(ctx context.Context, of *Client, address, accept string, maxBody int) ([]byte, error) {
	return s.documents.fetch(ctx, of, address, accept, maxBody)
}

// fetch fetches what is at an address of a client, of maxBody bytes at the most, or returns ErrTurns where there is no
// turn left. Clients that nobody vouches for have few, whoever they name. Where the address leads to a private
// network, an operator has written it down.
func (r *remoteDocuments) fetch(
	ctx context.Context, of *Client, address, accept string, maxBody int,
) ([]byte, error) {
	turns := r.turns
	if of.IsStranger() {
		turns = r.few
	}
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	default:
		return nil, ErrTurns
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	outbound := Outbound(of, address, r.allowPrivate && !of.IsStranger())
	outbound.Timeout, outbound.MaxBody = remoteDocumentTimeout, maxBody
	client := outbound.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if asked := (*url.Error)(nil); errors.As(err, &asked) {
		err = asked.Err // its address may hold a secret, and goes into the log
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}
