package server

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage/seal"
)

// A variable that begins like ours and is mistyped is refused with the name that was meant; those that Kubernetes and
// our own tests set are left alone.
func TestMistypedVariables(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/wicket.db"
	for name, meant := range map[string]string{
		"WICKET_ISUER":                   "WICKET_ISSUER",
		"WICKET_ISSUER_URL":              "WICKET_ISSUER",
		"WICKET_REDIS":                   "WICKET_REDIS_URL",
		"WICKET_GOGGLE_CLIENT_ID":        "WICKET_GOOGLE_CLIENT_ID",
		"WICKET_SECRT_FILE":              "WICKET_SECRET_FILE",
		"WICKET_TRUSTED_PROXY":           "WICKET_TRUSTED_PROXIES",
		"WICKET_issuer":                  "WICKET_ISSUER",
		"WICKET_":                        "WICKET_",
		"WICKET_PORTS":                   "WICKET_",
		"WICKET_SERVICE":                 "WICKET_",
		"WICKET_TEST":                    "WICKET_",
		"WICKET_SERVICE_HOST":            "",
		"WICKET_SERVICE_PORT":            "",
		"WICKET_SERVICE_PORT_HTTP":       "",
		"WICKET_PORT":                    "",
		"WICKET_PORT_8080_TCP":           "",
		"WICKET_PORT_8080_TCP_PROTO":     "",
		"WICKET_PORT_8080_TCP_ADDR":      "",
		"WICKET_POSTGRES_SERVICE_HOST":   "",
		"WICKET_POSTGRES_PORT_5432_TCP":  "",
		"WICKET_METRICS_SERVICE_PORT":    "",
		"WICKET_TEST_COMPLETE":           "",
		"WICKET_BENCH_PEOPLE":            "",
		"OTEL_SERVICE_NAMED":             "",
		"WICKETS":                        "",
		"MY_WICKET_ISSUER":               "",
		"WICKET_KEEP_AUDIT_TRAIL":        "",
		"WICKET_HARDWARE_KEY_MODEL":      "WICKET_HARDWARE_KEY_MODELS",
		"WICKET_FIRST_INVITATION_SECRET": "WICKET_FIRST_INVITATION",
	} {
		value := ""
		if meant != "" {
			value = "hush-hush"
		}
		_, err := Load(Environment{"WICKET_DATABASE_URL": database, name: value})
		switch {
		case meant == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case meant == "":
		case err == nil || !strings.Contains(err.Error(), name+": there is no such variable; did you mean "+meant):
			t.Errorf("%s: %v; want %s", name, err, meant)
		case strings.Contains(err.Error(), "hush-hush"):
			t.Errorf("%s: the value is told: %v", name, err)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 5}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// Without any variable there is an embedded database; with PostgreSQL some defaults are others.
func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	config, err := Load(Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if config.Issuer != "http://localhost:8080" || config.Listen != "localhost:8080" ||
		!config.Migrate || config.Registration ||
		config.EmbeddedDatabase() != "wicket-data/wicket.db" || config.Drain != 0 || config.RelyingParty == nil ||
		config.KeepLoginAttempts != 400*24*time.Hour || config.KeepAuditTrail != 0 || len(config.Limits) == 0 {
		t.Errorf("%+v", config)
	}
	config, err = Load(Environment{"WICKET_DATABASE_URL": "postgres://localhost/x", "WICKET_SECRET": testMasterKey})
	if err != nil || config.Drain != 5*time.Second {
		t.Errorf("with PostgreSQL: %v, %v", config, err)
	}
	config, err = Load(Environment{
		"WICKET_LIMITS": "off", "WICKET_DRAIN": "1s", "WICKET_MIGRATE": " off\n", "WICKET_TRUSTED_PROXIES": "none",
	})
	if err != nil || len(config.Limits)+len(config.TrustedProxies) != 0 || config.Drain != time.Second || config.Migrate {
		t.Errorf("with others: %+v, %v", config, err)
	}
	config, err = Load(Environment{"WICKET_LISTEN_FILE": os.DevNull, "WICKET_MIGRATE": "  "})
	if err != nil || config.Listen != "localhost:8080" || !config.Migrate {
		t.Errorf("with empty ones: %+v, %v", config, err)
	}
	if files, err := os.ReadDir("."); err != nil || len(files) != 0 {
		t.Errorf("reading the configuration left %v behind, %v", files, err)
	}
}

// Whoever finds a weakness must be able to tell somebody: an address that nobody can write to is refused.
func TestSecurityContacts(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, right := range map[string]bool{
		"mailto:security@example.com": true, "https://example.com/security": true,
		"mailto:security%2Bwicket@example.com,https://example.com/report": true,
		"security@example.com": false, "mailto:": false, "mailto:nobody": false, "http://example.com/": false, "https:": false,
		"https://": false, "https://me:secret@example.com/": false, "tel:+1-201-555-0123": false, "javascript:alert(1)": false,
		"mailto:a@example.com,b@example.com": false, "mailto:a@example.com%0d%0aContact:https://evil.example": false,
		"mailto:Ada%20%3Ca@example.com%3E": false,
	} {
		config, err := Load(Environment{"WICKET_SECURITY_CONTACT": text})
		if (err == nil) != right || err != nil && !strings.Contains(err.Error(), "WICKET_SECURITY_CONTACT: ") {
			t.Errorf("%s: %v", text, err)
		}
		if right && (!slices.Equal(config.SecurityContacts, strings.Split(text, ",")) ||
			!slices.Equal(config.SecurityLanguages, []string{"en"})) {
			t.Errorf("%s: %q, in %q", text, config.SecurityContacts, config.SecurityLanguages)
		}
	}
	if config, err := Load(Environment{"WICKET_SECURITY_LANGUAGES": "de, de-CH"}); err != nil ||
		!slices.Equal(config.SecurityLanguages, []string{"de", "de-CH"}) {
		t.Errorf("languages: %v, %v", config, err)
	}
	if _, err := Load(Environment{"WICKET_SECURITY_LANGUAGES": "english please"}); err == nil {
		t.Error("what is no language is taken for one")
	}
}

// Everything that is wrong is said at once, and nothing secret is said.
func TestAllFaultsAtOnce(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(Environment{
		"WICKET_DATABASE_URL": "mysql://hush-hush@host/", "WICKET_SECRET_FILE": secret, "WICKET_LISTEN": "8080",
		"WICKET_ISSUER": "https://id.example.com/x", "WICKET_MIGRATE": "perhaps", "WICKET_TRUSTED_PROXIES": "proxy",
		"WICKET_SMTP_URL":    "hush-hush",
		"WICKET_TWO_FACTORS": "no", "WICKET_CLIENTS": "x", "WICKET_CLIENTS_FILE": "/x", "WICKET_KEEP_AUDIT_TRAIL": "1d",
		"WICKET_FIRST_INVITATION": "hush-hush", "WICKET_MISTYPED": "x",
	})
	for _, want := range []string{
		"WICKET_DATABASE_URL: must begin with", "WICKET_SECRET: ", "WICKET_ISSUER: the issuer must be an origin",
		"WICKET_LISTEN: must be a host and a port", "WICKET_MIGRATE: must be auto or off",
		"WICKET_TRUSTED_PROXIES: \"proxy\" is",
		"WICKET_SMTP_URL: ", "WICKET_TWO_FACTORS: must be", "WICKET_CLIENTS: is set, and so is WICKET_CLIENTS_FILE",
		"WICKET_KEEP_AUDIT_TRAIL: must be", "WICKET_FIRST_INVITATION: ", "WICKET_MISTYPED: there is no such",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("a secret is told: %v", err)
	}
}

// A value that begins with a hyphen is a value: a secret of random characters may.
func TestValuesBeginWithAHyphen(t *testing.T) {
	for _, secret := range []string{"-Xq9verysecretvalue", "--help", "-"} {
		config, err := Load(Environment{
			"WICKET_SECRET": testMasterKey, "WICKET_SMS_SECRET": secret, "WICKET_OIDC_ISSUER": "https://op.example.com",
			"WICKET_OIDC_NAME": "Op", "WICKET_OIDC_CLIENT_ID": secret, "WICKET_OIDC_CLIENT_SECRET": secret,
		})
		if err != nil || config.SMSSecret != secret {
			t.Errorf("%q: %+v, %v", secret, config, err)
		}
	}
	if _, err := Load(Environment{"WICKET_DATABASE_URL": "-postgres://a:hush-hush@c/d"}); err == nil ||
		strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("a database that is none: %v", err)
	}
}

// Check tells each setting with where it comes from, but no secret, whatever is wrong.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "origins")
	if err := os.WriteFile(file, []byte("https://id.example.org\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const hush = "hush-hush-hush-hush-hush-hush-hush-hush"
	settings, faults := Check(Environment{
		"WICKET_DATABASE_URL": "postgres://wicket:" + hush + "@db.example.com/wicket", "WICKET_SECRET": testMasterKey,
		"WICKET_WEBAUTHN_ORIGINS_FILE": file, "WICKET_REDIS_URL": "redis://:" + hush + "@redis.example.com:6379/0",
		"WICKET_FIRST_INVITATION": hush, "WICKET_GOOGLE_CLIENT_SECRET": hush,
		"WICKET_GITHUB_URL": "https://u:" + hush + "@x.example",
		"WICKET_CLIENTS":    "[{client_id: x, client_secret: " + hush + "}]", "WICKET_DRAIN": "7s", "WICKET_ISSUR": hush,
	})
	if len(faults) != 3 { // the client, the provider without its id, the mistyped name
		t.Errorf("the faults: %v", faults)
	}
	told, err := json.Marshal(settings)
	all := string(told) + errors.Join(faults...).Error()
	if err != nil || strings.Contains(all, hush) || strings.Contains(all, testMasterKey) {
		t.Errorf("a secret is told: %s, %v, %v", told, faults, err)
	}
	for name, want := range map[string]Setting{
		"WICKET_DRAIN":            {Value: "7s", IsSet: true, Source: "variable"},
		"WICKET_SECRET":           {Secret: true, IsSet: true, Source: "variable"},
		"WICKET_WEBAUTHN_ORIGINS": {Value: "https://id.example.org", IsSet: true, Source: "file", File: file},
		"WICKET_WEBAUTHN_RP_ID":   {Value: "localhost", Source: "default"},
		"WICKET_SMTP_URL":         {Secret: true, Source: "default", Note: "no mail is sent"},
		"WICKET_LISTEN":           {Value: "localhost:8080", Source: "default"},
		"WICKET_GITHUB_URL":       {Value: "https://u:xxxxx@x.example", IsSet: true, Source: "variable"},
	} {
		want.Name = name
		if i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name }); i < 0 || settings[i] != want {
			t.Errorf("%+v lacks %+v", settings, want)
		}
	}
}

