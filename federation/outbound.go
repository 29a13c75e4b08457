package federation

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wicket-id/wicket/storage"
)

const callTimeout = 10 * time.Second // of a call to a provider, redirects and retries included

// client builds the HTTP client that calls the provider. No discovery document and no name server can make it call an
// address inside the operator's network, unless the operator allows it.
func (p *Provider) client() *http.Client {
	return storage.Outbound{
		Target: p.Issuer, AllowPrivate: p.Settings.AllowPrivate, Timeout: callTimeout, Redirects: 3, Retries: 2,
		CheckRedirect: func(to *url.URL) error { return p.checkEndpoint(to.String()) },
	}.Client()
}

// explain adds to the error of a call what the operator can do about it.
func explain(err error) error {
	if errors.Is(err, storage.ErrPrivateAddress) {
		return fmt.Errorf("%w; if the provider is inside your network, allow it with --allow-private", err)
	}
	return err
}

// checkEndpoint says what is wrong with the address of an endpoint, which Wicket calls or redirects people to.
func (p *Provider) checkEndpoint(endpoint string) error {
	address, err := url.Parse(endpoint)
	if err != nil || address.Host == "" || address.User != nil {
		return fmt.Errorf("%q is not the address of an endpoint", endpoint)
	}
	issuer, err := url.Parse(p.Issuer)
	if err != nil {
		return err
	}
	onLoopback := issuer.Scheme == "http" && storage.IsLoopback(address.Hostname())
	if address.Scheme == "https" || address.Scheme == "http" && onLoopback {
		return nil
	}
	return fmt.Errorf("the endpoint %s must begin with https://", endpoint)
}
