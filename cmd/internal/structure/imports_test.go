package structure

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wicket-id/wicket/"

// storagePackages are what every layer above may import of storage.
var storagePackages = []string{"storage", "storage/audit", "storage/cache", "storage/outgoing", "storage/seal"}

// identityPackages are what every layer above may import of identity.
var identityPackages = []string{
	"identity", "identity/administrators", "identity/declared", "identity/factor", "identity/groups", "identity/identifier",
	"identity/ownership", "identity/password",
	"identity/picture", "identity/profile", "identity/refusal", "identity/signin", "identity/transfer",
}

// oidcPackages are what every layer above may import of oidc.
var oidcPackages = []string{
	"oidc", "oidc/access", "oidc/apis", "oidc/authorize", "oidc/clients", "oidc/discovery", "oidc/dpop", "oidc/grants", "oidc/keys", "oidc/logout",
	"oidc/redirection", "oidc/registration", "oidc/requestobject", "oidc/tokens", "oidc/usercode",
}

// managePackages are the verbs of administration.
var managePackages = []string{
	"manage", "manage/activity", "manage/apps", "manage/configuration", "manage/events", "manage/groups", "manage/issuer",
	"manage/people", "manage/providers", "manage/refusals", "manage/verbs", "manage/webhooks",
}

// webPackages are the parts of web.
var webPackages = []string{
	"web", "web/account", "web/api", "web/assets", "web/console", "web/frame", "web/locales", "web/notify", "web/pages", "web/protocol",
	"web/signin",
}

// domain is what web and cmd build on.
var domain = slices.Concat(managePackages, oidcPackages, []string{"federation"}, identityPackages, storagePackages)

// consolePart is what each part of the console builds on.
var consolePart = slices.Concat(
	[]string{"web/console/history", "web/console/shell", "web/frame", "web/locales", "web/pages"}, domain,
)

// endToEnd is what the tests of a running server may import. They never see each other.
var endToEnd = slices.Concat(
	[]string{"cmd/internal/e2e/harness", "cmd/internal/server", "cmd/internal/sampleapp", "migrations"}, webPackages,
	domain,
)

