package storage

import (
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

// Outbound says how requests of one kind leave the server: every outgoing request is made by a client that it built.
// The zero value is the most careful: public addresses only, no redirect, ten seconds, a mebibyte.
type Outbound struct {
	// Target is a URL that the operator wrote down. Where its host is this machine, or an address of a private network,
	// requests may go to addresses of that kind; empty: to public ones alone. With http:// they go to no public one,
	// whatever a name server says.
	Target string
	// AllowPrivate lets requests go to private networks and to this machine, whatever their names resolve to.
	AllowPrivate bool
	// Redirects is how many redirects of a GET are followed. A request with a body is never redirected.
	Redirects int
	// CheckRedirect may refuse where a redirect leads; nil: every address that the dialer allows is good.
	CheckRedirect func(to *url.URL) error
	// Retries is how many times a GET is sent again after a network error or a status 502, 503 or 504.
	Retries int
	// Timeout bounds a request with all that belongs to it, retries and body included; 0: ten seconds.
	Timeout time.Duration
	// MaxBody is how many bytes of a body are read before an error; 0: a mebibyte.
	MaxBody int
}

const (
	outboundTimeout = 10 * time.Second
	outboundMaxBody = 1 << 20
	outboundDial    = 5 * time.Second // of the timeout, for the connection and for TLS
)

// What can be wrong with an outgoing request.
var (
	// ErrPrivateAddress says that a request would have gone to an address that is not on the public internet.
	ErrPrivateAddress = errors.New("the address is not on the public internet")
	errNotThisMachine = errors.New("http:// is for this machine alone, and the address is not its own")
	errRedirected     = errors.New("redirected, which is not allowed here")
)

// Client builds the HTTP client. Build it once for each destination: it keeps connections.
func (o Outbound) Client() *http.Client {
	if o.Timeout == 0 {
		o.Timeout = outboundTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = outboundMaxBody
	}
	allowed := o.allowed()
	dialer := &net.Dialer{Timeout: outboundDial, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return allowed(to.Addr())
	}}
	direct := &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: outboundDial,
		ResponseHeaderTimeout: o.Timeout, IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 4,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Timeout:       o.Timeout,
		Transport:     retrying{boundedTransport{newProxied(direct, allowed), o.MaxBody}, o.Retries},
		CheckRedirect: o.checkRedirect,
	}
}

// allowed says which addresses requests may go to. The dialer asks it after the name was resolved, so that no name
// server can say one thing to a check and another to the dialer.
func (o Outbound) allowed() func(netip.Addr) error {
	target, onlyThisMachine := publicAddress, false
	if parsed, err := url.Parse(o.Target); err == nil && o.Target != "" {
		onlyThisMachine = parsed.Scheme == "http"
		if address, err := netip.ParseAddr(parsed.Hostname()); err == nil {
			target = addressKindOf(address)
		} else if IsLoopback(parsed.Hostname()) {
			target = loopbackAddress
		}
	}
	return func(to netip.Addr) error {
		switch kind := addressKindOf(to); {
		case kind == publicAddress && onlyThisMachine:
			return fmt.Errorf("%s: %w", to, errNotThisMachine)
		case kind == publicAddress:
			return nil
		case kind != forbiddenAddress && (kind == target || o.AllowPrivate):
			return nil
		}
		return fmt.Errorf("%s: %w", to, ErrPrivateAddress)
	}
}

func (o Outbound) checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet || len(via) > o.Redirects:
		return errRedirected
	case o.CheckRedirect != nil:
		return o.CheckRedirect(r.URL)
	}
	return nil
}

// IsPublicAddress tells whether an address may be that of one machine in the Internet.
func IsPublicAddress(address netip.Addr) bool { return addressKindOf(address) == publicAddress }

// IsLoopback tells whether a host, a name or an address without a port, is this machine. Names below localhost are not:
// Go asks a name server for them.
func IsLoopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	return host == "localhost"
}

// addressKind is how far from this server an address is.
type addressKind int

const (
	forbiddenAddress addressKind = iota // of no one machine, or of the link: cloud providers keep credentials there
	loopbackAddress
	privateAddress
	publicAddress
)

// specialAddresses are reserved by the IANA registries of special-purpose addresses (RFC 6890), besides those that
// net/netip knows.
var specialAddresses = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"),
	netip.MustParsePrefix("fec0::/10"),
}

var carrierGradeNAT = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

func addressKindOf(address netip.Addr) addressKind {
	address = address.Unmap().WithZone("")
	switch {
	case address.IsLoopback():
		return loopbackAddress
	case address.IsPrivate(), carrierGradeNAT.Contains(address):
		return privateAddress
	case !address.IsGlobalUnicast():
		return forbiddenAddress
	}
	for _, prefix := range specialAddresses {
		if prefix.Contains(address) {
			return forbiddenAddress
		}
	}
	return publicAddress
}

// boundedTransport reads no more of a body than is allowed.
type boundedTransport struct {
	http.RoundTripper
	max int
}

// RoundTrip sends the request.
func (b boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{ReadCloser: response.Body, max: b.max, left: b.max}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	max, left int
}

func (b *boundedBody) Read(into []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes", b.max)
	}
	n, err := b.ReadCloser.Read(into[:min(len(into), b.left+1)])
	b.left -= n
	return n, err
}

// retrying sends requests that change nothing again, where the other side seems to have a bad moment.
type retrying struct {
	http.RoundTripper
	retries int
}

// RoundTrip sends the request.
func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		response, err := t.RoundTripper.RoundTrip(r)
		if !isTransient(response, err) || try >= t.retries || r.Method != http.MethodGet || r.Body != nil &&
			r.Body != http.NoBody {
			return response, err
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if err := Wait(r.Context(), 100*time.Millisecond<<(2*try)); err != nil {
			return nil, err
		}
	}
}

// isTransient tells whether a request failed for a reason that may be gone a moment later.
func isTransient(response *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, ErrPrivateAddress) && !errors.Is(err, errNotThisMachine)
	}
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
