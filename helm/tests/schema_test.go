package tests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// kubernetesVersions are the oldest that Chart.yaml claims and the newest that there is.
var kubernetesVersions = []string{"v1.30.14", "v1.36.3"}

// Where the kinds that are not Kubernetes' own are described.
const (
	gatewayModule    = "sigs.k8s.io/gateway-api@v1.6.3"
	prometheusModule = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
)

// moduleFolder downloads a Go module, by the Go command and its checksums, and returns where it lies.
var moduleFolder = func() func(t testing.TB, module string) string {
	var mu sync.Mutex
	return func(t testing.TB, module string) string {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		out, err := exec.Command("go", "mod", "download", "-json", module).Output()
		var downloaded struct{ Dir, Error string }
		if jsonErr := json.Unmarshal(out, &downloaded); jsonErr != nil || err != nil || downloaded.Dir == "" {
			t.Fatalf("go mod download %s: %v %v %s", module, err, jsonErr, downloaded.Error)
		}
		return downloaded.Dir
	}
}()

// kinds validates objects against what an API server of one version knows; a member that it does not know is an error.
type kinds struct {
	schemas map[string]*jsonschema.Schema // by apiVersion and kind
}

func (k kinds) validate(o object) error {
	schema, known := k.schemas[o.text("apiVersion")+" "+o.text("kind")]
	if !known {
		return &unknownKind{o.text("apiVersion") + " " + o.text("kind")}
	}
	return schema.Validate(map[string]any(o))
}

type unknownKind struct{ name string }

func (u *unknownKind) Error() string { return "no API server knows " + u.name }

// knownKinds reads the OpenAPI description that Kubernetes keeps in its module, and the definitions of other kinds.
func knownKinds(t testing.TB, version string) kinds {
	t.Helper()
	var description map[string]any
	decode(t, filepath.Join(moduleFolder(t, "k8s.io/kubernetes@"+version), "api/openapi-spec/swagger.json"), &description)
	close := func(schema map[string]any) {
		switch schema["format"] {
		case "int-or-string":
			delete(schema, "type")
		}
		if schema["x-kubernetes-int-or-string"] == true {
			delete(schema, "type")
		}
		if _, has := schema["properties"]; has && schema["additionalProperties"] == nil &&
			schema["x-kubernetes-preserve-unknown-fields"] == nil {
			schema["additionalProperties"] = false
		}
	}
	definitions := description["definitions"].(map[string]any)
	definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = map[string]any{"type": []any{"string", "number"}}
	definitions["io.k8s.apimachinery.pkg.apis.meta.v1.Time"] = map[string]any{"type": []any{"string", "null"}}
	walk(definitions, close)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	if err := compiler.AddResource("mem:///kubernetes.json", map[string]any{"definitions": definitions}); err != nil {
		t.Fatal(err)
	}
	known := kinds{map[string]*jsonschema.Schema{}}
	compile := func(apiVersion, kind, location string) {
		schema, err := compiler.Compile(location)
		if err != nil {
			t.Fatal(err)
		}
		known.schemas[apiVersion+" "+kind] = schema
	}
	for name, definition := range definitions {
		for _, gvk := range object(definition.(map[string]any)).list("x-kubernetes-group-version-kind") {
			gvk := object(gvk.(map[string]any))
			apiVersion := strings.TrimPrefix(gvk.text("group")+"/"+gvk.text("version"), "/")
			if used[apiVersion+" "+gvk.text("kind")] {
				compile(apiVersion, gvk.text("kind"), "mem:///kubernetes.json#/definitions/"+name)
			}
		}
	}
	for _, file := range otherKinds(t) {
		var crd object
		decode(t, file, &crd)
		for _, served := range crd.list("spec.versions") {
			served := object(served.(map[string]any))
			schema := served.at("schema.openAPIV3Schema").(map[string]any)
			walk(schema, close)
			schema["properties"].(map[string]any)["metadata"] = map[string]any{
				"$ref": "mem:///kubernetes.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
			}
			location := "mem:///" + crd.text("metadata.name") + "/" + served.text("name")
			if err := compiler.AddResource(location, schema); err != nil {
				t.Fatal(err)
			}
			compile(crd.text("spec.group")+"/"+served.text("name"), crd.text("spec.names.kind"), location)
		}
	}
	return known
}

// otherKinds are the files that define the kinds that are not Kubernetes' own.
func otherKinds(t testing.TB) []string {
	t.Helper()
	return []string{
		filepath.Join(moduleFolder(t, gatewayModule), "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"),
		filepath.Join(
			moduleFolder(t, prometheusModule), "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
		),
		filepath.Join(
			moduleFolder(t, prometheusModule), "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
		),
	}
}

// used are Kubernetes' own kinds that the chart may make. Another one must be added here, on purpose.
var used = map[string]bool{
	"apps/v1 Deployment": true, "autoscaling/v2 HorizontalPodAutoscaler": true, "batch/v1 Job": true,
	"networking.k8s.io/v1 Ingress":       true,
	"networking.k8s.io/v1 NetworkPolicy": true, "policy/v1 PodDisruptionBudget": true, "v1 ConfigMap": true,
	"v1 PersistentVolumeClaim": true,
	"v1 Pod":                   true, "v1 Service": true, "v1 ServiceAccount": true,
}

func decode(t testing.TB, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

// walk calls do with each schema in a tree of them; members that happen to be called like a keyword are none.
func walk(tree any, do func(map[string]any)) {
	switch tree := tree.(type) {
	case map[string]any:
		do(tree)
		for _, inner := range tree {
			walk(inner, do)
		}
	case []any:
		for _, inner := range tree {
			walk(inner, do)
		}
	}
}

// An API server would take everything that the chart makes, and knows every member of it.
func TestKubernetesKnowsEverything(t *testing.T) {
	for _, version := range kubernetesVersions {
		known := knownKinds(t, version)
		for name, set := range valueSets(t) {
			t.Run(name+" on "+version, func(t *testing.T) {
				for _, o := range render(t, set).objects {
					if err := known.validate(o); err != nil {
						t.Errorf("%s %s: %v", o.text("kind"), o.text("metadata.name"), err)
					}
				}
			})
		}
		t.Run("what is wrong on "+version, func(t *testing.T) { // or this test would find nothing
			for path, wrong := range map[string]string{
				"an unknown member": `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {selector: {}, template: {spec: {containers: [{name: x, imagee: x}]}}}}`,
				"a wrong type":      `{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {ports: [{port: "80"}]}}`,
				"a missing member":  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {template: {}}}`,
				"a label of 1":      `{apiVersion: v1, kind: ConfigMap, metadata: {name: x, labels: {a: 1}}}`,
				"a route's member":  `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: x}, spec: {hosts: [x]}}`,
				"a monitor's":       `{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: x}, spec: {selector: {}, endpoints: [{ports: x}]}}`,
				"an unknown kind":   `{apiVersion: v1, kind: Podd, metadata: {name: x}}`,
			} {
				var o object
				if err := yaml.Unmarshal([]byte(wrong), &o); err != nil {
					t.Fatal(err)
				}
				if known.validate(o) == nil {
					t.Errorf("%s was not found", path)
				}
			}
		})
	}
}
