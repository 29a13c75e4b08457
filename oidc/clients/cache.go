package clients

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/wicket-id/wicket/oidc"
)

// clientCache spares the read of a client in nearly every request. An entry is trusted for a few seconds, which bounds
// how long a change by another process (an operator's command, another replica) goes unseen. What a deleted client was
// granted is void at once: grants are read from the database.
type clientCache struct {
	lock    sync.Mutex // of what reads an entry and writes it
	entries *lru.Cache[string, cachedClient]
	counted oidc.HitCount
}

type cachedClient struct {
	client *Client
	until  time.Time
	looked time.Time // when it was read again because a request did not fit it
}

const (
	// so often at the most is a client read again for requests that do not fit what is remembered of it
	lookAgainEvery   = time.Second
	clientBelieved   = 5 * time.Second
	maxCachedClients = 10_000
)

func newClientCache() *clientCache {
	entries, err := lru.New[string, cachedClient](maxCachedClients)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &clientCache{entries: entries}
}

func (c *clientCache) get(id string, now time.Time) *Client {
	entry, ok := c.entries.Get(id)
	hit := ok && now.Before(entry.until)
	c.counted.Note(hit)
	if !hit {
		return nil
	}
	return entry.client
}

func (c *clientCache) put(client *Client, now time.Time) {
	c.lock.Lock()
	defer c.lock.Unlock()
	before, _ := c.entries.Peek(client.ID)
	c.entries.Add(client.ID, cachedClient{client: client, until: now.Add(clientBelieved), looked: before.looked})
}

// mayLookAgain tells whether a client that is remembered may be read again because a request does not fit it. Of many
// that ask in lookAgainEvery one may.
func (c *clientCache) mayLookAgain(id string, now time.Time) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	entry, ok := c.entries.Peek(id)
	if !ok || now.Sub(entry.looked) < lookAgainEvery {
		return false
	}
	entry.looked = now
	c.entries.Add(id, entry)
	return true
}

func (c *clientCache) forget(id string) { c.entries.Remove(id) }
