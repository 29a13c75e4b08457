package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
)

// strongAuthentication reads the variables about passkeys, security keys and who must have a second factor.
func (environment) strongAuthentication(c *configuration, read func(name, fallback string) string, fault func(name string, err error)) {
	switch value := read("WICKET_TWO_FACTORS", "optional"); value {
	case "optional":
	case "everybody":
		c.twoFactors.Everybody = true
	default:
		roles, isRoles := strings.CutPrefix(value, "roles:")
		if c.twoFactors.Roles = words(roles); !isRoles || len(c.twoFactors.Roles) == 0 {
			fault("WICKET_TWO_FACTORS", errors.New("must be optional, everybody, or roles: with names by commas, such as roles:admin,clerk"))
		}
	}
	policy := hardwareKeyPolicy(read, fault)
	issuer, err := url.Parse(c.issuer)
	if err != nil || issuer.Hostname() == "" {
		return // said of WICKET_ISSUER
	}
	origins := append([]string{c.issuer}, words(read("WICKET_WEBAUTHN_ORIGINS", ""))...)
	for _, origin := range origins[1:] {
		if parsed, err := url.Parse(origin); err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.Path != "" {
			fault("WICKET_WEBAUTHN_ORIGINS", fmt.Errorf("%q is not an origin such as https://id.example.org", origin))
			return
		}
	}
	id := read("WICKET_WEBAUTHN_RP_ID", issuer.Hostname())
	if _, err := netip.ParseAddr(id); err == nil {
		return // keys belong to names: at an address there are none
	}
	if host := issuer.Hostname(); host != id && !strings.HasSuffix(host, "."+id) {
		fault("WICKET_WEBAUTHN_RP_ID", fmt.Errorf("must be the host of the issuer, %s, or a domain above it", host))
		return
	}
	c.relyingParty, err = identity.NewRelyingParty(id, "Wicket ("+issuer.Host+")", origins, policy)
	fault("WICKET_WEBAUTHN_RP_ID", err)
}

// hardwareKeyPolicy reads which security keys are allowed.
func hardwareKeyPolicy(read func(name, fallback string) string, fault func(name string, err error)) identity.HardwareKeyPolicy {
	var policy identity.HardwareKeyPolicy
	for _, text := range words(read("WICKET_HARDWARE_KEY_MODELS", "")) {
		model, err := uuid.Parse(text)
		if err != nil {
			fault("WICKET_HARDWARE_KEY_MODELS", fmt.Errorf("%q is not an AAGUID such as ee882879-721c-4913-9775-3dfcce97072a", text))
		}
		policy.Models = append(policy.Models, model)
	}
	path := read("WICKET_FIDO_METADATA", "")
	switch value := read("WICKET_HARDWARE_KEY_ATTESTATION", "optional"); value {
	case "optional":
	case "required":
		policy.Attestation = true
		if path == "" {
			fault("WICKET_FIDO_METADATA", errors.New("is needed where attestation is required: the path of the file that https://mds3.fidoalliance.org serves"))
		}
	default:
		fault("WICKET_HARDWARE_KEY_ATTESTATION", errors.New("must be optional or required"))
	}
	if path != "" {
		var err error
		policy.Metadata, err = fidoMetadata(path, policy.Attestation)
		fault("WICKET_FIDO_METADATA", err)
	}
	return policy
}

// fidoMetadata reads the signed file of the FIDO Metadata Service. Models with a bad status, such as a leaked attestation
// key, are refused; where attestation is required, models that it does not list are refused too.
func fidoMetadata(path string, listed bool) (metadata.Provider, error) {
	blob, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder, err := metadata.NewDecoder(metadata.WithIgnoreEntryParsingErrors())
	if err != nil {
		return nil, err
	}
	payload, err := decoder.DecodeBytes(blob)
	if err != nil {
		return nil, fmt.Errorf("the file is not what the FIDO Metadata Service signed: %w", err)
	}
	parsed, err := decoder.Parse(payload)
	if err != nil {
		return nil, err
	}
	return memory.New(memory.WithMetadata(parsed.ToMap()), memory.WithValidateEntry(listed), memory.WithValidateEntryPermitZeroAAGUID(!listed), memory.WithValidateTrustAnchor(true))
}

// words are what stands between commas and spaces.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
