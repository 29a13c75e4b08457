package operation

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// cluster is several processes of one Wicket on one PostgreSQL and one Redis, behind nginx.
type cluster struct {
	*harness.Server // serves nobody: it is where the tests make people and apps, and its issuer is the proxy
	line            harness.CommandLine
	proxy           *proxy
	addresses       []string
	replicas        []*harness.Process
	test            testing.TB // at the end of which they end; not a subtest that starts one of them
}

// drained is for how long a replica of a cluster answers on while it says that it stops.
const drained = time.Second

// openCluster starts n replicas at once, on a database in which there is nothing yet but the person alice.
func openCluster(t *testing.T, n int) *cluster {
	t.Helper()
	c := &cluster{replicas: make([]*harness.Process, n), test: t}
	for range n {
		c.addresses = append(c.addresses, fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t)))
	}
	c.line = harness.CommandLine{
		"WICKET_DATABASE_URL=" + storagetest.URL(t, storage.Postgres), "WICKET_REDIS_URL=" + storagetest.Redis(t).URL(),
		"WICKET_SECRET=" + seal.NewMasterKey(),
		"WICKET_TRUSTED_PROXIES=127.0.0.1", "WICKET_DRAIN=" + drained.String(),
	}
	c.proxy = startProxy(t, c.addresses)
	c.line = append(c.line, "WICKET_ISSUER="+c.proxy.origin())
	h, err := server.Beside(t.Context(), c.line.Environment())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	c.Server = &harness.Server{Server: h, Issuer: c.proxy.origin()}
	c.User = c.Register(t, identity.NewUser{
		Username: harness.Username, Email: harness.Email, EmailVerified: true, Password: harness.Password,
		Name: "Alice Example",
	})
	for i := range c.replicas {
		c.begin(i)
	}
	for i := range c.replicas {
		c.awaitReady(t, i)
	}
	return c
}

// begin starts replica i and waits for nothing.
func (c *cluster) begin(i int) {
	c.test.Helper()
	p := append(slices.Clone(c.line), "WICKET_LISTEN="+c.addresses[i]).Prepare(c.test, "serve")
	if err := p.Start(); err != nil {
		c.test.Fatal(err)
	}
	c.test.Cleanup(p.Kill)
	c.replicas[i] = p
}

// ready is what replica i says of itself, and 0 where it says nothing.
func (c *cluster) ready(i int) int {
	response, err := http.Get("http://" + c.addresses[i] + "/readyz")
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (c *cluster) awaitReady(t testing.TB, i int) {
	t.Helper()
	storagetest.Eventually(t, 30*time.Second, "the replica at "+c.addresses[i]+" is ready", func() bool {
		return c.ready(i) == http.StatusOK
	})
}

// through is Wicket as it is found behind the port of replica i alone.
func (c *cluster) through(i int) *harness.Server {
	behind := *c.Server
	behind.Issuer = fmt.Sprintf("http://localhost:%d", c.proxy.Ports[i%len(c.replicas)].Port)
	return &behind
}

// roll stops replica i as Kubernetes does it – word to stop, no more requests once it says that it is not ready, its
// end – and starts another one in its place.
func (c *cluster) roll(t testing.TB, i int) {
	t.Helper()
	old := c.replicas[i]
	if err := old.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, drained, "the replica says that it stops", func() bool {
		return c.ready(i) == http.StatusServiceUnavailable
	})
	c.proxy.send(t, slices.Concat(c.addresses[:i], c.addresses[i+1:]))
	old.WaitDelay = 30 * time.Second
	if err := old.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, &old.ErrOut)
	}
	old.NoFaults(t)
	c.begin(i)
	c.awaitReady(t, i)
	c.proxy.send(t, c.addresses)
}

// stop ends all replicas together; none may have had a fault.
func (c *cluster) stop(t testing.TB) {
	t.Helper()
	for _, p := range c.replicas {
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range c.replicas {
		p.WaitDelay = 30 * time.Second
		if err := p.Wait(); err != nil {
			t.Errorf("after Ctrl-C: %v\n%s", err, &p.ErrOut)
		}
		p.NoFaults(t)
	}
}
