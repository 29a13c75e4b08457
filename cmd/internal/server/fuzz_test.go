package server

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/clients"

	"github.com/wicket-id/wicket/storage/storagetest"
)

const hush = "hush-hush"

// Whatever a variable holds, it is read within a moment, the same way each time, and nothing secret of it is repeated.
func FuzzVariables(f *testing.F) {
	all := variables()
	for i, v := range all {
		for _, value := range []string{v.Default, hush, "-1\x00", "https://a:hush-hush@b/"} {
			f.Add(uint8(i), value, false)
		}
	}
	for name, values := range map[string][]string{
		"WICKET_DATABASE_URL": {
			"postgres://u:hush-hush@h/x?sslmode=verify-full", "postgres://u:hush-hush@[::1/x", "postgres://u:hush-hush%@h/x", "u:hush-hush@h",
			"mysql://u:hush-hush@h/", "postgres://u:hush-hush@h:port/x", "host=h password=hush-hush", "sqlite:x?y", "postgres://h/?password=hush-hush&x=%",
		},
		"WICKET_REDIS_URL":         {"redis://u:hush-hush@h:1/0", "redis://:hush-hush@h:x/", "rediss://u:hush-hush@h/99999999999", "redis://h/?password=hush-hush&db=x"},
		"WICKET_SMTP_URL":          {"smtp://u:hush-hush@h:587", "smtps://u:hush-hush@h:x", "smtp://u:hush-hush%zz@h", "u:hush-hush"},
		"WICKET_SMS_URL":           {"twilio://u:hush-hush@+4915112345678", "https://u:hush-hush@h/", "twilio://u:hush-hush@x", "https://h/%zz?hush-hush"},
		"WICKET_ISSUER":            {"https://id.example.com", "https://u:hush-hush@h", "http://localhost:8080", "https://u:hush-hush@h:port", "https://h/%zz"},
		"WICKET_SECRET":            {testMasterKey, testMasterKey + ",hush-hush"},
		"WICKET_LIMITS":            {"off", "/token=10", "x=1", "/token=client:100"},
		"WICKET_TRUSTED_PROXIES":   {"10.0.0.0/8, ::1", "10.0.0.0/99"},
		"WICKET_FIRST_INVITATION":  {strings.Repeat(hush, 10)},
		"WICKET_TWO_FACTORS":       {"roles:admin,x", "roles:"},
		"WICKET_WEBAUTHN_ID":       {"example.com"},
		"WICKET_WEBAUTHN_ORIGINS":  {"https://a.example,https://b.example", "https://u:hush-hush@h"},
		"WICKET_KEEP_AUDIT_TRAIL":  {"400d", "forever"},
		"WICKET_TEXT_COUNTRIES":    {"DE,AT"},
		"WICKET_GOOGLE_CLIENT_ID":  {"x.apps.googleusercontent.com"},
		"WICKET_SMS_SECRET":        {"whsec_hush-hush"},
		"WICKET_DATABASE_READ_URL": {"postgres://u:hush-hush@h/x"},
	} {
		for i, v := range all {
			for _, value := range values {
				if v.Names[0] == name {
					f.Add(uint8(i), value, i%2 == 0)
				}
			}
		}
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, index uint8, value string, inFile bool) {
		v := all[int(index)%len(all)]
		name := v.Names[0]
		if name == "WICKET_FIDO_METADATA" || strings.Contains(value, "/dev/") || strings.Contains(value, "/proc/") {
			return // files of the machine, some of which never end
		}
		env := Environment{"WICKET_DATABASE_URL": "sqlite:" + filepath.Join(folder, "w.db")}
		if path := filepath.Join(folder, "value"); inFile && strings.HasPrefix(name, ourPrefix) {
			if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
			delete(env, name)
			env[name+fileSuffix] = path
		} else {
			env[name] = value
		}
		before := storagetest.Computed()
		settings, faults := Check(env)
		if took := storagetest.Computed() - before; took > 5*time.Second {
			t.Fatalf("%s=%q takes %s to read", name, value, took)
		}
		again, others := Check(env)
		if !reflect.DeepEqual(settings, again) || len(faults) != len(others) {
			t.Fatalf("%s=%q is read as %v, %v, and then as %v, %v", name, value, settings, faults, again, others)
		}
		told := ""
		if err := errors.Join(faults...); err != nil {
			told = err.Error()
		}
		secret := v.Secret && EmbeddedPath(strings.TrimSpace(value)) == ""
		if secret && strings.Contains(told, hush) && !strings.Contains(told, "a file that it names") &&
			name != "WICKET_CLIENTS" && name != "WICKET_PROVIDERS" { // whose names are no secrets
			t.Fatalf("%s=%q: it is repeated: %s", name, value, told)
		}
		for _, setting := range settings {
			told := secret && setting.Value != "" && setting.Source != fromDefault
			if setting.Name == name && (told || hasPassword(setting.Value)) {
				t.Fatalf("%s=%q is shown as %q", name, value, setting.Value)
			}
		}
		for _, fault := range faults {
			if !strings.HasPrefix(fault.Error(), ourPrefix) && !strings.HasPrefix(fault.Error(), "OTEL_") {
				t.Fatalf("%s=%q: the fault names no variable: %v", name, value, fault)
			}
		}
	})
}

var notYAMLForm = regexp.MustCompile(`^is not YAML(: something is wrong at line \d+, column \d+)?$`)

