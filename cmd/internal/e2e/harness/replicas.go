package harness

import (
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// StartReplicas starts n servers as replicas of one Wicket: one PostgreSQL, one Redis.
func StartReplicas(t *testing.T, n int, change ...func(*Config)) ([]*Server, *storagetest.RedisServer) {
	t.Helper()
	server := storagetest.Redis(t)
	options, err := cache.ParseRedis(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	change = append(change, func(c *Config) { c.Redis = options })
	replicas := []*Server{Start(t, storagetest.URL(t, storage.Postgres), change...)}
	for len(replicas) < n {
		replicas = append(replicas, replicas[0].Replica(t))
	}
	for _, h := range replicas {
		h.Redis.Patience = 5 * time.Second // this machine may be busy, which is not what is tested
	}
	return replicas, server
}
