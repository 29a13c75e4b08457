package federation

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestReach(t *testing.T) {
	for want, addresses := range map[reach][]string{
		public:  {"8.8.8.8", "140.82.121.4", "2606:4700::1111", "::ffff:8.8.8.8", "172.15.0.1", "172.32.0.1"},
		private: {"10.1.2.3", "172.16.0.1", "192.168.1.1", "fd12::1", "::ffff:10.1.2.3", "100.64.0.1"},
		local:   {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"},
		nowhere: {
			"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.0.192",
			"198.18.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001::1", "100::1",
		},
	} {
		for _, address := range addresses {
			if got := reachOf(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s: %d, want %d", address, got, want)
			}
		}
	}
}

// A provider that takes a call and says nothing keeps nobody for long.
func TestSilenceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	u := &Upstreams{Now: time.Now}
	began := time.Now()
	_, _, err := u.metadata(t.Context(), &Provider{ID: "silent", Kind: KindOpenID, Issuer: server.URL})
	if took := time.Since(began); !errors.Is(err, ErrUnreachable) || took > callTakes+5*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
}

// A provider on the internet does not get us to call this machine, whatever its name resolves to or it redirects to.
func TestCallsStayOutside(t *testing.T) {
	reached := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer inside.Close()
	for name, c := range map[string]struct {
		p    Provider
		want int
	}{
		"a provider on the internet":     {Provider{Issuer: "https://login.example.com"}, 0},
		"one at a public address":        {Provider{Issuer: "https://8.8.8.8"}, 0},
		"one in our network":             {Provider{Issuer: "https://10.0.0.1"}, 0},
		"one on this machine":            {Provider{Issuer: "http://127.0.0.1:1"}, 1},
		"one on this machine, by name":   {Provider{Issuer: "http://localhost:1"}, 1},
		"one for which it is allowed":    {Provider{Issuer: "https://login.example.com", Settings: Settings{AllowPrivate: true}}, 1},
		"the cloud's address, as issuer": {Provider{Issuer: "https://169.254.169.254"}, 0},
	} {
		reached = 0
		response, err := c.p.client().Get(inside.URL)
		if err == nil {
			_ = response.Body.Close()
		}
		if reached != c.want || (c.want == 0) != errors.Is(err, errPrivate) {
			t.Errorf("%s: reached %d times, %v", name, reached, err)
		}
	}
	// Even where everything is allowed, not the machine's own link.
	allowed := Provider{Issuer: "http://localhost:1", Settings: Settings{AllowPrivate: true}}
	if _, err := allowed.client().Get("http://169.254.169.254/latest/meta-data"); !errors.Is(err, errPrivate) {
		t.Errorf("the cloud's own address: %v", err)
	}
}

func TestRedirectsAreLookedAt(t *testing.T) {
	var to string
	posted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posted++
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	p := Provider{Issuer: server.URL}
	for _, to = range []string{"https://169.254.169.254/", "https://10.0.0.1/", "http://example.com/", "ftp://127.0.0.1/", server.URL} {
		if response, err := p.client().Get(server.URL); err == nil {
			_ = response.Body.Close()
			t.Errorf("%s was followed: %s", to, response.Status)
		}
	}
	if response, err := p.client().Post(server.URL, "text/plain", strings.NewReader("secret")); err == nil {
		_ = response.Body.Close()
		t.Error("what holds a secret was redirected")
	}
	if posted != 1 {
		t.Errorf("posted %d times", posted)
	}
}

func TestCallsAreBoundedAndPersistent(t *testing.T) {
	calls, answers := 0, []int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := answers[min(calls, len(answers)-1)]
		calls++
		w.WriteHeader(status)
		if r.URL.Path == "/long" {
			_, _ = w.Write(make([]byte, maxAnswer+1))
		}
	}))
	defer server.Close()
	client := (&Provider{Issuer: server.URL}).client()
	for name, c := range map[string]struct {
		method        string
		answers       []int
		calls, status int
	}{
		"a bad moment":           {http.MethodGet, []int{503, 502, 200}, 3, 200},
		"a bad hour":             {http.MethodGet, []int{503}, 3, 503},
		"a refusal":              {http.MethodGet, []int{403, 200}, 1, 403},
		"what changes something": {http.MethodPost, []int{503, 200}, 1, 503},
	} {
		calls, answers = 0, c.answers
		request, err := http.NewRequest(c.method, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if calls != c.calls || response.StatusCode != c.status {
			t.Errorf("%s: %d calls, %s", name, calls, response.Status)
		}
	}
	calls, answers = 0, []int{200}
	response, err := client.Get(server.URL + "/long")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err == nil || len(body) > maxAnswer+1 {
		t.Errorf("read %d bytes, %v", len(body), err)
	}
}
