package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web"
	"github.com/wicket-id/wicket/web/notify"
)

// environment is where configuration comes from. Nothing else in Wicket reads the environment.
type environment struct {
	lookup func(name string) (string, bool)
	read   readFile // nil: os.ReadFile
}

// readFile reads a file that configuration names.
type readFile func(path string) ([]byte, error)

// secret reads the one value that a file holds.
func (read readFile) secret(path string) (string, error) {
	content, err := read(path)
	return strings.TrimSpace(string(content)), err
}

const defaultDatabase = "sqlite:wicket-data/wicket.db"

// configuration is what the WICKET_* variables say.
type configuration struct {
	issuer         string
	listen         string
	metricsListen  string // empty: no metrics
	traces         string // how they are sent: traceProtocol
	databaseURL    string
	readURL        string                // of a PostgreSQL server that follows it, for reads that may be late; empty: none
	clock          func() time.Time      // this machine's
	redis          *storage.RedisOptions // nil: each process counts for itself
	limits         storage.Rates
	seal           *storage.Seal
	trustedProxies []string
	drain          time.Duration // for how long requests are answered while /readyz says no
	migrate        bool
	registration   bool
	attemptsKept   time.Duration // how long attempts to sign in are kept
	ledgerKept     time.Duration // how long the ledger is; 0: for ever
	relyingParty   *identity.RelyingParty
	twoFactors     oidc.TwoFactorRule
	smtp           *notify.SMTP       // nil: mail cannot be sent
	sms            notify.TextSender  // nil: text messages cannot be sent
	invitation     string             // the secret of the link for the first person; empty: the operator chose none
	clients        []oidc.Declaration // apps that are made as declared when the server starts
	providers      []federation.Provider
	outbox         *notify.Outbox    // development alone: mail and text messages are shown instead
	files          map[string][]byte // that all this was read from, by their paths: digests of their content
}

// databaseExists refuses to go on where a command would work on an embedded database that nobody has made: a mistyped path
// would otherwise look like an empty one.
func (e environment) databaseExists() error {
	url, err := e.value("WICKET_DATABASE_URL")
	if err != nil || url == "" {
		url = defaultDatabase
	}
	path := embeddedPath(url)
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no database at %s: start wicket serve or run wicket migrate first, or set WICKET_DATABASE_URL to where it is", path)
	}
	return nil
}

// on is the same environment, but for where the database is.
func (e environment) on(databaseURL string) environment {
	return environment{lookup: func(name string) (string, bool) {
		switch name {
		case "WICKET_DATABASE_URL":
			return databaseURL, true
		case "WICKET_DATABASE_URL_FILE":
			return "", false
		}
		return e.lookup(name)
	}}
}

