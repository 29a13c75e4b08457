package server

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"golang.org/x/text/language"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/redirection"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// decode reads the value of a variable into its field.
func decode(flag *kong.Flag, value string) error {
	if allowed := flag.EnumSlice(); flag.Enum != "" && !slices.Contains(allowed, value) {
		return errors.New("must be " + strings.Join(allowed, " or "))
	}
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.Scan(value)}, flag.Target)
}

// mappers say how values are read: by the type of the field, or by what its tag calls the type.
func mappers(c *Config) []kong.Option {
	return []kong.Option{
		// Kong's own takes a value that begins with a hyphen for a flag, and says it in its error.
		mapType(func(text string) (string, error) { return text, nil }),
		mapType(seal.Parse),
		mapType(cache.ParseRedis),
		mapType(web.DefaultLimits.With),
		mapType(notify.NewSMTP),
		mapType(parseTwoFactors),
		mapType(func(text string) ([]clients.Declaration, error) { return parseClients(text, c.readFile) }),
		mapType(parseAPIs),
		mapType(c.parseConfiguration),
		mapType(registration.ParseDocuments),
		mapType(func(text string) ([]federation.Provider, error) { return parseProviders(text, c.readFile) }),
		mapNamed("switch", func(text string) (bool, error) { return text != "off", nil }),
		mapNamed("response-types", func(text string) (bool, error) { return text == "all", nil }),
		mapNamed("issuer", func(text string) (string, error) { return text, oidc.CheckIssuer(text) }),
		mapNamed("invitation", func(text string) (string, error) { return text, signin.CheckInvitationSecret(text) }),
		mapNamed("address", parseAddress),
		mapNamed("patience", parsePatience),
		mapNamed("retention", parseRetention),
		mapNamed("networks", parseNetworks),
		mapNamed("origins", parseOrigins),
		mapNamed("models", parseModels),
		mapNamed("countries", parseCountries),
		mapNamed("quantity", parseQuantity),
		mapNamed("redirect-schemes", redirection.ParseSchemes),
		mapNamed("contacts", parseContacts),
		mapNamed("languages", parseLanguages),
	}
}

func mapType[T any](parse func(text string) (T, error)) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), mapper(parse))
}

func mapNamed[T any](name string, parse func(text string) (T, error)) kong.Option {
	return kong.NamedMapper(name, mapper(parse))
}

func mapper[T any](parse func(text string) (T, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		value, err := parse(ctx.Scan.Pop().String())
		if err == nil {
			target.Set(reflect.ValueOf(value))
		}
		return err
	}
}

// words are what stands between commas and spaces.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func parseAddress(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		return "", errors.New("must be a host and a port, such as localhost:8080, or :8080 for every address")
	}
	return text, nil
}

// maxPatience is longer than any load balancer takes to notice.
const maxPatience = 10 * time.Minute

func parsePatience(text string) (time.Duration, error) {
	patience, err := time.ParseDuration(text)
	if err != nil || patience < 0 || patience > maxPatience {
		return 0, fmt.Errorf("must be a duration such as 5s, or 0s, of at most %s", maxPatience)
	}
	return patience, nil
}

// leastKept is what the database itself keeps of the audit trail, and what limits and histories look back to.
const leastKept = 30 // days

// parseRetention reads how long something is kept: a number of days such as 400d, or forever, which is 0.
func parseRetention(text string) (time.Duration, error) {
	if text == "forever" {
		return 0, nil
	}
	days, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || !strings.HasSuffix(text, "d") || days < leastKept || days > 100*365 {
		return 0, fmt.Errorf("must be forever, or a number of days such as 400d, at least %dd", leastKept)
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

func parseNetworks(text string) ([]string, error) {
	if text == "none" {
		return nil, nil
	}
	networks := words(text)
	for _, network := range networks {
		_, prefixErr := netip.ParsePrefix(network)
		_, addressErr := netip.ParseAddr(network)
		if prefixErr != nil && addressErr != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8; none is nobody's", network)
		}
	}
	return networks, nil
}

func parseOrigins(text string) ([]string, error) {
	origins := words(text)
	for _, origin := range origins {
		parsed, err := url.Parse(origin)
		if err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.Path != "" {
			return nil, fmt.Errorf("%q is not an origin such as https://id.example.org", origin)
		}
	}
	return origins, nil
}

func parseModels(text string) ([]uuid.UUID, error) {
	var models []uuid.UUID
	for _, word := range words(text) {
		model, err := uuid.Parse(word)
		if err != nil {
			return nil, fmt.Errorf("%q is not an AAGUID such as ee882879-721c-4913-9775-3dfcce97072a", word)
		}
		models = append(models, model)
	}
	return models, nil
}

func parseCountries(text string) ([]string, error) {
	countries := words(text)
	for _, country := range countries {
		if !identifier.IsCountry(country) {
			return nil, fmt.Errorf("%q is not a country such as DE, by ISO 3166-1 alpha-2", country)
		}
	}
	return countries, nil
}

func parseQuantity(text string) (int64, error) {
	quantity, err := strconv.ParseInt(text, 10, 32)
	if err != nil || quantity < 1 {
		return 0, errors.New("must be a number from 1 on")
	}
	return quantity, nil
}

// parseContacts reads whom to tell of weaknesses: RFC 9116, section 2.5.3.
func parseContacts(text string) ([]string, error) {
	contacts := words(text)
	for _, contact := range contacts {
		parsed, err := url.Parse(contact)
		if err != nil || !isContact(parsed) {
			return nil, fmt.Errorf("%q is neither mailto:security@example.com nor an https URL", contact)
		}
	}
	return contacts, nil
}

func isContact(to *url.URL) bool {
	if to.Scheme != "mailto" {
		return to.Scheme == "https" && to.Host != "" && to.User == nil
	}
	address, err := url.PathUnescape(to.Opaque)
	if err != nil {
		return false
	}
	parsed, err := mail.ParseAddress(address)
	return err == nil && parsed.Address == address
}

func parseLanguages(text string) ([]string, error) {
	tags := words(text)
	for _, tag := range tags {
		if _, err := language.Parse(tag); err != nil {
			return nil, fmt.Errorf("%q is not a language such as en or de-CH, by BCP 47", tag)
		}
	}
	return tags, nil
}

func parseTwoFactors(text string) (rule identity.TwoFactorRule, err error) {
	switch text {
	case "optional":
		return rule, nil
	case "everybody":
		rule.Everybody = true
		return rule, nil
	}
	roles, isRoles := strings.CutPrefix(text, "roles:")
	if rule.Roles = words(roles); !isRoles || len(rule.Roles) == 0 {
		err = errors.New("must be optional, everybody, or roles: with names by commas, such as roles:admin,clerk")
	}
	return rule, err
}
