package federation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/identity"
)

// openIDProvider is any OpenID Provider: what the specification says and nothing more.
type openIDProvider struct{ openIDConnect }

// setDefaults leaves a slash at the end of the issuer where it is: issuers are compared character by character.
func (openIDProvider) setDefaults(p *Provider) { p.fill("", "", EmailsUnproved) }

func (openIDProvider) checkSettings(s *Settings) error {
	if err := s.refuseTenants(); err != nil {
		return err
	}
	return s.requireProvedDomains()
}

func (openIDProvider) parameters(p *Provider, o RequestOptions, nonce string) map[string]string {
	parameters := openIDParameters(o, nonce)
	if o.Again {
		parameters["prompt"], parameters["max_age"] = "login", "0"
	}
	if acr := p.acrValues(o); acr != "" {
		parameters["acr_values"] = acr
	}
	return parameters
}

// acrValues are the authentication context classes to request, by those that an app requests. Ours mean nothing to the
// provider; instead of those that need a second factor it gets the one that the operator has set.
func (p *Provider) acrValues(o RequestOptions) string {
	var values []string
	for _, value := range o.ACRValues {
		if !slices.Contains(identity.ACRs, value) {
			values = append(values, value)
		}
	}
	if p.Settings.MultiFactor != "" && slices.ContainsFunc(o.ACRValues, wantsMultiFactor) {
		values = append(values, p.Settings.MultiFactor)
	}
	return strings.Join(values, " ")
}

// wantsMultiFactor tells whether a second factor would satisfy the class acr, and one factor would not.
func wantsMultiFactor(acr string) bool {
	return identity.Assures(identity.ACRMultiFactor, acr) && !identity.Assures(identity.ACRFederated, acr)
}

// identify takes the ID token, and userinfo for claims that the token lacks.
func (o openIDProvider) identify(ctx context.Context, r *tokenResponse) (*verifiedClaims, error) {
	verified, err := r.readIDToken(ctx, o)
	if err != nil || r.metadata.UserinfoEndpoint == "" {
		return verified, err
	}
	if err := verified.addUserinfo(ctx, r); err != nil {
		return nil, err
	}
	return verified, nil
}

// addUserinfo adds the claims of userinfo: OpenID Connect Core, section 5.3. Those of the ID token win, and an address
// goes together with whether it is verified.
func (c *verifiedClaims) addUserinfo(ctx context.Context, r *tokenResponse) error {
	info, err := r.metadata.openID.UserInfo(ctx, oauth2.StaticTokenSource(r.Token))
	if err != nil {
		return fmt.Errorf("%w: userinfo", ErrUnreachable)
	}
	if info.Subject != c.Subject {
		return fmt.Errorf("%w: userinfo is about somebody else", ErrInvalidResponse)
	}
	added := make(map[string]any)
	if err := info.Claims(&added); err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrInvalidResponse, err)
	}
	if _, here := c.claims["email"]; here {
		delete(added, "email_verified")
	}
	for name, value := range added {
		if _, here := c.claims[name]; !here {
			c.claims[name] = value
		}
	}
	c.readEmail()
	return nil
}
