package clients

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/wicket-id/wicket/oidc"
)

// clientCache spares the read of a client in nearly every request. An entry is trusted for a few seconds, which bounds
// how long a change by another process (an operator's command, another replica) goes unseen. What a deleted client was
// granted is void at once: grants are read from the database.
type clientCache struct {
	entries *lru.Cache[string, cachedClient]
	counted oidc.HitCount
}

type cachedClient struct {
	client *Client
	until  time.Time
}

const (
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
	c.entries.Add(client.ID, cachedClient{client: client, until: now.Add(clientBelieved)})
}

func (c *clientCache) forget(id string) { c.entries.Remove(id) }
