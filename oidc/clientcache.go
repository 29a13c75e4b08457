package oidc

import (
	"sync"
	"time"
)

// clientCache spares the read of a client in nearly every request. An entry is believed for a few seconds, which bounds
// how long a change by another process (an operator's command, another replica) goes unseen. What a deleted client was
// granted is void at once: grants are read from the database.
type clientCache struct {
	mu      sync.RWMutex
	entries map[string]cachedClient
	counted hitCount
}

type cachedClient struct {
	client *Client
	until  time.Time
}

const (
	clientBelieved   = 5 * time.Second
	maxCachedClients = 10_000
)

func (c *clientCache) get(id string, now time.Time) *Client {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, ok := c.entries[id]
	hit := ok && now.Before(entry.until)
	c.counted.note(hit)
	if !hit {
		return nil
	}
	return entry.client
}

func (c *clientCache) put(client *Client, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCachedClients {
		c.entries = make(map[string]cachedClient)
	}
	c.entries[client.ID] = cachedClient{client: client, until: now.Add(clientBelieved)}
}

func (c *clientCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, id)
}
