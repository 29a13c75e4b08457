package server

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// Config is what the environment says: a field for each variable, and what follows from several of them. From its
// tags come the help of wicket serve, docs/configuration.md and the names that the chart knows:
//
//	env      the variable; each of WICKET_* may be given as NAME_FILE instead
//	help     what it says; 'between such marks' is what somebody may type
//	default  what holds where it is left out
//	unset    what is so then, where there is no such value
//	type     how it is read, where its Go type does not tell: one of the mappers in decode.go
//	enum     the only values
//	secret   it is a secret or holds one, and is never shown
//	section  the heading that begins here
type Config struct {
	Issuer         string        `section:"Addresses" env:"WICKET_ISSUER" type:"issuer" default:"http://localhost:8080" help:"The public address, scheme and host; apps compare it exactly."`
	Listen         string        `env:"WICKET_LISTEN" type:"address" default:"localhost:8080" help:"Where to listen."`
	TrustedProxies []string      `env:"WICKET_TRUSTED_PROXIES" type:"networks" unset:"nobody's" help:"Addresses or networks whose X-Forwarded-For is trusted, by commas; 'none' says that there is no proxy."`
	Drain          time.Duration `env:"WICKET_DRAIN" type:"patience" unset:"'5s'; SQLite: '0s'" help:"For how long requests are answered when '/readyz' says no, before a stop."`

	DatabaseURL     string `section:"Database" env:"WICKET_DATABASE_URL" default:"sqlite:wicket-data/wicket.db" secret:"" help:"'sqlite:PATH' or 'postgres://USER:PASSWORD@HOST/NAME'."`
	DatabaseReadURL string `env:"WICKET_DATABASE_READ_URL" secret:"" unset:"the database is asked itself" help:"A PostgreSQL server that follows it (a hot standby), for reports and lists that may be some seconds late."`
	Migrate         bool   `env:"WICKET_MIGRATE" type:"switch" enum:"auto,off" default:"auto" help:"'off': a server refuses to start on an old schema instead of migrating; run wicket migrate. Upgrades, rollbacks and backups: docs/upgrading.md."`

	Seal *seal.Seal `section:"Master key" env:"WICKET_SECRET" secret:"" unset:"SQLite: made once, kept beside the database; PostgreSQL: required" help:"The master key, 32 bytes in base64 ('openssl rand -base64 32' makes one); several by commas, of which the first seals: docs/secrets.md."`

	Redis  *cache.RedisOptions `section:"Replicas and limits" env:"WICKET_REDIS_URL" secret:"" unset:"each process counts for itself" help:"Redis, which replicas share: 'redis://USER:PASSWORD@HOST:6379/0', 'rediss://' for TLS. Sentinels and a Cluster: docs/replicas.md."`
	Limits cache.Rates         `env:"WICKET_LIMITS" unset:"generous" help:"How often who may ask for what, such as 'token.client=100/s,sign-in.ip=600/m,account.account=off'; 'off' for no limits at all: docs/replicas.md#rate-limits."`

	SMTP      *notify.SMTP `section:"Messages" env:"WICKET_SMTP_URL" secret:"" unset:"no mail is sent" help:"The mail server: 'smtp://USER:PASSWORD@mail.example.com:587?from=id@example.com' (STARTTLS) or 'smtps://' (TLS, port 465)."`
	SMSURL    string       `env:"WICKET_SMS_URL" secret:"" unset:"no phone can be verified" help:"Who sends text messages: 'twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=+15550100', or 'https://hooks.example.com/sms', which gets 'to', 'text' and 'id' as JSON, signed."`
	SMSSecret string       `env:"WICKET_SMS_SECRET" secret:"" unset:"required with a webhook" help:"Signs what goes to the webhook as https://www.standardwebhooks.com says, at least 16 characters; libraries that want it in base64 get it by 'printf %s SECRET | base64'."`

	SMSCountries []string `env:"WICKET_SMS_COUNTRIES" type:"countries" unset:"all" help:"Where text messages are sent, by commas, such as 'DE,AT,CH' (ISO 3166). Never to numbers that cost more than others, or belong to no country."`
	SMSDaily     int64    `env:"WICKET_SMS_DAILY" type:"quantity" default:"1000" help:"The most text messages in a day; half of them to one country, unless 'WICKET_SMS_COUNTRIES' names just one."`

	Registration    bool   `section:"People" env:"WICKET_REGISTRATION" type:"switch" enum:"open,off" default:"off" help:"'open': everybody may make an account, on the page '/register'."`
	FirstInvitation string `env:"WICKET_FIRST_INVITATION" type:"invitation" secret:"" unset:"SQLite: wicket serve prints such a link; PostgreSQL: wicket user invite --admin owner makes one" help:"The secret of the link 'ISSUER/register?token=SECRET' ('openssl rand -hex 32' makes one), which makes the first account, the owner's: once, and within a week of the last start."`

	TwoFactors             identity.TwoFactorRule `section:"Strong authentication" env:"WICKET_TWO_FACTORS" default:"optional" help:"Who must sign in with two factors: 'optional', 'everybody', or 'roles:admin,clerk'. More in docs/strong-authentication.md."`
	WebAuthnRPID           string                 `env:"WICKET_WEBAUTHN_RP_ID" unset:"the host of the issuer" help:"The domain that keys belong to: the host of the issuer, or a domain above it. Changing it makes every key useless."`
	WebAuthnOrigins        []string               `env:"WICKET_WEBAUTHN_ORIGINS" type:"origins" unset:"none" help:"Further origins, by commas, that use the same keys; served at '/.well-known/webauthn'."`
	HardwareKeyModels      []uuid.UUID            `env:"WICKET_HARDWARE_KEY_MODELS" type:"models" unset:"any" help:"AAGUIDs of the security keys that may be registered, by commas. Without attestation it is what the key says of itself."`
	HardwareKeyAttestation string                 `env:"WICKET_HARDWARE_KEY_ATTESTATION" enum:"optional,required" default:"optional" help:"'required': a key must attest its model, and the metadata must list and confirm it."`
	FIDOMetadata           string                 `env:"WICKET_FIDO_METADATA" unset:"none" help:"Path of the signed file that https://mds3.fidoalliance.org serves; models with a bad status are refused."`

	Clients []clients.Declaration `section:"Apps and providers" env:"WICKET_CLIENTS" secret:"" unset:"none" help:"Apps to make as declared whenever the server starts, better given as WICKET_CLIENTS_FILE: docs/declared-clients.md."`
	APIs    []apis.API            `env:"WICKET_APIS" secret:"" unset:"none" help:"APIs to make as declared whenever the server starts, better given as WICKET_APIS_FILE: docs/protect-an-api.md#declared-in-a-file."`
	// Configuration is the file whose groups, apps, APIs and providers there are to be; nil: none.
	Configuration *configuration.Document `env:"WICKET_CONFIGURATION" secret:"" unset:"none" help:"A configuration file: the groups, apps, APIs and providers that there are to be, made so whenever the server starts and nobody else's to change; better given as WICKET_CONFIGURATION_FILE: docs/configuration-file.md."`
	// ClientRegistration says who may register an app.
	ClientRegistration registration.Mode `env:"WICKET_CLIENT_REGISTRATION" enum:"off,token,open" default:"off" help:"Whether apps may register themselves at '/clients' (RFC 7591), as hosts of the Model Context Protocol do: 'token' with an initial access token of yours, see 'wicket registration-token'; 'open' as anybody. People are asked what such an app may do. docs/mcp.md."`
	// ClientDocuments says which apps may be known by a document.
	ClientDocuments registration.Documents `env:"WICKET_CLIENT_DOCUMENTS" unset:"off" help:"Whether an app may be known by the document at the https URL that is its client_id, as hosts of the Model Context Protocol are: 'any', or hosts by commas, with a dot in front for their subdomains: 'claude.ai,.openai.com'. docs/mcp.md."`
	RequirePKCE     bool                   `env:"WICKET_REQUIRE_PKCE" type:"switch" enum:"on,off" default:"off" help:"'on': every app must use PKCE (S256), not only those without a secret and those that are registered with '--require-pkce'. Many apps cannot: 'wicket_code_requests_total' tells how many do."`
	RequirePAR      bool                   `env:"WICKET_REQUIRE_PAR" type:"switch" enum:"on,off" default:"off" help:"'on': every app must push its authorization requests to '/par' (RFC 9126), not only those that are registered with '--require-par'."`
	// every response type, not code alone
	AllResponseTypes bool `env:"WICKET_RESPONSE_TYPES" type:"response-types" enum:"code,all" default:"code" help:"'all': apps may be registered with '--response-type' for tokens in the answer to an authorization request (implicit and hybrid flow) and for 'none'. Such tokens pass through the browser: RFC 9700 advises against it."`
	// schemes without a dot
	RedirectSchemes []string `env:"WICKET_REDIRECT_SCHEMES" type:"redirect-schemes" unset:"none" help:"Schemes without a dot that redirect URIs of apps without a secret may have, by commas, such as 'cursor,vscode'. Any program on a person's machine may claim such a scheme, so people are asked each time; what a browser opens itself, such as 'javascript', is refused here. docs/mcp.md#schemes-without-a-dot."`
	AllowPrivate    bool     `env:"WICKET_ALLOW_PRIVATE_ADDRESSES" type:"switch" enum:"on,off" default:"off" help:"'on': the 'jwks_uri' and the 'backchannel_logout_uri' of an app may lead to a private network by a name, and webhooks to any private address, by http too. Without it, only one whose host is itself a private address, or this machine, does."`
	// LoginCommand says whether there is an app for wicket login.
	LoginCommand bool `env:"WICKET_LOGIN_COMMAND" type:"switch" enum:"on,off" default:"off" help:"'on': people can sign in on the command line with 'wicket login', by a public app 'wicket-cli' that the server makes and, once it is 'off', deletes. docs/devices.md."`
	// How apps that know no better way are told of a logout in the browser.
	FrontchannelLogout bool `env:"WICKET_FRONTCHANNEL_LOGOUT" type:"switch" enum:"on,off" default:"off" help:"'on': who signs out is shown a page for two seconds that tells apps with a 'frontchannel_logout_uri' in frames. Browsers that keep cookies of other sites apart make it do nothing: better is 'backchannel_logout_uri', which is always on. docs/add-an-app.md#signing-out."`
	SessionManagement  bool `env:"WICKET_SESSION_MANAGEMENT" type:"switch" enum:"on,off" default:"off" help:"'on': apps may ask a frame whether somebody is still signed in (OpenID Connect Session Management). In browsers that keep cookies of other sites apart it always says that something has changed."`
	// Providers are those of WICKET_PROVIDERS and those of the variables of one kind.
	Providers []federation.Provider `env:"WICKET_PROVIDERS" secret:"" unset:"none" help:"Providers upstream with all that can be said of each, better given as WICKET_PROVIDERS_FILE: docs/federation.md#declared-in-a-file."`
	Google    googleVariables       `embed:"" prefix:"google-" envprefix:"WICKET_GOOGLE_" set:"provider=Google"`
	Microsoft microsoftVariables    `embed:"" prefix:"microsoft-" envprefix:"WICKET_MICROSOFT_" set:"provider=Microsoft"`
	GitHub    githubVariables       `embed:"" prefix:"github-" envprefix:"WICKET_GITHUB_" set:"provider=GitHub"`
	OIDC      oidcVariables         `embed:"" prefix:"oidc-" envprefix:"WICKET_OIDC_" set:"provider=any OpenID Provider"`

	KeepLoginAttempts time.Duration `section:"What is kept" env:"WICKET_KEEP_LOGIN_ATTEMPTS" type:"retention" default:"400d" help:"How long attempts to sign in are kept: a number of days such as '90d', or 'forever'. What else is kept on people: docs/privacy.md."`
	KeepAuditTrail    time.Duration `env:"WICKET_KEEP_AUDIT_TRAIL" type:"retention" default:"forever" help:"How long the audit trail is kept, in the same way."`
	KeepEvents        time.Duration `env:"WICKET_KEEP_EVENTS" type:"retention" default:"30d" help:"How long events are kept, for webhooks that are told again and for the feed, in the same way; no longer than the audit trail, in which they are."`
	EventFeed         bool          `env:"WICKET_EVENT_FEED" type:"switch" enum:"on,off" default:"off" help:"'on': events are kept to be read at '/api/v1/events', though there be no webhook. docs/webhooks.md#the-feed."`

	MetricsListen string         `section:"Operation" env:"WICKET_METRICS_LISTEN" type:"address" unset:"no metrics" help:"Where Prometheus finds '/metrics', such as '127.0.0.1:9090': docs/watching.md."`
	Traces        traceVariables `embed:"" prefix:"traces-"`

	SecurityContacts  []string `env:"WICKET_SECURITY_CONTACT" type:"contacts" unset:"nobody" help:"Whom to tell of a weakness of this server, by commas: 'mailto:security@example.com', or an https URL; served at '/.well-known/security.txt' (RFC 9116)."`
	SecurityLanguages []string `env:"WICKET_SECURITY_LANGUAGES" type:"languages" default:"en" help:"The languages that are read there, by commas, such as 'en,de'."`

	Clock         func() time.Time     `kong:"-"` // this machine's
	RelyingParty  *factor.RelyingParty `kong:"-"` // nil: passkeys and security keys cannot be used here
	SMS           notify.TextSender    `kong:"-"` // nil: text messages cannot be sent
	TraceProtocol string               `kong:"-"` // how traces are sent; empty: they are not
	Outbox        *notify.Outbox       `kong:"-"` // development alone: mail and text messages are shown instead

	environment Environment       // that it was made from
	files       map[string][]byte // that all this was read from, by their paths: digests of their content
	settings    []Setting
}

