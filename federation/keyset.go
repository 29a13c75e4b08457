package federation

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// keysKept is how long an answer with a provider's keys serves at least. The library fetches them again whenever a
// signature fits none, which anybody may make it do by a forged logout token.
const keysKept = 15 * time.Second

// newKeySet returns the keys at that address, which are fetched by client, no more often than once in keysKept.
func newKeySet(ctx context.Context, client *http.Client, uri string, now func() time.Time) gooidc.KeySet {
	sparing := *client
	sparing.Transport = &keyFetches{base: client.Transport, now: now}
	return gooidc.NewRemoteKeySet(gooidc.ClientContext(context.WithoutCancel(ctx), &sparing), uri)
}

// keyFetches gives the last answer again where that came a moment ago. One that failed is not kept.
type keyFetches struct {
	base http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex // held while the keys are fetched, so that others wait for the answer
	answer *http.Response
	body   []byte
	at     time.Time
}

// RoundTrip is http.RoundTripper's.
func (f *keyFetches) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answer == nil || f.now().Sub(f.at) >= keysKept {
		base := f.base
		if base == nil {
			base = http.DefaultTransport
		}
		answer, err := base.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			answer.Body = io.NopCloser(bytes.NewReader(body))
			return answer, nil
		}
		f.answer, f.body, f.at = answer, body, f.now()
	}
	again := *f.answer
	again.Request = r
	again.Body = io.NopCloser(bytes.NewReader(f.body))
	return &again, nil
}