// configuration reads the variables. Everything that is wrong is named at once, each by its variable.
func (e environment) configuration() (*configuration, error) {
	files := make(map[string][]byte)
	e.read = func(path string) ([]byte, error) {
		content, err := os.ReadFile(path)
		files[path] = storage.Digest(string(content))
		return content, err
	}
	var faults []error
	fault := func(name string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	read := func(name, fallback string) string {
		value, err := e.value(name)
		fault(name, err)
		if value == "" {
			return fallback
		}
		return value
	}
	c := &configuration{
		issuer:      read("WICKET_ISSUER", "http://localhost:8080"),
		listen:      read("WICKET_LISTEN", "localhost:8080"),
		databaseURL: read("WICKET_DATABASE_URL", defaultDatabase),
		readURL:     read("WICKET_DATABASE_READ_URL", ""),
		clock:       identity.Clock,
		migrate:     true,
		files:       files,

		metricsListen: read("WICKET_METRICS_LISTEN", ""),
	}
	switch value := read("WICKET_MIGRATE", "auto"); value {
	case "auto":
	case "off":
		c.migrate = false
	default:
		fault("WICKET_MIGRATE", errors.New("must be auto or off"))
	}
	c.traces = e.traceProtocol(fault)
	drain := "0s" // nobody else could answer
	if c.embeddedDatabase() == "" {
		drain = "5s"
	}
	var drainErr error
	if c.drain, drainErr = time.ParseDuration(read("WICKET_DRAIN", drain)); drainErr != nil || c.drain < 0 {
		fault("WICKET_DRAIN", errors.New("must be a duration such as 5s, or 0s"))
	}
	switch value := read("WICKET_REGISTRATION", "off"); value {
	case "off":
	case "open":
		c.registration = true
	default:
		fault("WICKET_REGISTRATION", errors.New("must be open or off"))
	}
	for _, proxy := range words(read("WICKET_TRUSTED_PROXIES", "")) {
		_, prefixErr := netip.ParsePrefix(proxy)
		_, addressErr := netip.ParseAddr(proxy)
		if prefixErr != nil && addressErr != nil {
			fault("WICKET_TRUSTED_PROXIES", fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", proxy))
		}
		c.trustedProxies = append(c.trustedProxies, proxy)
	}
	var err error
	c.attemptsKept, err = kept(read("WICKET_KEEP_LOGIN_ATTEMPTS", "400d"))
	fault("WICKET_KEEP_LOGIN_ATTEMPTS", err)
	c.ledgerKept, err = kept(read("WICKET_KEEP_AUDIT_TRAIL", "forever"))
	fault("WICKET_KEEP_AUDIT_TRAIL", err)
	e.strongAuthentication(c, read, fault)
	if url := read("WICKET_REDIS_URL", ""); url != "" {
		var err error
		c.redis, err = storage.ParseRedis(url)
		fault("WICKET_REDIS_URL", err)
	}
	c.limits, err = web.DefaultLimits.With(read("WICKET_LIMITS", ""))
	fault("WICKET_LIMITS", err)
	if url := read("WICKET_SMTP_URL", ""); url != "" {
		var err error
		c.smtp, err = notify.NewSMTP(url)
		fault("WICKET_SMTP_URL", err)
	}
	smsSecret := read("WICKET_SMS_SECRET", "")
	if url := read("WICKET_SMS_URL", ""); url != "" {
		sms, err := notify.NewTextSender(url, smsSecret)
		switch {
		case err == nil:
			c.sms = sms
		case errors.Is(err, notify.ErrWebhookSecret):
			fault("WICKET_SMS_SECRET", err)
		default:
			fault("WICKET_SMS_URL", err)
		}
	}
	if declared := read("WICKET_CLIENTS", ""); declared != "" {
		var err error
		c.clients, err = parseDeclarations(declared, e.read)
		fault("WICKET_CLIENTS", err)
	}
	if c.invitation = read("WICKET_FIRST_INVITATION", ""); c.invitation != "" {
		fault("WICKET_FIRST_INVITATION", identity.CheckInvitationSecret(c.invitation))
	}
	c.providers = e.providers(c.registration, read, fault)
	keys := read("WICKET_SECRET", "")
	embedded := c.embeddedDatabase() != ""
	if keys == "" && embedded {
		var err error
		keys, err = masterKeyBeside(c.embeddedDatabase(), e.read)
		fault("WICKET_SECRET", err)
	} else if !strings.HasPrefix(c.databaseURL, "postgres") {
		if !embedded {
			fault("WICKET_DATABASE_URL", errors.New(`must begin with "sqlite:" or "postgres://"`))
		}
	} else if keys == "" {
		fault("WICKET_SECRET", errors.New("is needed with PostgreSQL: the master key, 32 bytes in base64, the same for every replica; make one with: openssl rand -base64 32"))
	}
	if keys != "" {
		var err error
		c.seal, err = storage.ParseSeal(keys)
		fault("WICKET_SECRET", err)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("the configuration has faults:\n%w", errors.Join(faults...))
	}
	return c, nil
}

// leastKept is what the database itself keeps of the ledger, whoever asks, and what limits and histories look back to.
const leastKept = 30 // days

// kept reads how long something is kept: a number of days such as 400d, or forever, which is 0.
func kept(text string) (time.Duration, error) {
	if text == "forever" {
		return 0, nil
	}
	days, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || !strings.HasSuffix(text, "d") || days < leastKept || days > 100*365 {
		return 0, fmt.Errorf("must be forever, or a number of days such as 400d, at least %dd", leastKept)
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

// embeddedDatabase is the path of the SQLite file; empty for another database.
func (c *configuration) embeddedDatabase() string { return embeddedPath(c.databaseURL) }

func embeddedPath(databaseURL string) string {
	path, embedded := strings.CutPrefix(databaseURL, "sqlite:")
	if !embedded {
		return ""
	}
	return strings.TrimPrefix(path, "//")
}

// value reads a variable, or the file that the variable of the same name with _FILE at its end names.
func (e environment) value(name string) (string, error) {
	value, _ := e.lookup(name)
	path, _ := e.lookup(name + "_FILE")
	if path == "" {
		return strings.TrimSpace(value), nil
	}
	if value != "" {
		return "", fmt.Errorf("is set, and so is %s_FILE; set one of them", name)
	}
	read := e.read
	if read == nil {
		read = os.ReadFile
	}
	value, err := read.secret(path)
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return value, nil
}

// masterKeyPath is where the master key of an embedded database is kept.
func masterKeyPath(database string) string {
	return strings.TrimSuffix(database, filepath.Ext(database)) + ".key"
}

// masterKeyBeside reads the master key in the folder of an embedded database, and makes one the first time.
func masterKeyBeside(database string, read readFile) (string, error) {
	path := masterKeyPath(database)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err == nil {
		if info.Mode().Perm()&0o077 != 0 {
			return "", fmt.Errorf("others may read %s; run: chmod 600 %s", path, path)
		}
		return readMasterKey(path, read)
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if info, err := os.Stat(database); err == nil && info.Size() > 0 {
		return "", fmt.Errorf("%s is missing, but the database %s exists: put the key back, for what it sealed cannot be read without it", path, database)
	}
	// Written whole before it bears its name, and linked rather than renamed: of two processes that start together one
	// makes the key, and both read it.
	file, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(storage.NewMasterKey() + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync() // so that a power cut keeps the name too
		_ = folder.Close()
	}
	return readMasterKey(path, read)
}

func readMasterKey(path string, read readFile) (string, error) {
	key, err := read.secret(path)
	if err == nil && key == "" {
		err = fmt.Errorf("the master key in %s is empty", path)
	}
	return key, err
}
