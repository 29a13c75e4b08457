package storage

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestAddressKinds(t *testing.T) {
	for want, addresses := range map[addressKind][]string{
		publicAddress:   {"8.8.8.8", "140.82.121.4", "2606:4700::1111", "::ffff:8.8.8.8", "172.15.0.1", "172.32.0.1"},
		privateAddress:  {"10.1.2.3", "172.16.0.1", "192.168.1.1", "fd12::1", "::ffff:10.1.2.3", "100.64.0.1"},
		loopbackAddress: {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"},
		forbiddenAddress: {
			"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::",
			"224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.0.192",
			"198.18.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001::1", "100::1",
			"::7f00:1", "::ffff:0:7f00:1", "fec0::1",
		},
	} {
		for _, address := range addresses {
			if got := addressKindOf(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s: %d, want %d", address, got, want)
			}
		}
	}
}

func TestOutboundIsBoundedAndRetries(t *testing.T) {
	calls, answers := 0, []int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := answers[min(calls, len(answers)-1)]
		calls++
		w.WriteHeader(status)
		if r.URL.Path == "/long" {
			_, _ = w.Write(make([]byte, outboundMaxBody+1))
		}
	}))
	defer server.Close()
	client := Outbound{Target: server.URL, Retries: 2}.Client()
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
	if body, err := io.ReadAll(response.Body); err == nil || len(body) > outboundMaxBody+1 {
		t.Errorf("read %d bytes, %v", len(body), err)
	}
}

// Without a word of the operator's no request reaches this machine, and none is redirected.
func TestOutboundIsCarefulByDefault(t *testing.T) {
	t.Parallel()
	reached := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	if _, err := (Outbound{}).Client().Get(server.URL); !errors.Is(err, ErrPrivateAddress) || reached != 0 {
		t.Errorf("a request to this machine: %v, reached %d times", err, reached)
	}
	if _, err := (Outbound{Target: server.URL}).Client().Get(server.URL); !errors.Is(err, errRedirected) || reached != 1 {
		t.Errorf("a redirect: %v, reached %d times", err, reached)
	}
}

// What goes over http goes to this machine, even where a name server says that localhost is another.
func TestPlainHTTPStaysHere(t *testing.T) {
	t.Parallel()
	for target, fails := range map[string][]string{
		"http://localhost:8080":  {"93.184.216.34", "10.1.2.3", "2606:4700::1111"},
		"http://127.0.0.1":       {"93.184.216.34", "10.1.2.3"},
		"https://localhost:8443": {"10.1.2.3"},
	} {
		allowed := Outbound{Target: target}.allowed()
		if err := allowed(netip.MustParseAddr("127.0.0.1")); err != nil {
			t.Errorf("%s is here: %v", target, err)
		}
		for _, address := range fails {
			if err := allowed(netip.MustParseAddr(address)); err == nil {
				t.Errorf("%s may be at %s", target, address)
			}
		}
	}
	if IsLoopback("sms.localhost") {
		t.Error("a name server says where sms.localhost is")
	}
}

// The network policy of the chart keeps https from the same networks as the dialer keeps its requests.
func TestTheChartKnowsTheSameAddresses(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../helm/wicket/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		NetworkPolicy struct {
			HTTPS struct {
				To []struct {
					IPBlock struct {
						CIDR   netip.Prefix   `yaml:"cidr"`
						Except []netip.Prefix `yaml:"except"`
					} `yaml:"ipBlock"`
				} `yaml:"to"`
			} `yaml:"https"`
		} `yaml:"networkPolicy"`
	}
	if err := yaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	var allowed, except []netip.Prefix
	for _, peer := range values.NetworkPolicy.HTTPS.To {
		allowed, except = append(allowed, peer.IPBlock.CIDR), append(except, peer.IPBlock.Except...)
	}
	in := func(networks []netip.Prefix, address netip.Addr) bool {
		return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(address) })
	}
	edges := slices.Concat(except, specialAddresses)
	for _, known := range []string{
		"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4",
		"255.255.255.255/32", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8", "1.1.1.1/32", "2606:4700::1111/128",
	} {
		edges = append(edges, netip.MustParsePrefix(known))
	}
	for _, network := range edges {
		first, last := network.Masked().Addr(), lastOf(network)
		for _, address := range []netip.Addr{first.Prev(), first, last, last.Next()} {
			if address.IsValid() && (in(allowed, address) && !in(except, address)) != (addressKindOf(address) == publicAddress) {
				t.Errorf("%s: the dialer lets it through, or the chart does, and not both", address)
			}
		}
	}
	if len(except) < 20 || !slices.Equal(allowed, []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"),
	}) {
		t.Errorf("%v but for %v", allowed, except)
	}
}

// lastOf is the last address of a network.
func lastOf(network netip.Prefix) netip.Addr {
	bytes := network.Masked().Addr().AsSlice()
	for bit := network.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}
