// Package clientflags has the flags of wicket client create and update. Begin with Settings.
package clientflags

import "github.com/wicket-id/wicket/oidc/clients"

// Told is whom an app knows people as; nil: nothing is said of it.
type Told struct {
	SubjectType                       *string `name:"subject-type" help:"Whom the app knows people as, their sub: public (default), by one name in all apps; pairwise, by another name than apps of other sectors. Changing it makes everybody a new person to the app."`
	SectorIdentifierURI               *string `name:"sector-identifier-uri" help:"https URL of a JSON list with the redirect URIs of all apps that know people by the same pairwise subjects; its host is their sector. Left out, the one host of the app's redirect URIs is. It is fetched now."`
	IDTokenAlg                        *string `name:"id-token-alg" help:"RS256 (default), ES256 or EdDSA."`
	IDTokenClaims                     *string `name:"id-token-claims" help:"What ID tokens tell of people: scopes (default), what the granted scopes give, such as name and e-mail; minimal, only what the app asks for by the parameter claims. Userinfo tells all of it in any case."`
	UserinfoAlg                       *string `name:"userinfo-alg" help:"RS256, ES256 or EdDSA: userinfo answers with a JWT signed so. Left out, with plain JSON."`
	ResponseAlg                       *string `name:"response-alg" help:"The signature of answers that the app wants as JWTs (response_mode=jwt): RS256 (default), ES256 or EdDSA."`
	IDTokenEncryptionAlg              *string `name:"id-token-encryption-alg" help:"Encrypt ID tokens, and logout tokens, for a key of --jwks or --jwks-uri: RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW or ECDH-ES+A256KW."`
	IDTokenEncryptionEnc              *string `name:"id-token-encryption-enc" help:"With what the content is encrypted: A128CBC-HS256 (default), A128GCM or A256GCM."`
	UserinfoEncryptionAlg             *string `name:"userinfo-encryption-alg" help:"Encrypt userinfo, which is signed then, with RS256 where --userinfo-alg says nothing, for a key of --jwks or --jwks-uri: RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW or ECDH-ES+A256KW."`
	UserinfoEncryptionEnc             *string `name:"userinfo-encryption-enc" help:"With what the content is encrypted: A128CBC-HS256 (default), A128GCM or A256GCM."`
	ResponseEncryptionAlg             *string `name:"response-encryption-alg" help:"Encrypt answers that the app wants as JWTs, for a key of --jwks or --jwks-uri: RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW or ECDH-ES+A256KW."`
	ResponseEncryptionEnc             *string `name:"response-encryption-enc" help:"With what the content is encrypted: A128CBC-HS256 (default), A128GCM or A256GCM."`
	IntrospectionAlg                  *string `name:"introspection-alg" help:"The signature of introspection answers that the app wants as JWTs (RFC 9701), by the header Accept: RS256 (default), ES256 or EdDSA."`
	IntrospectionEncryptionAlg        *string `name:"introspection-encryption-alg" help:"Encrypt introspection answers that the app wants as JWTs, for a key of --jwks or --jwks-uri: RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW or ECDH-ES+A256KW."`
	IntrospectionEncryptionEnc        *string `name:"introspection-encryption-enc" help:"With what the content is encrypted: A128CBC-HS256 (default), A128GCM or A256GCM."`
	BackchannelLogoutURI              *string `name:"backchannel-logout-uri" help:"https URL where the app is told, by a signed logout token, that a person's session has ended, whoever ended it."`
	BackchannelLogoutSessionRequired  *bool   `name:"backchannel-logout-session-required" negatable:"" help:"The app needs the session's sid in logout tokens. Wicket always says it."`
	FrontchannelLogoutURI             *string `name:"frontchannel-logout-uri" help:"https URL that the browser opens in a frame when the person signs out, where WICKET_FRONTCHANNEL_LOGOUT is on."`
	FrontchannelLogoutSessionRequired *bool   `name:"frontchannel-logout-session-required" negatable:"" help:"The app needs iss and sid there. Wicket always says them."`
}

// apply changes an app as the flags say.
func (t *Told) apply(client *clients.Client) {
	for to, from := range map[*string]*string{
		&client.SubjectType: t.SubjectType, &client.SectorIdentifierURI: t.SectorIdentifierURI,
		&client.IDTokenAlg: t.IDTokenAlg, &client.IDTokenClaims: t.IDTokenClaims,
		&client.UserinfoAlg: t.UserinfoAlg, &client.ResponseAlg: t.ResponseAlg,
		&client.IntrospectionAlg:     t.IntrospectionAlg,
		&client.BackchannelLogoutURI: t.BackchannelLogoutURI, &client.FrontchannelLogoutURI: t.FrontchannelLogoutURI,
	} {
		if from != nil {
			*to = *from
		}
	}
	for _, e := range []struct {
		how      *clients.Encryption
		alg, enc *string
	}{
		{&client.IDTokenEncryption, t.IDTokenEncryptionAlg, t.IDTokenEncryptionEnc},
		{&client.UserinfoEncryption, t.UserinfoEncryptionAlg, t.UserinfoEncryptionEnc},
		{&client.ResponseEncryption, t.ResponseEncryptionAlg, t.ResponseEncryptionEnc},
		{&client.IntrospectionEncryption, t.IntrospectionEncryptionAlg, t.IntrospectionEncryptionEnc},
	} {
		applyEncryption(e.how, e.alg, e.enc)
	}
	for to, from := range map[*bool]*bool{
		&client.BackchannelLogoutSessionRequired:  t.BackchannelLogoutSessionRequired,
		&client.FrontchannelLogoutSessionRequired: t.FrontchannelLogoutSessionRequired,
	} {
		if from != nil {
			*to = *from
		}
	}
}

// applyEncryption changes how something is encrypted. Without an alg it is not, whatever it was encrypted with.
func applyEncryption(how *clients.Encryption, alg, enc *string) {
	if alg != nil {
		how.Alg = *alg
	}
	if enc != nil {
		how.Enc = *enc
	} else if how.Alg == "" {
		how.Enc = ""
	}
}
