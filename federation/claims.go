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
)

// statement is what a provider has said of a person, verified.
type statement struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool // by the provider, as it says
	Hosted          string
	AMR             []string
	ACR, SID        string
	AuthTime        time.Time // zero: now, as far as we know

	claims map[string]any
}

// believe takes from a statement what the operator wants to be believed.
func (p *Provider) believe(said *statement, token *oauth2.Token) (identity.External, error) {
	kept, err := json.Marshal(said.keep())
	if err != nil {
		return identity.External{}, err
	}
	external := identity.External{
		Provider: p.ID, ProviderName: p.Name, Issuer: said.Issuer, Subject: said.Subject, Label: said.label(),
		Email:    printable(said.Email, 254),
		Evidence: p.evidence(said), SID: printable(said.SID, 255), AuthTime: said.AuthTime,
		Username: said.text("preferred_username"), Claims: kept,
		Told: make(map[string]string), Mapped: make(map[string]string),
		EmailProved:         said.Email != "" && said.EmailVerified && p.Settings.Emails != EmailsUnproved,
		EmailsAuthoritative: p.Settings.Emails == EmailsAuthoritative && p.kind().isAuthoritative(said),
	}
	if external.Email == "" || external.Email != said.Email {
		external.Email, external.EmailProved = "", false
	}
	if external.Username == "" {
		external.Username = external.Email
	}
	external.MayRegister = p.Settings.Registration && p.isOfDomains(said, external.EmailProved)
	for _, field := range new(identity.Profile).Fields() {
		external.Told[field.Name] = cmp.Or(said.text(field.Name), said.text("address."+field.Name))
	}
	for field, claim := range p.Settings.Profile {
		external.Mapped[field] = said.text(claim)
	}
	if len(p.Settings.Roles) > 0 {
		external.Roles = make(map[string]bool)
		for _, rule := range p.Settings.Roles {
			external.Roles[rule.Role] = external.Roles[rule.Role] || slices.Contains(said.values(rule.Claim), rule.Value)
		}
	}
	if p.Settings.KeepTokens {
		external.Tokens, err = json.Marshal(token)
	}
	return external, err
}

// isOfDomains tells whether a person belongs to a domain whose people may make accounts.
func (p *Provider) isOfDomains(said *statement, proved bool) bool {
	return len(p.Settings.Domains) == 0 || slices.Contains(p.Settings.Domains, p.kind().domain(said, proved))
}

// provedDomain is the domain of the address, in lower case, if the address is proved, or empty.
func (s *statement) provedDomain(proved bool) string {
	if !proved {
		return ""
	}
	return strings.ToLower(s.Email[strings.LastIndexByte(s.Email, '@')+1:])
}

// evidence is what the sign-in there is worth here. That it took place is one factor; that it took more is believed
// only where the operator says so.
func (p *Provider) evidence(said *statement) identity.Evidence {
	evidence := identity.Evidence{AMR: []string{"fed"}, ACR: identity.ACRFederated}
	if p.Settings.TrustAMR {
		for _, method := range said.AMR {
			if len(evidence.AMR) <= 10 && isMethod(method) && !slices.Contains(evidence.AMR, method) {
				evidence.AMR = append(evidence.AMR, method)
			}
		}
	}
	if p.Settings.MultiFactor != "" && said.ACR == p.Settings.MultiFactor && !slices.Contains(evidence.AMR, "mfa") {
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

// label is what the owner of an account knows it by.
func (s *statement) label() string {
	for _, label := range []string{printable(s.Email, 254), s.text("preferred_username"), s.text("name")} {
		if label = strings.Join(strings.Fields(label), " "); label != "" && len(label) <= 254 {
			return label
		}
	}
	return printable(s.Subject, 255)
}

// text is a claim as text, empty where it is none.
func (s *statement) text(claim string) string {
	if values := s.values(claim); len(values) == 1 {
		return printable(values[0], 2000)
	}
	return ""
}

// values are the values of a claim: itself, or where it is a list or an object what that holds, by name. A dot leads
// into an object, unless the claim's own name has it.
func (s *statement) values(claim string) []string {
	value, ok := s.claims[claim]
	within := s.claims
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

const maxKept = 16 << 10 // bytes of claims

// keep is what is stored of the claims: what says something of the person, not of the token.
func (s *statement) keep() map[string]any {
	kept := make(map[string]any)
	for name, value := range s.claims {
		if !slices.Contains(ofTheToken, name) {
			kept[name] = withoutNUL(value)
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

// withoutNUL leaves out what PostgreSQL does not take in JSON.
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

// printable is text that can be shown and kept: empty where it is not, or too long.
func printable(text string, most int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	if len(text) > most || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r'
	}) {
		return ""
	}
	return text
}