// checkTold fails where what is wrong with a declared list repeats a secret, or what cannot even be read.
func checkTold(t *testing.T, text string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "the content of a file"):
		t.Fatalf("%q: a secret is repeated: %v", text, err)
	case strings.HasPrefix(err.Error(), "is not YAML") && !notYAMLForm.MatchString(err.Error()):
		t.Fatalf("%q: it is repeated: %v", text, err)
	}
}

func readSecret(string) ([]byte, error) {
	return []byte("the content of a file, which is a secret of some length\n"), nil
}

// A list of apps is read as apps that are in order and are read the same way when they are printed, or refused.
func FuzzDeclaredClients(f *testing.F) {
	for _, text := range []string{
		"", "[]", "- {}", "a: b", "- client_id: a\n  client_name: A\n  token_endpoint_auth_method: none\n  redirect_uris: [https://a.example/cb]\n",
		"- client_id: a\n  client_name: A\n  redirect_uris: [https://a.example/cb]\n  client_secret_file: /run/secrets/a\n  scope: openid email\n",
		`[{"client_id":"a","client_name":"A","token_endpoint_auth_method":"none","redirect_uris":["http://127.0.0.1/cb","com.example.a:/x"]}]`,
		`[{"client_id":"a","client_name":"A","token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"],"scope":"read","jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}]`,
		"- &a {client_id: a}\n- *a\n", "- client_id: a\n  client_id: b\n", "- client_secret: hush-hush\n", "- !!binary aGk=\n", "- client_name: [", "a: &a [*a]",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "- <<: {client_id: a}\n", "- client_name: |\n    A\n  client_id: \"\\0\"\n", "\xff", "--- []\n--- []\n", "- ? {a: b}\n  : c\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			return
		}
		before := storagetest.Computed()
		declared, err := parseClients(text, readSecret)
		if took := storagetest.Computed() - before; took > 5*time.Second {
			t.Fatalf("%q takes %s to read", text, took)
		}
		checkTold(t, text, err)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, d := range declared {
			if d.Client.ID == "" || seen[d.Client.ID] ||
				d.Client.AuthMethod == clients.AuthNone && len(d.Secret)+len(d.Client.SecretHash) > 0 {
				t.Fatalf("%q declares %+v", text, d.Client)
			}
			seen[d.Client.ID] = true
			for _, uri := range d.Client.RedirectURIs {
				if !strings.Contains(uri, ":") || strings.ContainsAny(uri, "# \n\x00*") || strings.HasPrefix(uri, "javascript:") {
					t.Fatalf("%q declares the redirect URI %q", text, uri)
				}
			}
			described, err := d.Client.Describe()
			if err != nil {
				t.Fatal(err)
			}
			again, others, err := clients.ReadMetadata(described)
			if err != nil || len(others) > 0 {
				t.Fatalf("%q declares %s, which is read as %v, %v", text, described, others, err)
			}
			err = clients.Declaration{Client: again, Secret: d.Secret}.Check()
			if second, failed := again.Describe(); err != nil || failed != nil || !bytes.Equal(second, described) {
				t.Fatalf("%q declares %s, which is then %s, %v, %v", text, described, second, err, failed)
			}
		}
	})
}

// A list of providers is read as providers that are in order, or refused.
func FuzzDeclaredProviders(f *testing.F) {
	for _, text := range []string{
		"", "[]", "- {}", "- id: acme\n  kind: oidc\n  name: Acme\n  issuer: https://acme.example\n  client_id: a\n  client_secret_file: /x\n",
		"- kind: google\n  client_id: a\n  client_secret_file: /x\n  settings: {domains: [example.com], emails: proved}\n",
		"- kind: microsoft\n  client_id: a\n  client_secret_file: /x\n  settings: {tenant: common, tenants: [9188040d-6c67-4c5b-b112-36a304b66dad]}\n",
		"- kind: github\n  client_id: a\n  client_secret_file: /x\n  settings: {registration: true, roles: [{role: admin, claim: groups, value: a}]}\n",
		"- kind: oidc\n  issuer: http://127.0.0.1:1\n  client_id: a\n  client_secret_file: /x\n  settings: {allow_private: true, profile: {name: x}}\n",
		"- id: a/b\n  kind: google\n", "- kind: oidc\n  issuer: https://u:hush-hush@h\n", "- kind: wallet\n", "- settings: []\n", "- kind: google\n  settings: {domains: [\"\\0\"]}\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			return
		}
		before := storagetest.Computed()
		declared, err := parseProviders(text, readSecret)
		if took := storagetest.Computed() - before; took > 5*time.Second {
			t.Fatalf("%q takes %s to read", text, took)
		}
		checkTold(t, text, err)
		if err != nil {
			return
		}
		for _, p := range declared {
			again := p
			if err := again.Check(); err != nil || !reflect.DeepEqual(again, p) {
				t.Fatalf("%q declares %+v, which is then %+v, %v", text, p, again, err)
			}
			if p.ID == "" || p.ClientID == "" || p.Secret == "" || strings.ContainsAny(p.ID, "/?#% \x00") {
				t.Fatalf("%q declares %+v", text, p)
			}
		}
	})
}

// hasPassword tells whether a text is a URL with the password of the seeds.
func hasPassword(text string) bool {
	parsed, err := url.Parse(text)
	if err != nil || parsed.User == nil {
		return false
	}
	password, _ := parsed.User.Password()
	return password == "hush-hush"
}
