package registration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

const codeMetadata = "invalid_client_metadata" // RFC 7591, section 3.2.2

// invalidMetadata is the error of RFC 7591, section 3.2.2.
func invalidMetadata(cause error) *oidc.Error {
	code := codeMetadata
	if errors.Is(cause, clients.ErrRedirectURI) {
		code = "invalid_redirect_uri"
	}
	return &oidc.Error{Code: code, Description: "The metadata cannot be registered: " + cause.Error() + ".",
		Status: http.StatusBadRequest}
}

// read reads what an app says of itself, as a client that the policy allows. What an app may not decide by itself is
// ignored, as RFC 7591, section 2, has it for what a server does not know; so are grant types that it may not have. It
// returns an *oidc.Error for what is refused. settle says what is known of the client besides, before it is judged.
func (s *Service) read(
	ctx context.Context, object []byte, policy Policy, settle func(*clients.Client),
) (*clients.Client, error) {
	if len(object) > maxMetadata {
		return nil, invalidMetadata(fmt.Errorf("it is longer than %d bytes", maxMetadata))
	}
	client, others, err := clients.ReadOwnMetadata(object)
	if err != nil {
		return nil, invalidMetadata(err)
	}
	if _, given := others["software_statement"]; given {
		return nil, &oidc.Error{
			Code: "unapproved_software_statement", Status: http.StatusBadRequest,
			Description: "No issuer of software statements is trusted here. Leave the software_statement out.",
		}
	}
	settle(client)
	if len(client.GrantTypes) > 0 {
		if client.GrantTypes = oidc.Intersect(client.GrantTypes, s.grantTypes(policy)); len(client.GrantTypes) == 0 {
			return nil, invalidMetadata(errors.New("none of the grant types is one that this app may have"))
		}
	}
	if len(client.ResponseTypes) > 0 {
		for i, asked := range client.ResponseTypes {
			client.ResponseTypes[i] = oidc.ResponseType(asked)
		}
		offered := s.OfferedResponseTypes()
		if client.ResponseTypes = oidc.Intersect(client.ResponseTypes, offered); len(client.ResponseTypes) == 0 {
			return nil, invalidMetadata(errors.New("none of the response types is one that this app may have"))
		}
	}
	if client.Scopes, err = s.scopes(ctx, client, policy); err != nil {
		return nil, oidc.ServerError(err)
	}
	client.APIs = policy.APIs
	if client.IDTokenClaims == "" { // such an app follows the specification, and asks userinfo
		client.IDTokenClaims = clients.IDTokenMinimal
	}
	if client.Name == "" { // people must read something when they are asked for consent
		client.Name = nameOf(client)
	}
	if err := checkApplicationType(client); err != nil {
		return nil, invalidMetadata(err)
	}
	if err := policy.checkHosts(client); err != nil {
		return nil, invalidMetadata(err)
	}
	if err := client.Complete(); err != nil {
		return nil, invalidMetadata(err)
	}
	if err := s.Clients.Prepare(ctx, client); errors.Is(err, clients.ErrClient) {
		return nil, invalidMetadata(err)
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return client, nil
}

// grantTypes are those that a client may have.
func (s *Service) grantTypes(policy Policy) []string {
	allowed := policy.grantTypes()
	if s.AllResponseTypes {
		allowed = append(allowed, oidc.GrantImplicit)
	}
	return allowed
}

// scopes are those that a client gets of what it asks for; without a word, Wicket's own but roles and groups, which are
// an operator's to give. Those of open APIs are named by some to say what they will ask for.
func (s *Service) scopes(ctx context.Context, client *clients.Client, policy Policy) ([]string, error) {
	allowed := append(oidc.EverydayScopes(), policy.Scopes...)
	if len(client.Scopes) == 0 {
		return allowed, nil
	}
	open, err := s.APIs.OpenScopes(ctx)
	if err != nil {
		return nil, err
	}
	scopes := oidc.Intersect(client.Scopes, append(allowed, open...))
	if !slices.ContainsFunc(scopes, func(scope string) bool { return !oidc.IsOwnScope(scope) }) {
		scopes = append(scopes, policy.Scopes...) // or it would have all scopes of the policy's APIs
	}
	return scopes, nil
}

// maxMetadata is how many bytes an app may say of itself: the audit trail keeps what it was before each change.
const maxMetadata = 16 << 10

// nameOf is what an app is called that does not say.
func nameOf(client *clients.Client) string {
	for _, uri := range append([]string{client.ClientURI}, client.RedirectURIs...) {
		if parsed, err := url.Parse(uri); err == nil && parsed.Host != "" {
			return parsed.Host
		}
	}
	return "An app without a name"
}

// The kinds of apps: OpenID Connect Dynamic Client Registration, section 2.
const (
	web    = "web"
	native = "native"
)

// checkApplicationType demands of the redirect URIs what application_type says. It may be left out: an app that can
// receive answers on a person's own machine is a native one then, as clients of the Model Context Protocol are that do
// not say so.
func checkApplicationType(client *clients.Client) error {
	onMachine := slices.ContainsFunc(client.RedirectURIs, clients.IsAnyPrograms)
	switch client.ApplicationType {
	case "":
		client.ApplicationType = web
		if onMachine {
			client.ApplicationType = native
		}
	case web:
		if onMachine {
			return errorRedirect("a redirect URI of an app of the type web must be an https URL, and not on this machine")
		}
	case native:
		if !onMachine && len(client.RedirectURIs) > 0 && !slices.ContainsFunc(client.RedirectURIs, isHTTPS) {
			return errorRedirect("a redirect URI of an app of the type native must be on this machine, or have a scheme of its own")
		}
	default:
		return errors.New("application_type must be web or native")
	}
	return nil
}

func isHTTPS(uri string) bool {
	parsed, err := url.Parse(uri)
	return err == nil && parsed.Scheme == "https"
}

func errorRedirect(text string) error { return fmt.Errorf("%w: %s", clients.ErrRedirectURI, text) }

// Information is what a registered app is told of its registration: RFC 7591, section 3.2.1.
type Information = json.RawMessage
