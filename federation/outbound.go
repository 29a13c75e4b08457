package federation

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wicket-id/wicket/storage"
)

const callTimeout = 10 * time.Second // of a call to a provider, with all that belongs to it

// client builds the HTTP client by which the provider is called: never an address inside the operator's network because
// a discovery document or a name server says so, unless the operator allows it.
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

// checkEndpoint says what is wrong with an address that a provider wants to be called at, or wants people to be sent
// to.
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