// allowed says which packages of ours a package may import, itself aside: imports only go down. A package that is
// missing here is new; give it its place.
var allowed = map[string][]string{
	"cmd/wicket": slices.Concat(
		[]string{
			"cmd/internal/check", "cmd/internal/clientflags", "cmd/internal/completion",
			"cmd/internal/configurationcommands", "cmd/internal/demo", "cmd/internal/exit", "cmd/internal/importing",
			"cmd/internal/logincommands", "cmd/internal/login", "cmd/internal/moving", "cmd/internal/printer",
			"cmd/internal/providerflags", "cmd/internal/server", "cmd/internal/webhookcommands", "migrations",
		}, webPackages, domain,
	),
	"cmd/internal/check":       {"cmd/internal/server", "web"},
	"cmd/internal/clientflags": slices.Concat([]string{"cmd/internal/exit", "cmd/internal/server"}, domain),
	"cmd/internal/exit":        domain,
	"cmd/internal/completion":  {},
	"cmd/internal/configurationcommands": slices.Concat(
		[]string{"cmd/internal/exit", "cmd/internal/printer", "cmd/internal/server"}, domain,
	),
	"cmd/internal/demo":          slices.Concat([]string{"cmd/internal/server", "cmd/internal/sampleapp", "web/notify"}, domain),
	"cmd/internal/moving":        slices.Concat([]string{"cmd/internal/server", "storage/copying"}, domain),
	"cmd/internal/logincommands": {"cmd/internal/exit", "cmd/internal/login", "cmd/internal/printer", "cmd/internal/server"},
	"cmd/internal/webhookcommands": slices.Concat(
		[]string{"cmd/internal/exit", "cmd/internal/printer", "cmd/internal/server"}, domain,
	),
	"cmd/internal/printer":       {},
	"cmd/internal/providerflags": {"federation"},
	"cmd/internal/importing":     slices.Concat([]string{"cmd/internal/server"}, domain),
	"cmd/internal/login":         {"oidc"}, // for what an issuer is
	"cmd/internal/server":        slices.Concat([]string{"cmd/internal/login", "migrations", "storage/clock"}, webPackages, domain),
	"cmd/internal/sampleapp":     {}, // an app like any other: it knows Wicket by its protocol alone
	"cmd/internal/structure":     {},
	"cmd/internal/e2e/harness": slices.Concat(
		[]string{
			"cmd/internal/server", "cmd/internal/sampleapp", "storage/storagetest", "identity/identitytest", "oidc/keys/keystest",
		}, webPackages, domain,
	),
	"cmd/internal/e2e/account":    endToEnd,
	"cmd/internal/e2e/attack":     endToEnd,
	"cmd/internal/e2e/bench":      endToEnd,
	"cmd/internal/e2e/commands":   endToEnd,
	"cmd/internal/e2e/console":    endToEnd,
	"cmd/internal/e2e/factors":    endToEnd,
	"cmd/internal/e2e/management": endToEnd,
	"cmd/internal/e2e/operation":  endToEnd,
	"cmd/internal/e2e/protocol":   endToEnd,
	"cmd/internal/e2e/signin":     endToEnd,
	"cmd/internal/e2e/upstream":   endToEnd,
	"web":                         slices.Concat(webPackages, domain),
	// these three never see each other
	"web/protocol": slices.Concat([]string{"web/frame", "web/locales", "web/pages"}, domain),
	"web/signin":   slices.Concat([]string{"web/frame", "web/locales", "web/pages"}, domain),
	"web/account":  slices.Concat([]string{"web/frame", "web/locales", "web/pages"}, domain),
	"web/api":      slices.Concat([]string{"web/frame"}, domain),
	"web/console": slices.Concat(
		[]string{
			"web/console/activity", "web/console/administrators", "web/console/apps", "web/console/groups",
			"web/console/integrations", "web/console/overview", "web/console/people", "web/console/refusals", "web/console/search",
			"web/console/server", "web/console/shell", "web/console/signin", "web/frame",
		}, domain,
	),
	// the parts of the console never see each other
	"web/console/activity":       consolePart,
	"web/console/administrators": consolePart,
	"web/console/apps":           slices.Concat(consolePart, []string{"docs"}),
	"web/console/refusals":       consolePart,
	"web/console/groups":         consolePart,
	"web/console/integrations":   consolePart,
	"web/console/overview":       consolePart,
	"web/console/people":         consolePart,
	"web/console/search":         consolePart,
	"web/console/server":         consolePart,
	"web/console/signin":         consolePart,
	"web/console/history":        slices.Concat([]string{"web/frame", "web/locales"}, domain),
	"web/console/shell":          slices.Concat([]string{"web/frame", "web/locales", "web/pages"}, domain),
	"web/frame":                  slices.Concat([]string{"web/locales", "web/pages"}, domain),
	"web/notify":                 slices.Concat([]string{"web/locales"}, identityPackages, storagePackages),
	"web/pages":                  {"web/assets", "web/locales"},
	"web/locales":                {"identity/refusal"},
	"web/assets":                 {},
	"manage":                     slices.Concat(oidcPackages, identityPackages, storagePackages),
	// these never see each other, but that webhooks tell of events, and refusals are mended in apps
	"manage/activity": slices.Concat([]string{"manage"}, identityPackages, storagePackages),
	"manage/apps":     slices.Concat([]string{"manage"}, oidcPackages, identityPackages, storagePackages),
	"manage/configuration": slices.Concat(
		[]string{"manage", "federation"}, oidcPackages, identityPackages, storagePackages,
	),
	"manage/events": slices.Concat([]string{"manage"}, identityPackages, storagePackages),
	"manage/groups": slices.Concat([]string{"manage"}, identityPackages, storagePackages),
	"manage/issuer": slices.Concat([]string{"manage"}, oidcPackages),
	"manage/verbs": {
		"manage", "manage/activity", "manage/apps", "manage/configuration", "manage/events", "manage/groups",
		"manage/issuer", "manage/people", "manage/providers", "manage/refusals", "manage/webhooks",
	},
	"manage/providers": slices.Concat([]string{"manage", "federation"}, storagePackages),
	"manage/people":    slices.Concat([]string{"manage", "oidc"}, identityPackages, storagePackages),
	"manage/webhooks":  slices.Concat([]string{"manage", "manage/events"}, identityPackages, storagePackages),
	"manage/refusals": slices.Concat(
		[]string{"manage", "manage/apps", "oidc", "oidc/clients", "identity", "identity/refusal"}, storagePackages,
	),
	"oidc":             slices.Concat([]string{"oidc/access", "identity"}, storagePackages), // never federation
	"oidc/access":      slices.Concat([]string{"identity/groups"}, storagePackages),
	"oidc/keys":        storagePackages,
	"oidc/redirection": {"oidc"},
	"oidc/clients": slices.Concat(
		[]string{"oidc", "oidc/access", "oidc/keys", "oidc/redirection", "identity", "identity/declared", "identity/groups"},
		storagePackages,
	),
	"oidc/apis": slices.Concat([]string{"oidc", "oidc/clients", "identity/declared"}, storagePackages),
	"oidc/tokens": slices.Concat(
		[]string{
			"oidc", "oidc/access", "oidc/keys", "oidc/clients", "oidc/apis", "oidc/dpop", "identity", "identity/groups",
			"identity/profile",
		},
		storagePackages,
	),
	"oidc/grants": slices.Concat(
		[]string{"oidc", "oidc/access", "oidc/clients", "oidc/apis", "oidc/dpop", "oidc/tokens", "identity"}, storagePackages,
	),
	"oidc/authorize": slices.Concat(
		[]string{
			"oidc", "oidc/access", "oidc/clients", "oidc/apis", "oidc/dpop", "oidc/registration", "oidc/requestobject", "oidc/tokens",
			"oidc/grants", "oidc/usercode", "identity",
			"identity/refusal",
		},
		storagePackages,
	),
	"oidc/logout":        slices.Concat([]string{"oidc", "oidc/clients", "oidc/tokens", "oidc/grants", "identity"}, storagePackages),
	"oidc/registration":  slices.Concat([]string{"oidc", "oidc/clients", "oidc/apis", "identity"}, storagePackages),
	"oidc/dpop":          {"oidc", "storage"},
	"oidc/requestobject": {"oidc", "oidc/clients", "oidc/keys"},
	"oidc/usercode":      {},
	"oidc/discovery":     {"oidc", "oidc/dpop", "oidc/keys", "oidc/clients", "oidc/authorize", "oidc/registration", "identity"},
	"federation":         slices.Concat(identityPackages, storagePackages), // never oidc
	"identity": slices.Concat(
		[]string{"identity/groups", "identity/identifier", "identity/password", "identity/profile", "identity/refusal"},
		storagePackages,
	),
	"identity/declared":       slices.Concat([]string{"identity/refusal"}, storagePackages),
	"identity/groups":         slices.Concat([]string{"identity/declared", "identity/refusal"}, storagePackages),
	"identity/administrators": slices.Concat([]string{"identity/refusal"}, storagePackages),
	"identity/identifier":     {"identity/refusal"},
	"identity/password":       {"identity/refusal"},
	"identity/profile":        slices.Concat([]string{"identity/refusal"}, storagePackages),
	"identity/refusal":        {},
	"identity/picture":        slices.Concat([]string{"identity/profile", "identity/refusal"}, storagePackages),
	"identity/factor":         slices.Concat([]string{"identity", "identity/profile", "identity/refusal"}, storagePackages),
	"identity/ownership":      slices.Concat([]string{"identity", "identity/factor"}, storagePackages),
	"identity/signin": slices.Concat(
		[]string{
			"identity", "identity/administrators", "identity/declared", "identity/factor", "identity/groups", "identity/identifier", "identity/ownership", "identity/password",
			"identity/profile", "identity/refusal",
		},
		storagePackages,
	),
	"identity/transfer": slices.Concat(
		[]string{
			"identity", "identity/administrators", "identity/declared", "identity/factor", "identity/groups", "identity/identifier", "identity/password", "identity/picture", "identity/profile", "identity/refusal",
			"identity/signin",
		},
		storagePackages,
	),
	"storage":          {"migrations", "storage/internal/rehearsal"},
	"storage/audit":    {"storage"},
	"storage/cache":    {"storage"},
	"storage/clock":    {"storage"},
	"storage/outgoing": {},
	"storage/seal":     {"storage"},
	"storage/copying":  {"storage"},
	"migrations":       {},
	"docs":             {},

	"storage/internal/rehearsal":     {},
	"storage/storagetest":            {"storage", "migrations", "storage/internal/rehearsal"},
	"identity/identitytest":          slices.Concat([]string{"storage/storagetest"}, identityPackages, storagePackages),
	"identity/password/passwordtest": {},
	"oidc/dpop/dpoptest":             {"storage"},
	"oidc/keys/keystest":             slices.Concat([]string{"oidc/keys"}, storagePackages),
	"oidc/oidctest": slices.Concat(
		[]string{"storage/storagetest", "oidc/keys/keystest"}, oidcPackages, identityPackages, storagePackages,
	),
	"web/notify/notifytest": {},
}

