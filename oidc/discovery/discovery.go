// Package discovery writes what Wicket tells apps of itself. Begin with Document.
package discovery

import (
	"encoding/json"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/registration"
)

// metadata is what Wicket tells of itself: OpenID Connect Discovery, section 3, and RFC 8414, section 2, in one
// document.
type metadata struct {
	Issuer                 string                    `json:"issuer"`
	AuthorizationEndpoint  string                    `json:"authorization_endpoint"`
	PAREndpoint            string                    `json:"pushed_authorization_request_endpoint"`
	TokenEndpoint          string                    `json:"token_endpoint"`
	DeviceEndpoint         string                    `json:"device_authorization_endpoint"` // RFC 8628, section 4
	UserinfoEndpoint       string                    `json:"userinfo_endpoint"`
	JWKSURI                string                    `json:"jwks_uri"`
	RegistrationEndpoint   string                    `json:"registration_endpoint,omitempty"`
	IntrospectionEndpoint  string                    `json:"introspection_endpoint"`
	RevocationEndpoint     string                    `json:"revocation_endpoint"`
	EndSessionEndpoint     string                    `json:"end_session_endpoint"`
	ScopesSupported        []string                  `json:"scopes_supported"`
	ClaimsSupported        []string                  `json:"claims_supported"`
	ResponseTypesSupported []string                  `json:"response_types_supported"`
	ResponseModesSupported []string                  `json:"response_modes_supported"`
	GrantTypesSupported    []string                  `json:"grant_types_supported"`
	SubjectTypesSupported  []string                  `json:"subject_types_supported"`
	ACRValuesSupported     []string                  `json:"acr_values_supported"`
	PromptValuesSupported  []string                  `json:"prompt_values_supported"`
	IDTokenAlgs            []jose.SignatureAlgorithm `json:"id_token_signing_alg_values_supported"`
	UserinfoAlgs           []jose.SignatureAlgorithm `json:"userinfo_signing_alg_values_supported"`
	// JARM, section 4
	ResponseAlgs []jose.SignatureAlgorithm `json:"authorization_signing_alg_values_supported"`
	// OpenID Connect Discovery, section 3; JARM, section 4; RFC 9701, section 7
	IDTokenKeyAlgs           []jose.KeyAlgorithm       `json:"id_token_encryption_alg_values_supported"`
	IDTokenContentAlgs       []jose.ContentEncryption  `json:"id_token_encryption_enc_values_supported"`
	UserinfoKeyAlgs          []jose.KeyAlgorithm       `json:"userinfo_encryption_alg_values_supported"`
	UserinfoContentAlgs      []jose.ContentEncryption  `json:"userinfo_encryption_enc_values_supported"`
	ResponseKeyAlgs          []jose.KeyAlgorithm       `json:"authorization_encryption_alg_values_supported"`
	ResponseContentAlgs      []jose.ContentEncryption  `json:"authorization_encryption_enc_values_supported"`
	IntrospectionAlgs        []jose.SignatureAlgorithm `json:"introspection_signing_alg_values_supported"`
	IntrospectionKeyAlgs     []jose.KeyAlgorithm       `json:"introspection_encryption_alg_values_supported"`
	IntrospectionContentAlgs []jose.ContentEncryption  `json:"introspection_encryption_enc_values_supported"`

	TokenAuthMethods              []string                  `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs                 []jose.SignatureAlgorithm `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods      []string                  `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs         []jose.SignatureAlgorithm `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods         []string                  `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs            []jose.SignatureAlgorithm `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	CodeChallengeMethodsSupported []string                  `json:"code_challenge_methods_supported"`
	// RFC 9207
	IssParameterSupported        bool `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameterSupported     bool `json:"claims_parameter_supported"`
	RequestParameterSupported    bool `json:"request_parameter_supported"`
	RequestURIParameterSupported bool `json:"request_uri_parameter_supported"`
	// OAuth Client ID Metadata Document
	ClientDocumentsSupported    bool `json:"client_id_metadata_document_supported,omitempty"`
	RequireRequestURIRegistered bool `json:"require_request_uri_registration"`
	// RFC 9101, section 10.5; a client may have to, by its registration
	RequireSignedRequest bool                      `json:"require_signed_request_object"`
	RequestObjectAlgs    []jose.SignatureAlgorithm `json:"request_object_signing_alg_values_supported"`
	// OpenID Connect Discovery, section 3
	RequestObjectKeyAlgs     []jose.KeyAlgorithm       `json:"request_object_encryption_alg_values_supported"`
	RequestObjectContentAlgs []jose.ContentEncryption  `json:"request_object_encryption_enc_values_supported"`
	RequirePAR               bool                      `json:"require_pushed_authorization_requests"` // RFC 9126, 5
	DPoPAlgs                 []jose.SignatureAlgorithm `json:"dpop_signing_alg_values_supported"`     // RFC 9449, 5.1
	// Back-Channel Logout, section 2.1; Front-Channel Logout, section 3; Session Management, section 3.3
	BackchannelLogout         bool   `json:"backchannel_logout_supported"`
	BackchannelLogoutSession  bool   `json:"backchannel_logout_session_supported"`
	FrontchannelLogout        bool   `json:"frontchannel_logout_supported,omitempty"`
	FrontchannelLogoutSession bool   `json:"frontchannel_logout_session_supported,omitempty"`
	CheckSessionIframe        string `json:"check_session_iframe,omitempty"`
}

// Choices are what the operator has chosen that the document tells of, and the provider does not know.
type Choices struct {
	Registration registration.Mode
	Documents    registration.Documents
}

// Document is the discovery document of a provider, as it is served.
func Document(p *oidc.Provider, chosen Choices) ([]byte, error) {
	issuer, registers, checkSession := p.Issuer, "", ""
	if chosen.Registration.Enabled() {
		registers = issuer + oidc.PathClients
	}
	if p.SessionManagement {
		checkSession = issuer + oidc.PathCheckSession
	}
	grantTypes := oidc.GrantTypes
	if p.AllResponseTypes {
		grantTypes = append(slices.Clone(grantTypes), oidc.GrantImplicit)
	}
	scopes, claims := []string{}, slices.Clone(oidc.ProtocolClaims)
	for _, scope := range oidc.Scopes {
		scopes, claims = append(scopes, scope.Name), append(claims, scope.Claims...)
	}
	confidential := []string{clients.AuthBasic, clients.AuthPost, clients.AuthPrivateKeyJWT}
	return json.Marshal(metadata{
		Issuer:                        issuer,
		AuthorizationEndpoint:         issuer + oidc.PathAuthorize,
		PAREndpoint:                   issuer + oidc.PathPAR,
		TokenEndpoint:                 issuer + oidc.PathToken,
		DeviceEndpoint:                issuer + oidc.PathDeviceRequest,
		UserinfoEndpoint:              issuer + oidc.PathUserinfo,
		JWKSURI:                       issuer + oidc.PathJWKS,
		RegistrationEndpoint:          registers,
		IntrospectionEndpoint:         issuer + oidc.PathIntrospect,
		RevocationEndpoint:            issuer + oidc.PathRevoke,
		EndSessionEndpoint:            issuer + oidc.PathLogout,
		ScopesSupported:               scopes,
		ClaimsSupported:               claims,
		ResponseTypesSupported:        p.OfferedResponseTypes(),
		ResponseModesSupported:        oidc.ResponseModes,
		GrantTypesSupported:           grantTypes,
		SubjectTypesSupported:         clients.SubjectTypes,
		ACRValuesSupported:            identity.ACRs,
		PromptValuesSupported:         authorize.Prompts,
		IDTokenAlgs:                   keys.SigningAlgs,
		ResponseAlgs:                  keys.SigningAlgs,
		UserinfoAlgs:                  keys.SigningAlgs,
		IntrospectionAlgs:             keys.SigningAlgs,
		IDTokenKeyAlgs:                clients.KeyAlgs,
		IDTokenContentAlgs:            clients.ContentAlgs,
		UserinfoKeyAlgs:               clients.KeyAlgs,
		UserinfoContentAlgs:           clients.ContentAlgs,
		ResponseKeyAlgs:               clients.KeyAlgs,
		ResponseContentAlgs:           clients.ContentAlgs,
		IntrospectionKeyAlgs:          clients.KeyAlgs,
		IntrospectionContentAlgs:      clients.ContentAlgs,
		TokenAuthMethods:              clients.AuthMethods,
		TokenAuthAlgs:                 clients.AssertionAlgs,
		IntrospectionAuthMethods:      confidential,
		IntrospectionAuthAlgs:         clients.AssertionAlgs,
		RevocationAuthMethods:         clients.AuthMethods,
		RevocationAuthAlgs:            clients.AssertionAlgs,
		CodeChallengeMethodsSupported: []string{"S256"},
		IssParameterSupported:         true,
		ClientDocumentsSupported:      chosen.Documents.Enabled(),
		RequestParameterSupported:     true,
		RequestURIParameterSupported:  true,
		RequireRequestURIRegistered:   true,
		RequestObjectAlgs:             clients.AssertionAlgs,
		RequestObjectKeyAlgs:          keys.EncryptionAlgs,
		RequestObjectContentAlgs:      keys.EncryptionContentAlgs,
		RequirePAR:                    p.RequirePAR,
		DPoPAlgs:                      dpop.Algs,
		ClaimsParameterSupported:      true,
		BackchannelLogout:             true,
		BackchannelLogoutSession:      true,
		FrontchannelLogout:            p.FrontchannelLogout,
		FrontchannelLogoutSession:     p.FrontchannelLogout,
		CheckSessionIframe:            checkSession,
	})
}
