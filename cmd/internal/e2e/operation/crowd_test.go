package operation_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// crowd is a thousand clients who sign in with wrong passwords, at once and again and again, from some addresses.
type crowd struct {
	issuer    string
	addresses int

	failed, putOff, other atomic.Int64 // answers by kind
	inFlight              atomic.Int64
	stop                  chan struct{}
	wg                    sync.WaitGroup
}

func (c *crowd) start(t testing.TB) {
	c.stop = make(chan struct{})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: time.Minute}
	for i := range 1000 {
		c.wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-c.stop:
					return
				default:
					address := fmt.Sprintf("10.0.%d.%d", i%c.addresses/256, i%c.addresses%256)
					c.try(t, client, address, fmt.Sprintf("nobody-%d-%d", i, n))
				}
			}
		})
	}
}

func (c *crowd) try(t testing.TB, client *http.Client, address, name string) {
	form := url.Values{"username": {name}, "password": {"wrong password at all"}}
	request, err := http.NewRequest(http.MethodPost, c.issuer+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", c.issuer)
	request.Header.Set("X-Forwarded-For", address)
	c.inFlight.Add(1)
	response, err := client.Do(request)
	c.inFlight.Add(-1)
	if err != nil {
		c.other.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	switch response.StatusCode {
	case http.StatusUnauthorized:
		c.failed.Add(1)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		c.putOff.Add(1)
		wait := time.NewTimer(time.Duration(100+rand.IntN(200)) * time.Millisecond) // who is put off comes again
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-c.stop:
		}
	default:
		c.other.Add(1)
	}
}

func (c *crowd) end() {
	close(c.stop)
	c.wg.Wait()
}

// from is a browser at an address.
type from struct {
	http.RoundTripper
	address string
}

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", f.address)
	return f.RoundTripper.RoundTrip(r)
}

// A thousand at once who guess passwords neither fill the memory of a container nor keep others from signing in: who is
// in their browser hardly notices, even at the crowd's own address, and in a new one, elsewhere, it takes a moment, as
// long as the crowd has not as many addresses as heads.
func TestCrowdThatGuessesPasswords(t *testing.T) {
	for _, test := range []struct{ cores, addresses int }{{8, 8}, {32, 8}, {32, 1000}} {
		t.Run(fmt.Sprintf("%d cores, %d addresses", test.cores, test.addresses), func(t *testing.T) {
			line, issuer := harness.NewCommandLine(t, "sqlite:"+t.TempDir()+"/wicket.db")
			line = append(line, fmt.Sprintf("GOMAXPROCS=%d", test.cores), "WICKET_TRUSTED_PROXIES=127.0.0.0/8")
			served := line.StartReleased(t, issuer, harness.MemoryGroup(t, 512<<20))
			if p := line.Run(
				t, harness.Password, "user", "create", "--username", harness.Username, "--password-stdin",
			); p.ProcessState.ExitCode() != 0 {
				t.Fatal(&p.ErrOut)
			}
			at := func(address string) *harness.Browser {
				b := (&harness.Server{Issuer: issuer, Transport: from{http.DefaultTransport, address}}).NewBrowser(t)
				b.Timeout = time.Minute
				return b
			}
			known := at("10.0.0.0")
			c := &crowd{issuer: issuer, addresses: test.addresses}
			c.signIn(t, "before the crowd", known, 0)
			c.start(t)
			storagetest.Eventually(t, time.Minute, "a thousand in flight", func() bool {
				return c.failed.Load() > 0 && c.inFlight.Load() > 500
			})
			for range 3 {
				c.signIn(t, "in a known browser", known, 40)
				if test.addresses < 100 {
					c.signIn(t, "in a new browser", at("192.0.2.1"), 100)
				}
			}
			c.end()
			t.Logf("%d failed, %d put off", c.failed.Load(), c.putOff.Load())
			if c.other.Load() > 0 || c.failed.Load() == 0 {
				t.Errorf("%d failed, %d were put off, %d had another answer", c.failed.Load(), c.putOff.Load(), c.other.Load())
			}
			if peak := served.PeakMemory(t); peak > 400<<20 {
				t.Errorf("the server took %d MiB", peak>>20)
			} else {
				t.Logf("the server took %d MiB", peak>>20)
			}
			served.Interrupt(t)
		})
	}
}

// signIn signs in, before which no more than that many of the crowd's passwords are checked: what a password takes
// depends on who else uses the machine.
func (c *crowd) signIn(t testing.TB, where string, b *harness.Browser, ahead int64) {
	t.Helper()
	began, before := time.Now(), c.failed.Load()
	shown := b.SignInAs(t, harness.Username)
	took, checked := time.Since(began), c.failed.Load()-before
	if shown.StatusCode != http.StatusOK || checked > ahead {
		t.Errorf("%s: %s after %s and %d of the crowd's passwords\n%s", where, shown.Status, took, checked, shown.Text)
	}
	t.Logf("%s: %s, %d of the crowd's passwords", where, took, checked)
}