// onlyTests are packages that tests of any layer may import, and programs never.
var onlyTests = []string{
	"storage/storagetest", "identity/identitytest", "identity/password/passwordtest", "oidc/oidctest",
	"oidc/dpop/dpoptest", "oidc/keys/keystest", "web/notify/notifytest",
}

// described is a package as go list describes it.
type described struct {
	ImportPath, Dir                                    string
	GoFiles, TestGoFiles, XTestGoFiles, IgnoredGoFiles []string
}

func packages(t *testing.T) (all []described) {
	t.Helper()
	list := exec.Command(
		"go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,IgnoredGoFiles", module+"...",
	)
	out, err := list.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		t.Fatalf("go list: %v\n%s", err, failed.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var one described
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

func TestImportsOnlyGoDown(t *testing.T) {
	var names []string
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		names = append(names, name)
		below, known := allowed[name]
		if !known {
			t.Errorf("the package %s has no place in the table of allowed imports: %s", name, p.Dir)
			continue
		}
		for _, file := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			checkImports(t, name, filepath.Join(p.Dir, file), below)
		}
		for _, file := range p.TestGoFiles {
			checkImports(t, name, filepath.Join(p.Dir, file), slices.Concat(below, onlyTests, []string{name}))
		}
		for _, file := range p.XTestGoFiles { // they may use all of their layer
			layer, _, _ := strings.Cut(name, "/")
			checkImports(t, name, filepath.Join(p.Dir, file), slices.Concat(below, onlyTests, layers[layer]))
		}
	}
	for name := range allowed {
		if !slices.Contains(names, name) {
			t.Errorf("go list did not find %s", name)
		}
	}
}

