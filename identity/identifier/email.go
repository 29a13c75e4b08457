package identifier

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/wicket-id/wicket/identity/refusal"
)

// ErrEmailInvalid says that something is no address.
var ErrEmailInvalid = refusal.New("email.invalid", "not an e-mail address, such as name@example.com")

const maxEmail = 254 // RFC 5321, section 4.5.3.1.3, less the angle brackets

// EmailKey is the address as it is compared: normalised and in lower case, the domain in its ASCII form. Whether the
// local part minds case is the recipient's business by RFC 5321; in practice nobody's does, and two accounts that
// differ in case alone are an attack.
func EmailKey(address string) (string, error) {
	parsed, err := mail.ParseAddress(address)
	// net/mail takes the control characters of ISO 8859 for letters.
	control := strings.ContainsFunc(address, unicode.IsControl)
	if err != nil || parsed.Address != address || len(address) > maxEmail || control {
		return "", ErrEmailInvalid
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := emailDomain.ToASCII(address[at+1:])
	// Some of the full stops that IDNA knows may stand at the end, where no domain of an address has one.
	if err != nil || strings.HasSuffix(domain, ".") {
		return "", ErrEmailInvalid
	}
	return strings.ToLower(norm.NFC.String(address[:at])) + "@" + domain, nil
}

// emailDomain is how the domain of an address is read: as for a lookup in the DNS, with its limits.
var emailDomain = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))
