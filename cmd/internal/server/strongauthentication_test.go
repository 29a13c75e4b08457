package server

import (
	"strings"
	"testing"
)

func TestStrongAuthenticationSettings(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"WICKET_TWO_FACTORS", "everybody", ""},
		{"WICKET_TWO_FACTORS", "roles:admin, clerk", ""},
		{"WICKET_TWO_FACTORS", "roles:", "must be optional, everybody, or roles:"},
		{"WICKET_TWO_FACTORS", "admin", "must be optional, everybody, or roles:"},
		{"WICKET_WEBAUTHN_RP_ID", "example.com", ""},
		{"WICKET_WEBAUTHN_RP_ID", "example.org", "a domain above it"},
		{"WICKET_WEBAUTHN_RP_ID", "ple.com", "a domain above it"},
		{"WICKET_WEBAUTHN_ORIGINS", "https://id.example.org", ""},
		{"WICKET_WEBAUTHN_ORIGINS", "id.example.org", "is not an origin"},
		{"WICKET_WEBAUTHN_ORIGINS", "https://id.example.org/path", "is not an origin"},
		{"WICKET_HARDWARE_KEY_MODELS", "ee882879-721c-4913-9775-3dfcce97072a", ""},
		{"WICKET_HARDWARE_KEY_MODELS", "YubiKey", "is not an AAGUID"},
		{"WICKET_HARDWARE_KEY_ATTESTATION", "required", "WICKET_FIDO_METADATA: is needed"},
		{"WICKET_HARDWARE_KEY_ATTESTATION", "yes", "must be optional or required"},
		{"WICKET_FIDO_METADATA", "/nowhere/blob.jwt", "no such file"},
		{"WICKET_FIDO_METADATA", "/dev/null", "FIDO Metadata Service"},
	} {
		config, err := Load(Environment{
			"WICKET_ISSUER": "https://id.example.com", "WICKET_DATABASE_URL": "sqlite:" + t.TempDir() + "/wicket.db",
			c.name: c.value,
		})
		switch {
		case c.want == "" && (err != nil || config.RelyingParty == nil):
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s=%s: %v, want %q", c.name, c.value, err, c.want)
		}
	}
}