// layers are what tests of a layer may import from outside its packages.
var layers = map[string][]string{
	"storage":  slices.Concat(storagePackages, []string{"storage/clock", "storage/copying"}),
	"identity": slices.Concat(identityPackages, storagePackages),
	"oidc":     slices.Concat(oidcPackages, identityPackages, storagePackages),
	"manage":   slices.Concat(managePackages, oidcPackages, identityPackages, storagePackages),
	"web":      slices.Concat(webPackages, domain),
	"cmd":      slices.Concat(webPackages, domain),
}

// checkImports names the line of a file that imports a package of ours that is not below.
func checkImports(t *testing.T, name, path string, below []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(below, ours) {
			t.Errorf("%s: %s may not import %s", files.Position(spec.Pos()), name, ours)
		}
	}
}

// What a package may import is never above it too.
func TestAllowedImportsHaveNoCircle(t *testing.T) {
	reaches := func(from, to string) bool {
		seen := map[string]bool{} // a package is asked once, for there are very many ways through the table
		var ask func(name string) bool
		ask = func(name string) bool {
			return slices.ContainsFunc(allowed[name], func(next string) bool {
				if next == name || seen[next] {
					return false
				}
				seen[next] = true
				return next == to || ask(next)
			})
		}
		return ask(from)
	}
	for name, below := range allowed {
		if reaches(name, name) {
			t.Errorf("%s is above itself", name)
		}
		for _, next := range below {
			if _, known := allowed[next]; !known {
				t.Errorf("%s may import %s, which has no place", name, next)
			}
		}
	}
	if reaches("oidc", "federation") || reaches("federation", "oidc") {
		t.Error("oidc and federation see each other")
	}
}
