package clients

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
)

// ProfileFAPI2 is the FAPI 2.0 Security Profile, for apps whose tokens open what must not be stolen.
const ProfileFAPI2 = "fapi2"

// Profile is what a client has promised to keep to, beyond what every client must.
type Profile struct {
	Name string
	// it must push its authorization requests, bind its tokens to a key, and use PKCE, without having been told
	Pushes, Binds, ProvesCode bool
	AuthMethods               []string                  // how it may authenticate; nil: in any way
	ResponseTypes             []string                  // what it may ask for; nil: whatever is offered
	Algs                      []jose.SignatureAlgorithm // of all signatures, its own and ours; nil: any that we know
	SecureRedirects           bool                      // its redirect URIs are https, or on the own machine
	IssuerAlone               bool                      // its assertions name the issuer as aud, as one string
	KeepsRefreshTokens        bool                      // they stay as they are: without its key they are worth nothing
}

// profiles are the profiles by their sections: FAPI 2.0 Security Profile, 5.3.2.1, 5.3.2.2 and 5.4.1.
var profiles = []Profile{
	{},
	{
		Name: ProfileFAPI2, Pushes: true, Binds: true, ProvesCode: true, AuthMethods: []string{AuthPrivateKeyJWT},
		ResponseTypes: []string{"code"}, Algs: []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA},
		SecureRedirects: true, IssuerAlone: true, KeepsRefreshTokens: true,
	},
}

// ProfileOf is the profile of a client.
func ProfileOf(c *Client) *Profile {
	if i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == c.Profile }); i >= 0 {
		return &profiles[i]
	}
	return &profiles[0]
}

// fillInProfile chooses what a profile demands where it was left out.
func fillInProfile(c *Client) {
	profile := ProfileOf(c)
	if profile.Name == "" {
		return
	}
	c.RequirePAR, c.DPoPBound, c.RequirePKCE = profile.Pushes, profile.Binds, profile.ProvesCode
	if c.AuthMethod == "" {
		c.AuthMethod = profile.AuthMethods[0]
	}
	for _, alg := range []*string{&c.IDTokenAlg, &c.ResponseAlg, &c.IntrospectionAlg} {
		if *alg == "" {
			*alg = string(jose.ES256)
		}
	}
}

// checkProfile says in what a client does not keep to its profile.
func checkProfile(c *Client) error {
	profile := ProfileOf(c)
	if profile.Name != c.Profile {
		return fmt.Errorf("the profile %q is not %s", c.Profile, ProfileFAPI2)
	}
	if profile.Name == "" {
		return nil
	}
	if c.AnySecretMethod || !slices.Contains(profile.AuthMethods, c.AuthMethod) {
		return fmt.Errorf("an app of the profile %s authenticates by %s", c.Profile, strings.Join(profile.AuthMethods, ", "))
	}
	for _, asked := range c.ResponseTypes {
		if !slices.Contains(profile.ResponseTypes, asked) {
			return fmt.Errorf("an app of the profile %s may not ask for %q", c.Profile, asked)
		}
	}
	for _, alg := range []string{c.IDTokenAlg, c.ResponseAlg, c.UserinfoAlg, c.IntrospectionAlg, c.RequestObjectAlg} {
		if alg != "" && !profile.Takes(alg) {
			return fmt.Errorf("%s is not a signature of the profile %s: %s are", alg, c.Profile, join(profile.Algs))
		}
	}
	for _, uri := range c.RedirectURIs {
		if profile.SecureRedirects && !oidc.IsWebURL(uri) {
			return fmt.Errorf("the redirect URIs of an app of the profile %s are https, or on this machine", c.Profile)
		}
	}
	return nil
}

// Takes tells whether the profile allows a signature.
func (p *Profile) Takes(alg string) bool {
	return p.Algs == nil || slices.Contains(p.Algs, jose.SignatureAlgorithm(alg))
}

var errOtherAlg = errors.New("its signature is not of an algorithm that the profile of this client allows")