// Load reads the variables. Everything that is wrong is named at once, each by its variable. It changes nothing: a
// master key that is still to be made is made by PrepareMasterKey, and so by New.
func Load(env Environment) (*Config, error) {
	config, faults := load(env)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the configuration has faults:\n%w", errors.Join(faults...))
	}
	return config, nil
}

// load is Load that goes on where something is wrong.
func load(env Environment) (*Config, []error) {
	c := &Config{
		Limits:      web.DefaultLimits,
		Clock:       identity.Clock,
		environment: env,
		files:       make(map[string][]byte),
	}
	r := &reading{config: c}
	r.faults = append(r.faults, env.unknown()...)
	r.variables()
	r.drain()
	r.textMessages()
	r.relyingParty()
	r.providers()
	r.declaredTwice()
	if r.databases() || c.EmbeddedDatabase() == "" { // the key of an embedded one is beside it
		r.masterKey()
	}
	r.traces()
	return c, r.faults
}

// reading is a configuration while it is read.
type reading struct {
	config *Config
	faults []error
}

// fault notes what is wrong with a variable, if anything is.
func (r *reading) fault(name string, err error) {
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("%s: %w", name, err))
	}
}

// readFile reads a file that a variable names, and remembers how it was, so that WatchFiles sees when it changes.
func (c *Config) readFile(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if c.files != nil {
		c.files[path] = storage.Digest(string(content))
	}
	return content, err
}

