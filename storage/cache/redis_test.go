package cache_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestRedisURL(t *testing.T) {
	for _, test := range []struct {
		url   string
		right func(*cache.RedisOptions) bool
	}{
		{"redis://localhost", func(o *cache.RedisOptions) bool {
			return o.Addrs[0] == "localhost:6379" && o.TLSConfig == nil
		}},
		{"redis://ann:s3cret@redis.example.com:7000/3", func(o *cache.RedisOptions) bool {
			return o.Addrs[0] == "redis.example.com:7000" && o.Username == "ann" && o.Password == "s3cret" && o.DB == 3
		}},
		{"rediss://:s3cret@[::1]:7000", func(o *cache.RedisOptions) bool {
			return o.Addrs[0] == "[::1]:7000" && o.Username == "" && o.Password == "s3cret" && o.TLSConfig != nil &&
				!o.TLSConfig.InsecureSkipVerify
		}},
		{"redis://a?master_name=main&addr=b:1&addr=c:2&sentinel_password=s3cret", func(o *cache.RedisOptions) bool {
			return fmt.Sprint(o.Addrs) == "[a:26379 b:1 c:2]" && o.MasterName == "main" && o.SentinelPassword == "s3cret" &&
				!o.IsClusterMode
		}},
		{"redis://a?cluster=true&addr=b:1", func(o *cache.RedisOptions) bool {
			return fmt.Sprint(o.Addrs) == "[a:6379 b:1]" && o.IsClusterMode
		}},
	} {
		if o, err := cache.ParseRedis(test.url); err != nil || !test.right(o) {
			t.Errorf("%s: %+v, %v", test.url, o, err)
		}
	}
	for url, want := range map[string]string{
		"":                                          "must look like",
		"localhost:6379":                            "must look like",
		"http://s3cret@localhost":                   "must look like",
		"redis://u:s3cret@a:b":                      "must look like",
		"redis://:s3cret@a:1,b:2":                   "must look like",
		"redis://:s3cret@/0":                        "must look like",
		"redis://a/x":                               "must be a number",
		"redis://a?addr=b:1":                        "cluster=true",
		"redis://a?addr=b&cluster=true":             "HOST:PORT",
		"redis://a?cluster=1":                       "must be true",
		"redis://a/1?cluster=true":                  "database 0",
		"redis://a?cluster=true&master_name=main":   "exclude each other",
		"redis://a?master_name=main&master_name=x":  "twice",
		"redis://a?pasword=s3cret":                  "pasword is unknown",
		"redis://a?ca=/etc/ssl/x.pem":               "rediss://",
		"rediss://:s3cret@a?ca=/nowhere/at/all.pem": "no such file",
	} {
		_, err := cache.ParseRedis(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want something with %q", url, err, want)
		}
	}
}

// back waits until a memory asks Redis again.
func back(t testing.TB, m *cache.Redis) {
	t.Helper()
	storagetest.Eventually(t, 15*time.Second, "Redis is asked again", func() bool { return !m.State().Away })
}

// hour is an allowance that does not come back within a test.
var hour = cache.Rate{N: 10, Per: time.Hour}

// spend takes all that it gets.
func spend(t testing.TB, m cache.Cache, key string) (n int64) {
	t.Helper()
	for m.Take(t.Context(), key, hour) == 0 {
		n++
	}
	return n
}

// hasty is the patience outside tests.
const hasty = 100 * time.Millisecond

