package clientflags

import (
	"slices"

	"github.com/wicket-id/wicket/oidc/clients"
)

// Requests is how an app sends its authorization requests; nil: nothing is said of it.
type Requests struct {
	RequirePAR           *bool    `name:"require-par" negatable:"" help:"The app must push its authorization requests (RFC 9126). Of all apps it is demanded by WICKET_REQUIRE_PAR."`
	Profile              *string  `name:"profile" help:"What the app keeps to: fapi2, the FAPI 2.0 Security Profile, which means private_key_jwt, pushed requests, PKCE and --dpop."`
	DPoP                 *bool    `name:"dpop" negatable:"" help:"All tokens of the app are bound to a key of its own (DPoP, RFC 9449). Without it they are where the app shows one."`
	DPoPNonce            *bool    `name:"dpop-nonce" negatable:"" help:"The app must show its key with a nonce that Wicket gives: it needs no right clock then."`
	RequestObjectAlg     *string  `name:"request-object-alg" help:"How the app signs request objects (RFC 9101), such as ES256; left out, as it likes; 'none' where they are not signed."`
	RequestEncryptionAlg *string  `name:"request-object-encryption-alg" help:"The app may encrypt request objects, which it signs, for Wicket's published key with this alg, which is made now where there is none: RSA-OAEP, RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A192KW or ECDH-ES+A256KW."`
	RequestEncryptionEnc *string  `name:"request-object-encryption-enc" help:"With what it encrypts the content: A128CBC-HS256 (default), A256CBC-HS512, A128GCM or A256GCM."`
	RequestURI           []string `name:"request-uri" sep:"none" help:"Where Wicket may fetch a request object of the app: an https URL. Repeat it for several."`
	RequireSignedRequest *bool    `name:"require-signed-request" negatable:"" help:"The app must sign its authorization requests. It needs --jwks or --jwks-uri."`
}

// apply changes an app as the flags say.
func (r *Requests) apply(client *clients.Client) {
	if r.Profile != nil {
		client.Profile = *r.Profile
	}
	if r.RequestObjectAlg != nil {
		client.RequestObjectAlg = *r.RequestObjectAlg
	}
	applyEncryption(&client.RequestEncryption, r.RequestEncryptionAlg, r.RequestEncryptionEnc)
	for to, from := range map[*bool]*bool{
		&client.DPoPBound: r.DPoP, &client.DPoPNonce: r.DPoPNonce,
		&client.RequirePAR: r.RequirePAR, &client.RequireSignedRequest: r.RequireSignedRequest,
	} {
		if from != nil {
			*to = *from
		}
	}
	if r.RequestURI != nil {
		client.RequestURIs = slices.DeleteFunc(slices.Clone(r.RequestURI), func(uri string) bool { return uri == "" })
	}
}
