package protocol

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/cache"
)

// limited is a change of configuration: these limits, which do not come back within a test, and no other.
func limited(limits map[string]int64) func(*harness.Config) {
	return func(c *harness.Config) {
		c.Limits = cache.Rates{}
		for name, n := range limits {
			c.Limits[name] = cache.Rate{N: n, Per: 24 * time.Hour}
		}
	}
}

// retryAfter is how many seconds a refusal says to wait; 0 where it says nothing fit.
func retryAfter(header http.Header) int {
	seconds, _ := strconv.Atoi(header.Get("Retry-After"))
	return seconds
}

func clientCredentials(t testing.TB, h *harness.Server, client harness.Client) harness.Answer {
	t.Helper()
	return h.Call(t, oidc.PathToken, client, url.Values{"grant_type": {oidc.GrantClientCredentials}})
}

// Three replicas and twenty clients at once: of what they share exactly the budget is spent, and of one process's own
// where Redis is gone.
func TestReplicasShareOneBudget(t *testing.T) {
	t.Parallel()
	const budget = 60
	servers, server := harness.StartReplicas(t, 3, limited(map[string]int64{"token.client": budget}))
	client, another := servers[0].AddClient(t, nil), servers[0].AddClient(t, nil)
	storm := func(client harness.Client, servers ...*harness.Server) (spent, refused int64) {
		var yes, no atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				for range 8 {
					switch a := clientCredentials(t, servers[i%len(servers)], client); {
					case a.Status == http.StatusOK:
						yes.Add(1)
					case a.Status == http.StatusTooManyRequests && a.Text("error") == "temporarily_unavailable" &&
						retryAfter(a.Header) > 60:
						no.Add(1)
					default:
						t.Errorf("%d %v %v", a.Status, a.Header, a.JSON)
					}
				}
			})
		}
		wg.Wait()
		return yes.Load(), no.Load()
	}
	if spent, refused := storm(client, servers...); spent != budget || refused != 160-budget {
		t.Errorf("three replicas spent %d and refused %d, want %d and %d", spent, refused, budget, 160-budget)
	}
	if a := clientCredentials(t, servers[1], another); a.Status != http.StatusOK {
		t.Errorf("another client: %d %v", a.Status, a.JSON)
	}
	server.Kill()
	alone := servers[0].AddClient(t, nil)
	if spent, _ := storm(alone, servers[2]); spent != budget {
		t.Errorf("without Redis a process spent %d, want %d", spent, budget)
	}
}

// A network is counted: by the true address, which a proxy tells only if it is trusted, and IPv6 by /64.
func TestLimitByNetwork(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, sample *harness.Server) {
		for _, test := range []struct {
			name    string
			trusted []string
			tries   []string // X-Forwarded-For
			want    []int    // status
		}{
			{"nobody is trusted", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, []int{200, 200, 429}},
			{"addresses of IPv4", []string{"127.0.0.1"}, []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"}, []int{
				200, 200, 200, 429,
			}},
			{"what a visitor put before it is not trusted", []string{"127.0.0.0/8"}, []string{
				"10.0.0.1, 192.0.2.1", "10.0.0.2, 192.0.2.1", "10.0.0.3, 192.0.2.1",
			}, []int{200, 200, 429}},
			{"networks of IPv6", []string{"127.0.0.1"}, []string{
				"2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "2001:db8::3",
			}, []int{200, 200, 200, 429}},
			{"IPv4 in IPv6", []string{"127.0.0.1"}, []string{
				"::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1",
			}, []int{200, 200, 200, 429}},
		} {
			t.Run(test.name, func(t *testing.T) {
				h := sample.Replica(t, limited(map[string]int64{"sign-in.ip": 2}), func(c *harness.Config) {
					c.TrustedProxies = test.trusted
				})
				for i, address := range test.tries {
					request, err := http.NewRequest(http.MethodGet, h.Issuer+"/sign-in", nil)
					if err != nil {
						t.Fatal(err)
					}
					request.Header.Set("X-Forwarded-For", address)
					response, err := http.DefaultClient.Do(request)
					shown := harness.ReadPage(t, response, err)
					if shown.StatusCode != test.want[i] {
						t.Errorf("from %s: %s, want %d", address, shown.Status, test.want[i])
					}
					if test.want[i] == 429 &&
						(retryAfter(shown.Header) < 60 || !strings.Contains(shown.Text, "Too many requests") ||
							!strings.Contains(shown.Text, "seconds")) {
						t.Errorf("the page says %v\n%s", shown.Header, shown.Text)
					}
				}
				for range 5 { // what costs nothing, and other pages
					if shown := h.NewBrowser(t).Get(t, oidc.PathConfiguration); shown.StatusCode != http.StatusOK {
						t.Errorf("discovery: %s", shown.Status)
					}
					if shown := h.NewBrowser(t).Get(t, "/forgot-password"); shown.StatusCode != http.StatusOK {
						t.Errorf("another page: %s", shown.Status)
					}
				}
			})
		}
	})
}

