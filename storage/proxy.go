package storage

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

// proxied sends requests through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for them, if any.
type proxied struct {
	direct, through *http.Transport
	proxy           func(*url.URL) (*url.URL, error)
	allowed         func(netip.Addr) error
}

// newProxied makes a transport of one that connects by itself. allowed says which addresses requests may go to.
func newProxied(direct *http.Transport, allowed func(netip.Addr) error) *proxied {
	through := direct.Clone()
	through.DialContext = (&net.Dialer{Timeout: outboundDial}).DialContext
	proxy := httpproxy.FromEnvironment().ProxyFunc()
	through.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
	return &proxied{direct, through, proxy, allowed}
}

// RoundTrip sends the request.
func (p *proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	proxy, err := p.proxy(r.URL)
	if err != nil {
		return nil, err
	}
	if proxy == nil {
		return p.direct.RoundTrip(r)
	}
	if err := p.check(r); err != nil {
		return nil, err
	}
	return p.through.RoundTrip(r)
}

// check refuses a request whose host resolves to an address that is not allowed. The proxy resolves it anew, and a name
// that this machine does not know may be one that the proxy knows: what it may reach is its operator's to say.
func (p *proxied) check(r *http.Request) error {
	addresses, err := net.DefaultResolver.LookupNetIP(r.Context(), "ip", r.URL.Hostname())
	if unknown := (*net.DNSError)(nil); errors.As(err, &unknown) {
		return nil
	} else if err != nil {
		return err
	}
	for _, address := range addresses {
		if err := p.allowed(address); err != nil {
			return err
		}
	}
	return nil
}