// Two replicas, and Redis is killed, comes back empty, freezes and is emptied.
func TestRedisGoesAndComesBack(t *testing.T) {
	server := storagetest.Redis(t)
	one, two := openMemory(t, server.URL()), openMemory(t, server.URL())
	one.Patience, two.Patience = hasty, hasty
	ctx := t.Context()

	if one.Count(ctx, "before", time.Minute) != 1 || two.Count(ctx, "before", time.Minute) != 2 {
		t.Error("a counter is not that of both replicas")
	}
	if n := spend(t, one, "shared") + spend(t, two, "shared"); n != hour.N {
		t.Errorf("two replicas spent %d, want %d", n, hour.N)
	}
	for range 3 {
		one.Count(ctx, "failures", time.Minute)
	}

	server.Kill()
	began := time.Now()
	if got := one.Count(ctx, "failures", time.Minute); got != 4 {
		t.Errorf("the process counts on for itself from %d, want 4", got)
	}
	one.Forget(ctx, "failures") // somebody signed in
	if got := one.Peek(ctx, "failures"); got != 0 {
		t.Errorf("forgotten, yet %d", got)
	}
	if n := spend(t, one, "alone"); n != hour.N {
		t.Errorf("alone, a process spends %d, want %d", n, hour.N)
	}
	if n := spend(t, one, "shared"); n != 0 && n != hour.N { // it may have been two that spent it
		t.Errorf("a process spends %d more when Redis goes", n)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("without Redis that took %s", took)
	}

	server.Start(t) // empty
	back(t, one)
	two.Count(ctx, "wake up", time.Minute) // notices, if it has not
	back(t, two)
	if n := spend(t, one, "alone"); n != 0 {
		t.Errorf("a process spends %d more when Redis is back", n)
	}
	if n := spend(t, one, "afterwards") + spend(t, two, "afterwards"); n != hour.N {
		t.Errorf("when Redis is back two replicas spent %d, want %d", n, hour.N)
	}

	// Frozen: a few wait for a tenth of a second, and then nobody.
	for range 7 {
		one.Count(ctx, "stale", time.Hour)
	}
	server.Freeze()
	began = time.Now()
	one.Forget(ctx, "stale")
	first := time.Since(began)
	began = time.Now()
	for i := range 1000 {
		one.Count(ctx, fmt.Sprint("frozen ", i), time.Minute)
	}
	if rest := time.Since(began); first > 500*time.Millisecond || rest > 100*time.Millisecond {
		t.Errorf("frozen, the first question took %s and the next thousand %s", first, rest)
	}
	server.Thaw()
	back(t, one)
	two.Count(ctx, "wake up", time.Minute)
	back(t, two)
	if got := two.Peek(ctx, "stale"); got != 0 {
		t.Errorf("what was forgotten while Redis was away is trusted again: %d", got)
	}

	if err := server.Client(t).FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if got := one.Count(ctx, "failures", time.Minute); got != 1 { // scripts are gone too, and are sent again
		t.Errorf("after Redis was emptied the count is %d", got)
	}
	if state := one.State(); state.Away {
		t.Errorf("an emptied Redis is no Redis: %+v", state)
	}
}

// Of a large allowance replicas take shares, so that few requests ask Redis; together they spend exactly what there is.
func TestRedisSharesOutLargeAllowances(t *testing.T) {
	server := storagetest.Redis(t)
	replicas := []*cache.Redis{openMemory(t, server.URL()), openMemory(t, server.URL()), openMemory(t, server.URL())}
	rate := cache.Rate{N: 20_500, Per: 24 * time.Hour}
	var spent atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for range 1500 {
				if replicas[i%len(replicas)].Take(t.Context(), "allowance", rate) == 0 {
					spent.Add(1)
				}
			}
		})
	}
	wg.Wait()
	asked := int64(0)
	for _, m := range replicas {
		asked += m.State().Asked
	}
	t.Logf("%d of 30000 were spent, with %d questions", spent.Load(), asked)
	if spent.Load() != rate.N {
		t.Errorf("three replicas spent %d, want %d", spent.Load(), rate.N)
	}
	if asked > 12_000 { // a twentieth of what was spent, and each of the 9,500 that were refused
		t.Errorf("%d questions", asked)
	}
}

