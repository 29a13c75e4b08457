package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Calls to providers: bounded in time and size, tried again where that is harmless, and never to an address inside our own
// network because a discovery document or a name server says so.

const (
	callTakes    = 10 * time.Second // with all that belongs to it
	maxAnswer    = 1 << 20          // bytes
	maxRedirects = 3
	retries      = 2
)

// errPrivate says that a call would have gone where no provider has business.
var errPrivate = errors.New("the address is not on the public internet; if the provider is inside your network, allow it with --allow-private")

// client returns what the provider is called with.
func (p *Provider) client() *http.Client {
	own := public // what the operator wrote down themself they meant
	if issuer, err := url.Parse(p.Issuer); err == nil {
		if address, err := netip.ParseAddr(issuer.Hostname()); err == nil {
			own = reachOf(address)
		} else if isLoopback(issuer.Hostname()) {
			own = local
		}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		// After the name was resolved, so that no name server can tell us one thing and do another.
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		switch reach := reachOf(to.Addr()); {
		case reach == public, reach != nowhere && (reach == own || p.Settings.AllowPrivate):
			return nil
		}
		return fmt.Errorf("%s: %w", to.Addr(), errPrivate)
	}}
	return &http.Client{
		Timeout: callTakes,
		Transport: persistent{bounded{&http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: callTakes, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10,
		}}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case via[0].Method != http.MethodGet:
				return errors.New("the provider redirects a call that holds a secret")
			case len(via) > maxRedirects:
				return errors.New("the provider redirects in circles")
			}
			return p.checkEndpoint(r.URL.String())
		},
	}
}

// reach is how far from us an address is. Nothing may go to one that is none of these.
type reach int

const (
	nowhere reach = iota // for no one machine, or for the machine's own link: cloud providers keep secrets there
	local                // this machine
	private              // our own network
	public
)

var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func reachOf(address netip.Addr) reach {
	address = address.Unmap().WithZone("")
	switch {
	case address.IsLoopback():
		return local
	case address.IsPrivate(), carrierGrade.Contains(address):
		return private
	case !address.IsGlobalUnicast():
		return nowhere
	}
	for _, prefix := range notPublic {
		if prefix.Contains(address) {
			return nowhere
		}
	}
	return public
}

// checkEndpoint says what is wrong with an address that a provider wants to be called at, or wants people to be sent to.
func (p *Provider) checkEndpoint(endpoint string) error {
	address, err := url.Parse(endpoint)
	if err != nil || address.Host == "" || address.User != nil {
		return fmt.Errorf("%q is not the address of an endpoint", endpoint)
	}
	issuer, err := url.Parse(p.Issuer)
	if err != nil {
		return err
	}
	if address.Scheme == "https" || address.Scheme == "http" && issuer.Scheme == "http" && isLoopback(address.Hostname()) {
		return nil
	}
	return fmt.Errorf("the endpoint %s must begin with https://", endpoint)
}

// bounded reads no more of an answer than a provider has to say.
type bounded struct{ http.RoundTripper }

// RoundTrip makes the call.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{response.Body, maxAnswer}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(into []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the provider's answer is longer than %d bytes", maxAnswer)
	}
	n, err := b.ReadCloser.Read(into[:min(len(into), b.left+1)])
	b.left -= n
	return n, err
}

// persistent tries calls that change nothing again, where the provider seems to have a bad moment.
type persistent struct{ http.RoundTripper }

// RoundTrip makes the call.
func (p persistent) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		response, err := p.RoundTripper.RoundTrip(r)
		bad := err != nil && !errors.Is(err, errPrivate) ||
			err == nil && (response.StatusCode == http.StatusBadGateway || response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusGatewayTimeout)
		if !bad || try == retries || r.Method != http.MethodGet || r.Body != nil && r.Body != http.NoBody {
			return response, err
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if err := pause(r.Context(), 100*time.Millisecond<<(2*try)); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
