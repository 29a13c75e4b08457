package configuration_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/manage/configuration"
)

// files are files that can be applied, one after the other.
var files = []string{
	`{"version": 1, "groups": [{"slug": "a"}, {"slug": "b", "name": "B", "roles": ["x", "x", "a"]}]}`,
	"version: 1\ngroups:\n- slug: a\n  name: |\n    Block\n- {slug: 'b', name: \"B \\u00e9\"}\nclients:\napis: null",
	"version: 1\nclients:\n- {client_id: spa, client_name: SPA, token_endpoint_auth_method: none, access: [], " +
		"redirect_uris: ['https://spa.example/', 'com.example.app:/cb']}",
	`version: 1
groups: [{slug: b}, {slug: a}]
clients:
- {client_id: "1", client_name: "yes", client_secret_env: ONE, redirect_uris: ["https://one.example/"], access: [b, a, b]}
- client_id: machine
  client_name: Machine
  client_secret_file: two
  token_endpoint_auth_method: client_secret_post
  grant_types: [client_credentials]
  scope: ""
  disabled: true
  contacts: ["a: b", "#c", "- d", "null", "0"]
- client_id: keys
  client_name: Keys
  token_endpoint_auth_method: private_key_jwt
  redirect_uris: ["https://keys.example/?a=%20#"]
`,
	`version: 1
clients:
- client_id: keys
  client_name: Keys
  token_endpoint_auth_method: private_key_jwt
  redirect_uris: ["https://keys.example/?a=%20"]
  access: everyone
  subject_type: pairwise
  id_token_claims: minimal
  jwks: {keys: [{kty: EC, use: sig, kid: k, crv: P-256, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0}]}
apis:
- {identifier: "urn:example:api", name: "An API", scopes: [{name: "a:b", words: "A, b"}], token_lifetime: 60, open: true}
- {identifier: "HTTPS://API.example/", name: Api, token_type: JWT, introspection_clients: [keys]}
`,
	`version: 1
providers:
- {kind: google, client_id: wicket, client_secret_env: GOOGLE, settings: {domains: [Example.COM], scopes: [], registration: false}}
- id: acme
  kind: oidc
  name: "Acme: works"
  issuer: https://login.acme.example
  client_id: "1"
  client_secret_file: acme
  disabled: true
  settings:
    emails: proved
    profile: {nickname: nick, name: "full name"}
    roles: [{role: admin, claim: groups, value: "a=b"}]
    groups: [{group: staff, claim: groups, value: staff}]
    trust_amr: true
`,
	"version: 1\nsource: other\ngroups: [{slug: c}]\n",
}

// Each file leaves nothing to do once it was applied, whatever was applied before it.
func TestAppliedFilesLeaveNothingToDo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		for _, file := range append(files, whole, empty, files[0]) {
			holds(t, b, file)
		}
	})
}