// What is kept in Redis names nobody, and all of it ends.
func TestRedisLearnsNoNames(t *testing.T) {
	server := storagetest.Redis(t)
	m, client := openMemory(t, server.URL()), server.Client(t)
	m.Count(t.Context(), "sign-in failures of alice@example.com", time.Minute)
	m.Count(t.Context(), "tries of app 7", time.Minute)
	m.Take(t.Context(), "limit sign-in.ip 192.0.2.7", hour)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) < 3 {
		t.Fatalf("keys %q, %v", keys, err)
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "wicket:") || strings.Contains(key, "alice") || strings.Contains(key, "192.0.2.7") {
			t.Errorf("the key %q", key)
		}
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 && client.Exists(t.Context(), key).Val() == 1 {
			t.Errorf("the key %q never ends", key)
		}
	}
	another, err := cache.ParseRedis(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	stranger := cache.NewRedis(t.Context(), another, "https://another.example.com", time.Now, discard)
	defer func() { _ = stranger.Close() }()
	if stranger.Peek(t.Context(), "tries of app 7") != 0 {
		t.Error("two Wickets in one Redis share their counters")
	}
}

// leastPrivilege is the user of docs/replicas.md.
var leastPrivilege = strings.Fields(
	"wicket on >s3cret ~wicket:* +ping +hello +client|setname +time +get +set +del +incr +decr +pexpire +eval +evalsha",
)

// TLS with a certificate of one's own authority, and a user who may do what docs/replicas.md says and nothing else.
func TestRedisWithTLSAndLeastPrivilege(t *testing.T) {
	certificate, key := selfSigned(t)
	server := storagetest.Redis(t, append([]string{"--tls-port", strconv.Itoa(storagetest.Port(t)), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no",
		"--user", "default", "off", "--user"}, leastPrivilege...)...)
	address := fmt.Sprintf("127.0.0.1:%s", server.Option("--tls-port"))
	m := openMemory(t, "rediss://wicket:s3cret@"+address+"?ca="+certificate)
	m.Count(t.Context(), "k", time.Minute)
	m.Uncount(t.Context(), "k")
	m.Peek(t.Context(), "k")
	m.Forget(t.Context(), "k")
	m.Take(t.Context(), "allowance", hour)
	if state := m.State(); state.Away || state.Failed > 0 || state.Asked != 5 {
		t.Errorf("%+v", state)
	}
	for what, url := range map[string]string{
		"a certificate that nobody vouches for": "rediss://wicket:s3cret@" + address,
		"a wrong password":                      "rediss://wicket:wrong@" + address + "?ca=" + certificate,
		"no password":                           "rediss://" + address + "?ca=" + certificate,
	} {
		if state := openMemory(t, url).State(); !state.Away {
			t.Errorf("with %s Redis is used", what)
		}
	}
}

