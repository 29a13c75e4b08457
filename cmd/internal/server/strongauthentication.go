package server

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"

	"github.com/wicket-id/wicket/identity/factor"
)

// relyingParty puts together what passkeys and security keys belong to. There is none at an issuer that is an
// address, for keys belong to names.
func (r *reading) relyingParty() {
	c := r.config
	policy := r.hardwareKeyPolicy()
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Hostname() == "" {
		return // said of WICKET_ISSUER
	}
	host := issuer.Hostname()
	if c.WebAuthnRPID == "" {
		c.WebAuthnRPID = host
		setting := c.setting("WICKET_WEBAUTHN_RP_ID")
		setting.Value, setting.Note = host, ""
	}
	if _, err := netip.ParseAddr(c.WebAuthnRPID); err == nil {
		return
	}
	if host != c.WebAuthnRPID && !strings.HasSuffix(host, "."+c.WebAuthnRPID) {
		r.fault("WICKET_WEBAUTHN_RP_ID", fmt.Errorf("must be the host of the issuer, %s, or a domain above it", host))
		return
	}
	origins := append([]string{c.Issuer}, c.WebAuthnOrigins...)
	c.RelyingParty, err = factor.NewRelyingParty(c.WebAuthnRPID, "Wicket ("+issuer.Host+")", origins, policy)
	r.fault("WICKET_WEBAUTHN_RP_ID", err)
}

// hardwareKeyPolicy puts together which security keys are allowed.
func (r *reading) hardwareKeyPolicy() factor.HardwareKeyPolicy {
	c := r.config
	policy := factor.HardwareKeyPolicy{Models: c.HardwareKeyModels, Attestation: c.HardwareKeyAttestation == "required"}
	if c.FIDOMetadata != "" {
		var err error
		policy.Metadata, err = fidoMetadata(c.FIDOMetadata, policy.Attestation)
		r.fault("WICKET_FIDO_METADATA", err)
	} else if policy.Attestation {
		r.fault("WICKET_FIDO_METADATA", errors.New("is needed where attestation is required: "+
			"the path of the file that https://mds3.fidoalliance.org serves"))
	}
	return policy
}

// fidoMetadata reads the signed file of the FIDO Metadata Service. Models with a bad status, such as a leaked
// attestation key, are refused; where listed is true, models that it does not list are refused too.
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
	return memory.New(memory.WithMetadata(parsed.ToMap()), memory.WithValidateTrustAnchor(true),
		memory.WithValidateEntry(listed), memory.WithValidateEntryPermitZeroAAGUID(!listed))
}