// faulty are files that are wrong, and what is said of them.
var faulty = map[string]struct{ file, want string }{
	"nothing":           {"", "the file is empty"},
	"a comment":         {"# version: 1", "the file is empty"},
	"no YAML":           {"version: 1\nclients: [{client_id: hush\n  - ]", "line "},
	"text":              {"hush", "line 1: here must be an object"},
	"two documents":     {"version: 1\n---\nversion: 1", "line 3: a file is one document"},
	"no version":        {"groups: []", "version: a file says which form it has: version: 1"},
	"another version":   {"version: 2", "line 1, version: a file says"},
	"a version as text": {"version: \"1\"", "line 1, version: here must be a whole number"},
	"an unknown field":  {"version: 1\ngroup: []", "line 2: unknown field group"},
	"an unknown field of an app": {"version: 1\nclients:\n- client_id: x\n  redirect_uri: hush",
		"line 4, clients[0]: unknown field redirect_uri"},
	"a value for a name":   {"version: 1\nclients:\n- client_id: x\n  Hush hush: hush", "line 4, clients[0]: there is no such field here"},
	"a name that is none":  {"version: 1\nclients:\n- 7: hush", "line 3, clients[0]: a name must be text"},
	"the same name twice":  {"version: 1\ngroups:\n- slug: a\n  slug: hush", "line 4"},
	"a section as text":    {"version: 1\ngroups: hush", "line 2, groups: here must be a list"},
	"an item as text":      {"version: 1\ngroups: [hush]", "line 2, groups[0]: here must be an object"},
	"an item that is none": {"version: 1\ngroups:\n- slug: a\n-", "line 4, groups[1]: there is nothing here"},
	"a number for text":    {"version: 1\nclients:\n- client_id: 123456", "line 3, clients[0].client_id: here must be text"},
	"text for a list": {"version: 1\nclients:\n- client_id: x\n  redirect_uris: hush",
		"line 4, clients[0].redirect_uris: here must be a list"},
	"a number in a list": {"version: 1\nclients:\n- client_id: x\n  contacts: [a,\n   7]", "line 5, clients[0].contacts[1]: here must be text"},
	"an anchor":          {"version: 1\ngroups: &a []", "line 2, groups: anchors"},
	"an alias":           {"version: 1\ngroups: []\nclients: *a", "line 3, clients: anchors"},
	"a tag":              {"version: 1\nsource: !!binary aHVzaA==", "line 2, source: anchors"},
	"a source":           {"version: 1\nsource: Hush hush", "line 2, source: a source has"},
	"a slug":             {"version: 1\ngroups:\n- slug: Staff", `line 3, groups[0]: "Staff": the slug of a group has`},
	"a role":             {"version: 1\ngroups:\n- slug: a\n  roles: [a b]", `line 3, groups[0]: "a": a role name has`},
	"a group twice":      {"version: 1\ngroups:\n- slug: a\n- slug: a", `line 4, groups[1]: "a" is declared twice: the first is at line 3`},
	"a client twice":     {"version: 1\nclients:\n- " + app + "}\n- " + app + "}", `line 4, clients[1]: "x" is declared twice`},
	"an app without a name": {"version: 1\nclients:\n- {client_id: x, redirect_uris: ['https://x.example/']}",
		`line 3, clients[0]: "x": invalid client metadata: the client needs a name`},
	"a secret": {"version: 1\nclients:\n- " + app + ", client_secret: hush-hush}",
		"line 3, clients[0].client_secret: a secret has no place in a file"},
	"a short secret": {"version: 1\nclients:\n- " + app + ", client_secret_file: short}", "needs a secret of at least 32"},
	"no such file": {"version: 1\nclients:\n- " + app + ", client_secret_file: /hush/hush}",
		"line 3, clients[0].client_secret_file: the file cannot be read: file does not exist"},
	"no such variable": {"version: 1\nclients:\n- " + app + ", client_secret_env: hush}",
		"line 3, clients[0].client_secret_env: there is no such environment variable"},
	"two secrets": {"version: 1\nclients:\n- " + app + ", client_secret_env: A, client_secret_file: a}",
		"line 3, clients[0]: a secret is in one place"},
	"groups twice": {"version: 1\nclients:\n- " + app + ", access: [a], access_groups: [b]}",
		"line 3, clients[0].access: the groups stand here or in access_groups"},
	"an API": {"version: 1\napis: [{identifier: x, name: X}]", `line 2, apis[0]: "x": invalid API: the identifier must be`},
	"a provider": {"version: 1\nproviders:\n- {kind: acme, client_id: x, client_secret_env: A}",
		`line 3, providers[0]: "": the kind must be`},
	"a setting": {"version: 1\nproviders:\n- kind: google\n  settings:\n    domain: hush.example",
		"line 5, providers[0].settings: unknown field domain"},
	"a provider twice": {"version: 1\nproviders:\n- {kind: google, client_id: x}\n- {kind: google, id: google, client_id: y}",
		`line 4, providers[1]: "google" is declared twice`},
	"NUL": {"version: 1\nsource: \"a\\0b\"", "line 2, source: this is not text"},
}

const app = "{client_id: x, client_name: X, redirect_uris: ['https://x.example/']"

// What is wrong with a file is said with its line and its path, and without what may be a secret.
func TestFaultyFiles(t *testing.T) {
	t.Parallel()
	secrets := configuration.Secrets{
		File: func(path string) ([]byte, error) {
			switch path {
			case "/hush/hush":
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			case "short":
				return []byte("hush-hush"), nil
			}
			return []byte(secretOf(path)), nil
		},
		Variable: func(name string) (string, bool) { return secretOf(name), name != "hush" },
	}
	for name, c := range faulty {
		_, err := configuration.Read([]byte(c.file), secrets)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(strings.ToLower(err.Error()), "hush") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	_, err := configuration.Read([]byte("version: 3\nsource: 7\ngroup: 1\nclients:\n- client_id: x\n  x: 1\n"), secrets)
	var faults configuration.Faults
	if !errors.As(err, &faults) || len(faults) != 3 {
		t.Errorf("all that is wrong is said at once: %v", err)
	}
}

// What a file names and is not there, or belongs to another, is said of all of it at once, and nothing is changed.
func TestWhatAFileCannotDeclare(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.apply(t, "version: 1\nsource: other\ngroups: [{slug: theirs}]\nclients: [{client_id: theirs, client_name: X, "+
			"token_endpoint_auth_method: none, redirect_uris: ['https://x.example/']}]", "")
		before := b.tables(t)
		_, err := b.Apply(t.Context(), operator, b.read(t, `
version: 1
groups: [{slug: mine}, {slug: theirs}]
clients:
- {client_id: theirs, client_name: X, token_endpoint_auth_method: none, redirect_uris: ["https://x.example/"]}
- {client_id: new, client_name: New, redirect_uris: ["https://x.example/"]}
- {client_id: closed, client_name: Closed, client_secret_env: A, redirect_uris: ["https://x.example/"], access: [nobody]}
apis: [{identifier: "urn:x:y", name: X, introspection_clients: [nobody]}]
`), "", "")
		for _, want := range []string{
			`group "theirs": the configuration other declares it`, `client "theirs": the configuration other declares it`,
			`client "new": invalid client metadata: it has no secret yet`, `there is no such group: "nobody"`,
			`there is no client "nobody" to introspect`,
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not said in %v", want, err)
			}
		}
		if after := b.tables(t); after != before {
			t.Errorf("it changed:\n%s", firstDifference(before, after))
		}
	})
}
