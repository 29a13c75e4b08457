package federation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/profile"
)

// verifiedClaims are the claims of a provider about a person, of which it is verified that they are the provider's.
type verifiedClaims struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool   // by the provider, as it claims
	Hosted          string // Google: the domain of a company, hd
	AMR             []string
	ACR, SID        string
	AuthTime        time.Time // zero: now, as far as is known

	claims map[string]any
}

// external is the account at the provider, with as much of the claims as the settings trust, and IsTrusted not yet set.
func (p *Provider) external(verified *verifiedClaims, token *oauth2.Token) (identity.External, error) {
	kept, err := json.Marshal(verified.keep())
	if err != nil {
		return identity.External{}, err
	}
	external := identity.External{
		Provider: p.ID, ProviderName: p.Name, Issuer: verified.Issuer, Subject: verified.Subject, Label: verified.label(),
		Email:    printable(verified.Email, 254),
		Evidence: p.evidence(verified), SID: printable(verified.SID, 255), AuthTime: verified.AuthTime,
		Username: verified.text("preferred_username"), Claims: kept,
		InitialProfile: make(map[string]string), SyncedProfile: make(map[string]string),
		EmailProved:         verified.Email != "" && verified.EmailVerified && p.Settings.Emails != EmailsUnproved,
		EmailsAuthoritative: p.Settings.Emails == EmailsAuthoritative && p.kind().isAuthoritative(verified),
	}
	if external.Email == "" || external.Email != verified.Email {
		external.Email, external.EmailProved = "", false
	}
	if external.Username == "" {
		external.Username = external.Email
	}
	external.MayRegister = p.Settings.Registration && p.isOfDomains(verified, external.EmailProved)
	for _, field := range new(profile.Profile).Fields() {
		external.InitialProfile[field.Name] = cmp.Or(verified.text(field.Name), verified.text("address."+field.Name))
	}
	for field, claim := range p.Settings.Profile {
		external.SyncedProfile[field] = verified.text(claim)
	}
	if len(p.Settings.Roles) > 0 {
		external.Roles = make(map[string]bool)
		for _, rule := range p.Settings.Roles {
			external.Roles[rule.Role] = external.Roles[rule.Role] || slices.Contains(verified.values(rule.Claim), rule.Value)
		}
	}
	for _, rule := range p.Settings.Groups {
		if slices.Contains(verified.values(rule.Claim), rule.Value) && !slices.Contains(external.Groups, rule.Group) {
			external.Groups = append(external.Groups, rule.Group)
		}
	}
	if p.Settings.KeepTokens {
		external.Tokens, err = json.Marshal(token)
	}
	return external, err
}

// isOfDomains tells whether a person belongs to a domain whose people may make accounts.
func (p *Provider) isOfDomains(verified *verifiedClaims, proved bool) bool {
	return len(p.Settings.Domains) == 0 || slices.Contains(p.Settings.Domains, p.kind().domain(verified, proved))
}

// provedDomain is the domain of the address, in lower case, if the address is proved, or empty.
func (c *verifiedClaims) provedDomain(proved bool) string {
	if !proved {
		return ""
	}
	return strings.ToLower(c.Email[strings.LastIndexByte(c.Email, '@')+1:])
}

// evidence is how the person has signed in: one factor, and more only where the operator trusts the provider to tell.
func (p *Provider) evidence(verified *verifiedClaims) identity.Evidence {
	evidence := identity.Evidence{AMR: []string{"fed"}, ACR: identity.ACRFederated}
	if p.Settings.TrustAMR {
		for _, method := range verified.AMR {
			if len(evidence.AMR) <= 10 && isMethod(method) && !slices.Contains(evidence.AMR, method) {
				evidence.AMR = append(evidence.AMR, method)
			}
		}
	}
	if p.Settings.MultiFactor != "" && verified.ACR == p.Settings.MultiFactor && !slices.Contains(evidence.AMR, "mfa") {
		evidence.AMR = append(evidence.AMR, "mfa")
	}
	if slices.Contains(evidence.AMR, "mfa") {
		evidence.ACR = identity.ACRMultiFactor
	}
	return evidence
}

// isMethod tells whether text could be an authentication method reference.
func isMethod(text string) bool {
	return text != "" && len(text) <= 32 && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

// label is what the owner of the account knows it by.
func (c *verifiedClaims) label() string {
	for _, label := range []string{printable(c.Email, 254), c.text("preferred_username"), c.text("name")} {
		if label = strings.Join(strings.Fields(label), " "); label != "" && len(label) <= 254 {
			return label
		}
	}
	return printable(c.Subject, 255)
}

// text is a claim with one value, as text that can be shown, or empty.
func (c *verifiedClaims) text(claim string) string {
	if values := c.values(claim); len(values) == 1 {
		return printable(values[0], 2000)
	}
	return ""
}

// values are the values of a claim: itself, the items of a list, or the names in an object. A dot leads into an object,
// unless it is part of the claim's own name.
func (c *verifiedClaims) values(claim string) []string {
	value, ok := c.claims[claim]
	within := c.claims
	for rest := claim; !ok; {
		first, others, more := strings.Cut(rest, ".")
		inner, isObject := within[first].(map[string]any)
		if !more || !isObject {
			return nil
		}
		within, rest = inner, others
		value, ok = within[rest]
	}
	switch value := value.(type) {
	case []any:
		var values []string
		for _, each := range value {
			values = append(values, scalar(each)...)
		}
		return values
	case map[string]any:
		var values []string
		for name := range value {
			values = append(values, name)
		}
		return values
	}
	return scalar(value)
}

func scalar(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case bool:
		return []string{strconv.FormatBool(value)}
	case float64:
		return []string{strconv.FormatFloat(value, 'f', -1, 64)}
	}
	return nil
}

const maxKept = 16 << 10 // bytes of claims, as JSON

// keep is what is stored of the claims: those about the person, not about the token.
func (c *verifiedClaims) keep() map[string]any {
	kept := make(map[string]any)
	for name, value := range c.claims {
		if !slices.Contains(ofTheToken, name) {
			kept[strings.ReplaceAll(name, "\x00", "")] = withoutNUL(value)
		}
	}
	if encoded, err := json.Marshal(kept); err != nil || len(encoded) > maxKept {
		return map[string]any{"left_out": fmt.Sprintf("more than %d bytes", maxKept)}
	}
	return kept
}

var ofTheToken = []string{
	"nonce", "at_hash", "c_hash", "s_hash", "aud", "azp", "exp", "iat", "nbf", "jti", "rh", "uti", "aio", "ver",
}

// withoutNUL leaves out the character that PostgreSQL refuses in JSON.
func withoutNUL(value any) any {
	switch value := value.(type) {
	case string:
		return strings.ReplaceAll(value, "\x00", "")
	case []any:
		for i := range value {
			value[i] = withoutNUL(value[i])
		}
	case map[string]any:
		for name, inner := range value {
			delete(value, name)
			value[strings.ReplaceAll(name, "\x00", "")] = withoutNUL(inner)
		}
	}
	return value
}

// printable is the text if it can be shown and has at most that many bytes, or empty.
func printable(text string, most int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	if len(text) > most || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r'
	}) {
		return ""
	}
	return text
}