// An account is counted on whatever device it is used, and another is not.
func TestLimitByAccount(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, sample *harness.Server) {
		h := sample.Replica(t, limited(map[string]int64{"account.account": 4, "authorize.account": 2}))
		h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password})
		laptop, phone, bobs := h.NewBrowser(t), h.NewBrowser(t), h.NewBrowser(t)
		laptop.SignIn(t, harness.Page{}) // and is shown the account page
		phone.SignIn(t, harness.Page{})
		statuses := ""
		for _, b := range []*harness.Browser{laptop, phone, laptop, phone} {
			shown := b.Get(t, "/account")
			statuses += fmt.Sprint(shown.StatusCode, " ")
			if shown.StatusCode == http.StatusTooManyRequests && retryAfter(shown.Header) < 60 {
				t.Errorf("Retry-After is %q", shown.Header.Get("Retry-After"))
			}
		}
		if statuses != "200 200 429 429 " {
			t.Errorf("alice on two devices: %s", statuses)
		}
		if shown := bobs.Post(
			t, "/sign-in", url.Values{"username": {"bob"}, "password": {harness.Password}},
		); shown.StatusCode != http.StatusOK {
			t.Errorf("bob: %s", shown.Status)
		}
		client := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true })
		laptop.Code(t, client, nil)
		phone.Code(t, client, nil)
		if shown := laptop.Get(t, h.AuthorizeURL(client, nil)); shown.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the third app in a day: %s", shown.Status)
		}
		if code := bobs.Code(t, client, nil); code == "" {
			t.Error("bob gets no code")
		}
	})
}

// A client is counted once it has shown who it is, so that nobody uses up what is another's. What anybody may claim to
// be, a public client, is counted for each network.
func TestLimitByClient(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, sample *harness.Server) {
		h := sample.Replica(t, limited(map[string]int64{"token.client": 2, "introspect.client": 1}), func(c *harness.Config) {
			c.TrustedProxies = []string{"127.0.0.1"}
		})
		client := h.AddClient(t, nil)
		visitor := harness.Client{Client: client.Client, Secret: "guessed"}
		for range 5 {
			if a := clientCredentials(t, h, visitor); a.Status != http.StatusUnauthorized {
				t.Errorf("a visitor: %d %v", a.Status, a.JSON)
			}
		}
		for i, want := range []int{200, 200, 429} {
			if a := clientCredentials(t, h, client); a.Status != want {
				t.Errorf("request %d: %d %v, want %d", i, a.Status, a.JSON, want)
			}
		}
		for i, want := range []int{200, 429} { // another endpoint, another allowance
			if a := h.Call(t, oidc.PathIntrospect, client, url.Values{"token": {"unknown"}}); a.Status != want {
				t.Errorf("introspection %d: %d %v, want %d", i, a.Status, a.JSON, want)
			}
		}
		public := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		ask := func(from string) int {
			request, err := http.NewRequest(
				http.MethodPost, h.Issuer+oidc.PathToken,
				strings.NewReader(
					url.Values{
						"client_id": {public.ID}, "grant_type": {oidc.GrantRefreshToken}, "refresh_token": {"unknown"},
					}.Encode(),
				),
			)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("X-Forwarded-For", from)
			request.Header.Set("Origin", "http://localhost:9999")
			response, err := http.DefaultClient.Do(request)
			shown := harness.ReadPage(t, response, err)
			if shown.StatusCode == http.StatusTooManyRequests && shown.Header.Get("Access-Control-Allow-Origin") == "" {
				t.Error("a page cannot read that it asks too often")
			}
			return shown.StatusCode
		}
		if got := []int{ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.2")}; fmt.Sprint(got) != "[400 400 429 400]" {
			t.Errorf("a public client from two networks: %v", got)
		}
	})
}

// What identity counts by itself, such as requests for a new password, says when to come back too.
func TestRefusalsSayWhenToComeBack(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		var shown harness.Page
		for range 51 {
			shown = b.Post(t, "/forgot-password", url.Values{"login": {"nobody"}})
		}
		if shown.StatusCode != http.StatusTooManyRequests || retryAfter(shown.Header) != 60 {
			t.Errorf("%s, Retry-After %q", shown.Status, shown.Header.Get("Retry-After"))
		}
	})
}