// Sentinels make a replica the master; the memory follows.
func TestRedisSentinel(t *testing.T) {
	master := storagetest.Redis(t)
	replica := storagetest.Redis(t, "--replicaof", "127.0.0.1", strconv.Itoa(master.Port))
	var sentinels []string
	for range 3 {
		sentinel := storagetest.Redis(t, "--sentinel",
			"--sentinel", "monitor", "main", "127.0.0.1", strconv.Itoa(master.Port), "2",
			"--sentinel", "down-after-milliseconds", "main", "500", "--sentinel", "failover-timeout", "main", "3000")
		sentinels = append(sentinels, sentinel.Address())
	}
	watcher := redis.NewSentinelClient(&redis.Options{Addr: sentinels[0]})
	defer func() { _ = watcher.Close() }()
	storagetest.Eventually(t, 30*time.Second, "the Sentinels know each other and the replica", func() bool {
		state := watcher.Master(t.Context(), "main").Val()
		return state["num-other-sentinels"] == "2" && state["num-slaves"] == "1"
	})
	storagetest.Eventually(t, 30*time.Second, "the replica is in step", func() bool {
		return strings.Contains(replica.Client(t).Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	url := "redis://" + sentinels[0] + "?master_name=main&addr=" + sentinels[1] + "&addr=" + sentinels[2]
	one, two := openMemory(t, url), openMemory(t, url)
	one.Count(t.Context(), "failures", time.Hour)
	storagetest.Eventually(t, 5*time.Second, "the replica has the counter", func() bool {
		return replica.Client(t).DBSize(t.Context()).Val() > 0
	})

	one.Patience, two.Patience = hasty, hasty
	master.Kill()
	began := time.Now()
	one.Count(t.Context(), "k", time.Minute)
	two.Count(t.Context(), "k", time.Minute)
	if took := time.Since(began); took > time.Second {
		t.Errorf("without a master two questions took %s", took)
	}
	storagetest.Eventually(t, 30*time.Second, "another master", func() bool {
		return !one.State().Away && !two.State().Away
	})
	t.Logf("back %s after the master was killed", time.Since(began).Round(time.Millisecond))
	if two.Peek(t.Context(), "failures") != 1 {
		t.Error("the new master does not know the counter")
	}
	if n := spend(t, one, "allowance") + spend(t, two, "allowance"); n != hour.N || one.State().Away {
		t.Errorf("with the new master %d were spent, want %d", n, hour.N)
	}
}

// Three masters share the keys; one of them freezes, and all is as without Redis until it is back.
func TestRedisCluster(t *testing.T) {
	var nodes []*storagetest.RedisServer
	for range 3 {
		nodes = append(nodes, storagetest.Redis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"))
	}
	formCluster(t, nodes)
	for _, node := range nodes {
		command := []any{"ACL", "SETUSER"}
		for _, word := range append(leastPrivilege, "+cluster|slots", "+command", "+asking") {
			command = append(command, word)
		}
		if err := node.Client(t).Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	url := "redis://wicket:s3cret@" + nodes[0].Address() + "?cluster=true&addr=" + nodes[1].Address() + "&addr=" +
		nodes[2].Address()
	one, two := openMemory(t, url), openMemory(t, url)
	for i := range 60 { // keys everywhere
		key := fmt.Sprint("key ", i)
		one.Count(t.Context(), "count of "+key, time.Minute)
		if got := two.Count(t.Context(), "count of "+key, time.Minute); got != 2 {
			t.Errorf("%s was counted %d times", key, got)
		}
	}
	var spent [2]int64
	var wg sync.WaitGroup
	for i, m := range []cache.Cache{one, two} {
		wg.Go(func() { spent[i] = spend(t, m, "allowance") })
	}
	wg.Wait()
	if spent[0]+spent[1] != hour.N {
		t.Errorf("%d were spent, want %d", spent, hour.N)
	}
	for _, node := range nodes {
		if node.Client(t).DBSize(t.Context()).Val() == 0 {
			t.Errorf("the master on port %d holds nothing", node.Port)
		}
	}
	if state := one.State(); state.Away || state.Failed > 0 {
		t.Errorf("%+v", state)
	}

	one.Patience, two.Patience = hasty, hasty
	nodes[1].Freeze()
	began := time.Now()
	for i := range 300 {
		one.Count(t.Context(), fmt.Sprint("key ", i%60), time.Hour)
		one.Count(t.Context(), fmt.Sprint("other key ", i), time.Minute)
	}
	if took := time.Since(began); took > 2*time.Second || !one.State().Away {
		t.Errorf("with a master frozen 600 questions took %s: %+v", took, one.State())
	}
	nodes[1].Thaw()
	back(t, one)
	one.Patience, two.Patience = 5*time.Second, 5*time.Second
	if n := spend(t, one, "afterwards") + spend(t, two, "afterwards"); n != hour.N {
		t.Errorf("afterwards %d were spent, want %d", n, hour.N)
	}
}

// formCluster makes one Cluster of masters.
func formCluster(t *testing.T, nodes []*storagetest.RedisServer) {
	t.Helper()
	const slots = 16384
	for i, node := range nodes {
		client := node.Client(t)
		first, last := i*slots/len(nodes), (i+1)*slots/len(nodes)-1
		for _, command := range [][]any{
			{"CLUSTER", "ADDSLOTSRANGE", first, last},
			{"CLUSTER", "SET-CONFIG-EPOCH", i + 1},
			{"CLUSTER", "MEET", "127.0.0.1", nodes[0].Port},
		} {
			if err := client.Do(t.Context(), command...).Err(); err != nil {
				t.Fatalf("%v: %v", command, err)
			}
		}
	}
	for _, node := range nodes {
		storagetest.Eventually(t, 30*time.Second, "the Cluster is formed", func() bool {
			info := node.Client(t).ClusterInfo(context.Background()).Val()
			return strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(nodes)))
		})
	}
}

// selfSigned writes a certificate for 127.0.0.1 and its key, in PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// A new password is used for the next connections.
func TestRedisPasswordIsRenewed(t *testing.T) {
	server := storagetest.Redis(t, "--requirepass", "before")
	m := openMemory(t, "redis://:before@"+server.Address())
	m.Count(t.Context(), "k", time.Minute)
	operator := redis.NewClient(&redis.Options{Addr: server.Address(), Password: "before"})
	defer func() { _ = operator.Close() }()
	if err := errors.Join(
		operator.ConfigSet(t.Context(), "requirepass", "after").Err(),
		operator.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(),
	); err != nil {
		t.Fatal(err)
	}
	m.Count(t.Context(), "k", time.Minute)
	if !m.State().Away {
		t.Fatal("the old password still works")
	}
	options, err := cache.ParseRedis("redis://:after@" + server.Address())
	if err != nil {
		t.Fatal(err)
	}
	m.Adopt(options)
	storagetest.Eventually(t, 10*time.Second, "Redis answers to the new password", func() bool { return !m.State().Away })
}

// A visitor who goes away, or whose time is over, does not make Redis look away.
func TestAVisitorWhoLeavesSaysNothingOfRedis(t *testing.T) {
	t.Parallel()
	m := openMemory(t, storagetest.Redis(t).URL())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if n := m.Count(gone, "a", time.Hour); n != 1 || m.State().Away {
		t.Errorf("counted %d, away %t", n, m.State().Away)
	}
}

// A Redis that comes and goes is told of once a minute; one that stays away is told of whatever came before.
func TestAFlappingRedisIsToldOfOnceAMinute(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	var ahead atomic.Int64
	server := storagetest.Redis(t)
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	m := openMemoryBy(t, server.URL(), now, slog.New(slog.NewTextHandler(&log, nil)))
	said := func() (lost, back int) {
		text := log.String()
		return strings.Count(text, "does not answer"), strings.Count(text, "answers again")
	}
	lose := func() {
		server.Kill()
		m.Count(t.Context(), "a", time.Hour)
		if !m.State().Away {
			t.Error("nobody noticed")
		}
	}
	for range 3 {
		lose()
		server.Start(t)
		storagetest.Eventually(t, 10*time.Second, "Redis is back", func() bool { return !m.State().Away })
	}
	storagetest.Eventually(t, time.Second, "it was told of", func() bool { _, back := said(); return back == 1 })
	lose()
	if lost, back := said(); lost != 1 || back != 1 {
		t.Errorf("told %d times that it is away and %d times that it is back:\n%s", lost, back, log.String())
	}
	ahead.Store(int64(time.Minute))
	storagetest.Eventually(t, 10*time.Second, "it stays away, which is told", func() bool {
		lost, _ := said()
		return lost == 2
	})
	if !strings.Contains(log.String(), "times=3") {
		t.Errorf("how often it was lost is not told:\n%s", log.String())
	}
}

// lockedBuffer is a log that several goroutines write and a test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