// The master key of an embedded database is made once, when a server is, and a lost one is not replaced.
func TestMasterKeyBesideTheDatabase(t *testing.T) {
	database := filepath.Join(t.TempDir(), "data", "wicket.db")
	env := Environment{"WICKET_DATABASE_URL": "sqlite:" + database}
	var seals []*seal.Seal
	for range 2 { // both of two processes that start together find none
		config, err := Load(env)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Dir(database)); len(seals) == 0 && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Load made something: %v", err)
		}
		if err := config.PrepareMasterKey(); err != nil {
			t.Fatal(err)
		}
		seals = append(seals, config.Seal)
	}
	sealed := seals[0].Close("a test", []byte("content"))
	if opened, err := seals[1].Open("a test", sealed); err != nil || string(opened) != "content" {
		t.Errorf("the second server has another key: %v", err)
	}
	settings, faults := Check(env)
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == "WICKET_SECRET" })
	if !settings[i].IsSet || settings[i].File != MasterKeyPath(database) || len(faults) > 0 {
		t.Errorf("%+v, %v", settings[i], faults)
	}
	if err := os.Chmod(MasterKeyPath(database), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(env); err == nil || !strings.Contains(err.Error(), "run: chmod 600 ") {
		t.Errorf("a key that others may read: %v", err)
	}
	err := errors.Join(os.Remove(MasterKeyPath(database)), os.WriteFile(database, []byte("x"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(env); err == nil || !strings.Contains(err.Error(), "put the key back") {
		t.Errorf("a key that is lost: %v", err)
	}
}

// A running server whose database and master key are gone goes on with what it had.
func TestAdoptWithoutAMasterKey(t *testing.T) {
	folder := t.TempDir()
	env := Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/wicket.db"}
	config, err := Load(env)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	files, err := filepath.Glob(folder + "/wicket.*")
	if err != nil || len(files) < 2 {
		t.Fatalf("there are %v, %v", files, err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	anew, err := Load(env)
	if err == nil {
		err = s.adopt(t.Context(), anew)
	}
	if err == nil || !strings.Contains(err.Error(), "wicket.key is missing") || s.Config() != config {
		t.Errorf("adopted: %v", err)
	}
}

// What is wrong is said of the variable that has to change, before anything is made.
func TestFaultsNameTheirOwnVariable(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env        Environment
		want, none string
	}{
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + file + "/deep/wicket.db"},
			"WICKET_DATABASE_URL: the folder of the database", "WICKET_SECRET"},
		{Environment{"WICKET_DATABASE_URL": "sqlite::memory:"},
			"WICKET_DATABASE_URL: \":memory:\" is not the path of a file", "WICKET_SECRET"},
		{Environment{"WICKET_DATABASE_URL": "postgres://u:hush-hush@h/x?sslmode=verify-ca&sslrootcert=" + folder + "/none"},
			"WICKET_DATABASE_URL: a file that it names cannot be read: open " + folder + "/none", "not a valid"},
		{Environment{"WICKET_DATABASE_URL": "postgres://h/x?pool_max_conns=1"}, "WICKET_SECRET: is needed with PostgreSQL", ""},
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/w.db", "WICKET_DATABASE_READ_URL": "postgres://h/x"},
			"WICKET_DATABASE_READ_URL: a second database", ""},
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/w.db", "WICKET_LISTEN": "localhost:80800"},
			"WICKET_LISTEN: must be a host and a port", ""},
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/w.db", "WICKET_DRAIN": "11m"},
			"WICKET_DRAIN: must be a duration such as 5s, or 0s, of at most 10m", ""},
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/w.db", "WICKET_CLIENTS": "- client_id: a\n" +
			"  client_name: A\n  token_endpoint_auth_method: none\n  redirect_uris: [/x]\n"},
			`WICKET_CLIENTS: client 1, "a": invalid client metadata`, ""},
		{Environment{"WICKET_DATABASE_URL": "sqlite:" + folder + "/w.db", "WICKET_PROVIDERS": "- id: a\n" +
			"  client_secret: hush-hush\n  kind: [oidc\n"},
			"WICKET_PROVIDERS: is not YAML: something is wrong at line", "hush-hush"},
	} {
		_, err := Load(c.env)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.none != "" && strings.Contains(err.Error(), c.none) ||
			strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("%v, want %s and not %s", err, c.want, c.none)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("reading the configuration left %v behind, %v", files, err)
	}
}