// Mail is what sends mails; nil where there is no way to.
func (c *Config) Mail() notify.Sender {
	switch {
	case c.Outbox != nil:
		return c.Outbox
	case c.SMTP != nil:
		return c.SMTP
	}
	return nil
}

// texts is what sends text messages; nil where there is no way to.
func (c *Config) texts() notify.TextSender {
	if c.Outbox != nil {
		return c.Outbox
	}
	return c.SMS
}

// eventsKept is how long events are kept: they are lines of the audit trail. 0: for ever.
func (c *Config) eventsKept() time.Duration {
	if c.KeepAuditTrail > 0 && (c.KeepEvents == 0 || c.KeepAuditTrail < c.KeepEvents) {
		return c.KeepAuditTrail
	}
	return c.KeepEvents
}

// databases checks the URLs of the databases, and tells whether there is a place for the first.
func (r *reading) databases() bool {
	c := r.config
	err := storage.CheckURL(c.DatabaseURL)
	r.fault("WICKET_DATABASE_URL", err)
	if c.DatabaseReadURL != "" {
		r.fault("WICKET_DATABASE_READ_URL", storage.CheckStandby(c.DatabaseURL, c.DatabaseReadURL))
	}
	return err == nil
}

const defaultDrain = 5 * time.Second

// drain takes no time where nobody else could answer, unless a variable says otherwise.
func (r *reading) drain() {
	c, setting := r.config, r.config.setting("WICKET_DRAIN")
	if setting.IsSet {
		return
	}
	if c.EmbeddedDatabase() == "" {
		c.Drain = defaultDrain
	}
	setting.Value, setting.Note = c.Drain.String(), ""
}

// textMessages puts together who sends text messages.
func (r *reading) textMessages() {
	c := r.config
	if c.SMSURL == "" {
		return
	}
	sms, err := notify.NewTextSender(c.SMSURL, c.SMSSecret)
	switch {
	case err == nil:
		c.SMS = sms
	case errors.Is(err, notify.ErrWebhookSecret):
		r.fault("WICKET_SMS_SECRET", err)
	default:
		r.fault("WICKET_SMS_URL", err)
	}
}
