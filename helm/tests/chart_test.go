package tests

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	chartFolder   = "../wicket"
	testRelease   = "wicket"
	testNamespace = "identity"
)

// update makes the tests write what they would compare with.
var update = flag.Bool("update", false, "write the goldens and the table of the README anew")

// Values that are right, to be changed by a test in one point.
const (
	production = `{issuer: "https://id.example.com", masterKey: {existingSecret: wicket-master-key}, database: {existingSecret: wicket-db-app}}`
	trial      = `{issuer: "http://localhost:8080", database: {kind: sqlite}}`
)

// object is a manifest.
type object map[string]any

// at returns what lies at that path of an object: names of members, and numbers of items.
func (o object) at(path string) any {
	var here any = map[string]any(o)
	for _, step := range strings.Split(path, ".") {
		switch inner := here.(type) {
		case map[string]any:
			here = inner[strings.ReplaceAll(step, "~", ".")]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(inner) {
				return nil
			}
			here = inner[i]
		default:
			return nil
		}
	}
	return here
}

func (o object) text(path string) string { text, _ := o.at(path).(string); return text }
func (o object) list(path string) []any  { list, _ := o.at(path).([]any); return list }

// rendered is what Helm would apply.
type rendered struct {
	objects []object
	notes   string
}

// one returns the only object of that kind whose name is or ends as said.
func (r rendered) one(t testing.TB, kind, suffix string) object {
	t.Helper()
	var found []object
	for _, o := range r.objects {
		if o.text("kind") == kind && strings.HasSuffix(o.text("metadata.name"), suffix) {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of kind %s are named …%s, want 1", len(found), kind, suffix)
	}
	return found[0]
}

func (r rendered) count(kind string) (n int) {
	for _, o := range r.objects {
		if o.text("kind") == kind {
			n++
		}
	}
	return n
}

// container returns the container of that name in a pod template or pod.
func container(t testing.TB, spec any, name string) object {
	t.Helper()
	for _, list := range []string{"containers", "initContainers"} {
		for _, c := range object(spec.(map[string]any)).list(list) {
			if c := object(c.(map[string]any)); c.text("name") == name {
				return c
			}
		}
	}
	t.Fatalf("there is no container %s", name)
	return nil
}

// variable returns the value of a variable of a container, or "".
func (o object) variable(name string) string {
	for _, v := range o.list("env") {
		if v := object(v.(map[string]any)); v.text("name") == name {
			return v.text("value")
		}
	}
	return ""
}

func loadChart(t testing.TB) *chart.Chart {
	t.Helper()
	loaded, err := loader.LoadDir(chartFolder)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// values merges values in YAML, later ones over earlier ones.
func values(t testing.TB, parts ...string) map[string]any {
	t.Helper()
	merged := map[string]any{}
	for _, part := range parts {
		var more map[string]any
		if err := yaml.Unmarshal([]byte(part), &more); err != nil {
			t.Fatalf("%v\n%s", err, part)
		}
		merged = loader.MergeMaps(merged, more)
	}
	return merged
}

// renderAs is helm template: schema, checks and templates.
func renderAs(t testing.TB, release, namespace string, parts ...string) (rendered, error) {
	t.Helper()
	loaded := loadChart(t)
	capabilities := common.DefaultCapabilities.Copy()
	all, err := util.ToRenderValues(
		loaded, values(t, parts...), common.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true},
		capabilities,
	)
	if err != nil {
		return rendered{}, err
	}
	files, err := engine.Render(loaded, all)
	if err != nil {
		return rendered{}, err
	}
	var r rendered
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Base(name) == "NOTES.txt" {
			r.notes = files[name]
			continue
		}
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		for _, document := range strings.Split("\n"+files[name], "\n---") {
			var o object
			if err := yaml.UnmarshalStrict([]byte(document), &o); err != nil {
				return rendered{}, fmt.Errorf("%s: %w\n%s", name, err, document)
			}
			if len(o) > 0 {
				r.objects = append(r.objects, o)
			}
		}
	}
	return r, nil
}

func render(t testing.TB, parts ...string) rendered {
	t.Helper()
	r, err := renderAs(t, testRelease, testNamespace, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// valueSets are the values in testdata: what people would really install.
func valueSets(t testing.TB) map[string]string {
	t.Helper()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]string{}
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".values.yaml"); ok {
			sets[name] = readFile(t, "testdata/"+file.Name())
		}
	}
	if len(sets) == 0 {
		t.Fatal("testdata holds no values")
	}
	return sets
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
