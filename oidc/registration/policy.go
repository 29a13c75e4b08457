package registration

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Policy is what an app that registers itself may be, when it registers and whenever it changes its metadata. The zero
// Policy is that for anybody.
type Policy struct {
	// Hosts are the only ones that the web addresses of the app may have; with a dot in front, their subdomains too.
	// Empty: any.
	Hosts []string `json:"hosts,omitempty"`
	// Scopes it may have besides Wicket's own but roles and groups, and those of APIs that are open to any app.
	Scopes []string `json:"scopes,omitempty"`
	// APIs that it may ask for tokens for, besides those.
	APIs []string `json:"apis,omitempty"`
	// MayActForItself lets it have client_credentials: tokens that no person has agreed to.
	MayActForItself bool `json:"may_act_for_itself,omitempty"`
	// MayConnectDevices lets it have the device grant: no address to which people are sent back tells there that the app
	// is the one that it calls itself, so that it is the one with which they are tricked most easily.
	MayConnectDevices bool `json:"may_connect_devices,omitempty"`
}

// grantTypes are those that the policy lets an app have.
func (p Policy) grantTypes() []string {
	return slices.DeleteFunc(slices.Clone(oidc.GrantTypes), func(name string) bool {
		return name == oidc.GrantClientCredentials && !p.MayActForItself ||
			name == oidc.GrantDeviceCode && !p.MayConnectDevices
	})
}

// checkHosts says which web address of a client the policy does not allow.
func (p Policy) checkHosts(client *clients.Client) error {
	if len(p.Hosts) == 0 {
		return nil
	}
	for _, uri := range append(slices.Clone(client.RedirectURIs), client.PostLogoutRedirectURIs...) {
		if !isHTTPS(uri) {
			return fmt.Errorf("%q is not an https URL, and an app of this registration may have no other", uri)
		}
	}
	for _, uri := range client.WebAddresses() {
		parsed, err := url.Parse(uri)
		if err != nil || !p.allowsHost(parsed.Hostname()) {
			return fmt.Errorf("%q is at a host that an app of this registration may not use", uri)
		}
	}
	return nil
}

func (p Policy) allowsHost(host string) bool {
	return slices.ContainsFunc(p.Hosts, func(allowed string) bool { return within(host, allowed) })
}

// within tells whether a host is the allowed one, or, where that begins with a dot, below it. Whole labels are
// compared: a pattern would let example.com.evil.example pass.
func within(host, allowed string) bool {
	host, allowed = strings.ToLower(host), strings.ToLower(allowed)
	if below, isSuffix := strings.CutPrefix(allowed, "."); isSuffix {
		return host == below || strings.HasSuffix(host, allowed)
	}
	return host == allowed
}
