package tests

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func toText(v any) string { return fmt.Sprint(v) }

// How many pods there are, how they are replaced and what keeps them, for each way to run it.
func TestReplicas(t *testing.T) {
	for name, c := range map[string]struct {
		values   string
		replicas any // nil: left to the autoscaler
		strategy string
		budget   int
		scaler   int
		claim    int
	}{
		"PostgreSQL":        {production, 2.0, "RollingUpdate", 1, 0, 0},
		"one replica":       {production + "\n---\nreplicas: 1", 1.0, "RollingUpdate", 0, 0, 0},
		"none, for a while": {production + "\n---\nreplicas: 0", 0.0, "RollingUpdate", 0, 0, 0},
		"no budget": {production +
			"\n---\npodDisruptionBudget: {enabled: false}", 2.0, "RollingUpdate", 0, 0, 0},
		"autoscaled": {production + "\n---\nautoscaling: {enabled: true}", nil, "RollingUpdate", 1, 1, 0},
		"autoscaled from one on": {production +
			"\n---\nautoscaling: {enabled: true, minReplicas: 1}", nil, "RollingUpdate", 0, 1, 0},
		"SQLite":                {trial, 1.0, "Recreate", 0, 0, 1},
		"SQLite, a given claim": {trial + "\n---\npersistence: {existingClaim: mine}", 1.0, "Recreate", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := render(t, strings.Split(c.values, "\n---\n")...)
			deployment := r.one(t, "Deployment", "")
			if got := deployment.at("spec.replicas"); got != c.replicas {
				t.Errorf("replicas: %v, want %v", got, c.replicas)
			}
			if got := deployment.text("spec.strategy.type"); got != c.strategy {
				t.Errorf("strategy %s, want %s", got, c.strategy)
			}
			if c.strategy == "RollingUpdate" &&
				(deployment.at("spec.strategy.rollingUpdate.maxUnavailable") != 0.0 ||
					deployment.at("spec.strategy.rollingUpdate.maxSurge") != 1.0) {
				t.Errorf("a rollout: %v", deployment.at("spec.strategy.rollingUpdate"))
			}
			if b, s, p := r.count("PodDisruptionBudget"), r.count("HorizontalPodAutoscaler"), r.count("PersistentVolumeClaim"); b != c.budget || s != c.scaler || p != c.claim {
				t.Errorf("%d budgets, %d scalers, %d claims", b, s, p)
			}
			if c.budget > 0 && r.one(t, "PodDisruptionBudget", "").text("spec.unhealthyPodEvictionPolicy") != "AlwaysAllow" {
				t.Error("a sick pod keeps its node from being drained")
			}
			if c.scaler > 0 &&
				r.one(t, "HorizontalPodAutoscaler", "").at("spec.behavior.scaleDown.stabilizationWindowSeconds") != 300.0 {
				t.Error("it shrinks at once")
			}
		})
	}
	if keep := render(t, trial).
		one(t, "PersistentVolumeClaim", "").
		text("metadata.annotations.helm~sh/resource-policy"); keep != "keep" {
		t.Error("everybody's accounts go with the release")
	}
}

// Each way to bring the database up to date has exactly one that does.
func TestMigrations(t *testing.T) {
	for mode, c := range map[string]struct {
		variable   string
		init, jobs int
	}{"initContainer": {"off", 1, 0}, "start": {"auto", 0, 0}, "job": {"off", 0, 1}, "none": {"off", 0, 0}} {
		t.Run(mode, func(t *testing.T) {
			r := render(t, production, "{migrations: {mode: "+mode+"}}")
			spec := object(r.one(t, "Deployment", "").at("spec.template.spec").(map[string]any))
			if got := container(t, map[string]any(spec), "wicket").variable("WICKET_MIGRATE"); got != c.variable {
				t.Errorf("WICKET_MIGRATE=%s, want %s", got, c.variable)
			}
			if got := len(spec.list("initContainers")); got != c.init {
				t.Errorf("%d init containers, want %d", got, c.init)
			}
			if got := r.count("Job"); got != c.jobs {
				t.Errorf("%d Jobs, want %d", got, c.jobs)
			}
			for _, o := range r.objects { // a hook that waits for what it is waited for deadlocks
				if hook := o.text("metadata.annotations.helm~sh/hook"); hook != "" && hook != "test" {
					t.Errorf("%s %s is a hook: %s", o.text("kind"), o.text("metadata.name"), hook)
				}
			}
		})
	}
	// A Job cannot be changed, so another one needs another name; and the same one the same, or each upgrade would run it.
	job := func(more string) string {
		return render(t, production, "{migrations: {mode: job}}", more).one(t, "Job", "").text("metadata.name")
	}
	if same := job("{replicas: 3}"); same != job("{}") {
		t.Error("the same Job has another name")
	}
	for _, other := range []string{"{image: {tag: v2}}", "{extraEnv: [{name: A, value: b}]}", "{nodeSelector: {a: b}}", "{commonLabels: {a: b}}", "{database: {existingSecret: other}}"} {
		if job(other) == job("{}") {
			t.Errorf("after %s the Job has the same name", other)
		}
	}
}

// A pod starts in peace, is asked only what it can answer, and goes after everybody has heard of it.
func TestProbesAndDrain(t *testing.T) {
	for name, set := range valueSets(t) {
		spec := render(t, set).one(t, "Deployment", "").at("spec.template.spec")
		server := container(t, spec, "wicket")
		for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
			if got := server.text(probe + ".httpGet.path"); got != path {
				t.Errorf("%s: the %s asks %q, want %s", name, probe, got, path)
			}
		}
		period, _ := server.at("startupProbe.periodSeconds").(float64)
		failures, _ := server.at("startupProbe.failureThreshold").(float64)
		if period*failures < 300 {
			t.Errorf("%s: a start has %v seconds", name, period*failures)
		}
		drain, err := time.ParseDuration(server.variable("WICKET_DRAIN"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sleep, _ := server.at("lifecycle.preStop.sleep.seconds").(float64)
		grace, _ := object(spec.(map[string]any)).at("terminationGracePeriodSeconds").(float64)
		if alone := name == "trial"; alone && (sleep > 0 || drain > 0) || !alone && (sleep < 5 || drain < 5*time.Second) ||
			grace < sleep+drain.Seconds()+40 {
			t.Errorf("%s: it sleeps %v seconds and drains for %v of %v seconds", name, sleep, drain, grace)
		}
	}
}

// A pod may be given exactly the time that it may need, and no second less.
func TestTheEndHasItsTime(t *testing.T) {
	for _, c := range []struct {
		values, more string
		least        int
	}{
		{production, "{}", 10 + 5 + 40},
		{production, "{shutdown: {drainSeconds: 0}}", 10 + 40},
		{production, "{shutdown: {preStopSleepSeconds: 30, drainSeconds: 90}}", 30 + 90 + 40},
		{trial, "{}", 40}, // with SQLite it neither sleeps nor drains
	} {
		for seconds, want := range map[int]bool{c.least: true, c.least - 1: false} {
			_, err := renderAs(
				t, testRelease, testNamespace, c.values, c.more,
				fmt.Sprintf("{shutdown: {terminationGracePeriodSeconds: %d}}", seconds),
			)
			if (err == nil) != want || err != nil &&
				!strings.Contains(err.Error(), fmt.Sprintf("must be at least %d", c.least)) {
				t.Errorf("%s %s with %d seconds: %v", c.values, c.more, seconds, err)
			}
		}
	}
}

// Pods spread over zones and hosts by the selector of the Deployment.
func TestSpread(t *testing.T) {
	deployment := render(t, production).one(t, "Deployment", "")
	var keys []string
	for _, c := range deployment.list("spec.template.spec.topologySpreadConstraints") {
		c := object(c.(map[string]any))
		keys = append(keys, c.text("topologyKey"))
		if c.text("whenUnsatisfiable") != "ScheduleAnyway" ||
			toText(c.at("labelSelector.matchLabels")) != toText(deployment.at("spec.selector.matchLabels")) {
			t.Errorf("a constraint: %v", c)
		}
	}
	if !slices.Equal(keys, []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}) {
		t.Errorf("it spreads over %v", keys)
	}
	if none := render(
		t, production, "{topologySpreadConstraints: []}",
	).one(t, "Deployment", ""); none.at("spec.template.spec.topologySpreadConstraints") != nil {
		t.Error("an empty list leaves ours in place")
	}
}

// The selectors choose the server's pods and no other.
func TestSelectors(t *testing.T) {
	r := render(t, readFile(t, "testdata/everything.values.yaml"))
	labels := r.one(t, "Deployment", "").at("spec.template.metadata.labels").(map[string]any)
	chooses := func(selector any, labels map[string]any) bool {
		for name, value := range selector.(map[string]any) {
			if labels[name] != value {
				return false
			}
		}
		return true
	}
	for _, c := range []struct{ kind, suffix, path string }{
		{"Deployment", "id", "spec.selector.matchLabels"}, {"Service", "id", "spec.selector"},
		{"Service", "-metrics", "spec.selector"}, {"PodDisruptionBudget", "id", "spec.selector.matchLabels"},
	} {
		selector := r.one(t, c.kind, c.suffix).at(c.path)
		if !chooses(selector, labels) {
			t.Errorf("%s%s does not choose the server: %v", c.kind, c.suffix, selector)
		}
		for _, other := range []map[string]any{r.one(t, "Job", "").at(
			"spec.template.metadata.labels",
		).(map[string]any), r.one(t, "Pod", "").at("metadata.labels").(map[string]any)} {
			if chooses(selector, other) {
				t.Errorf("%s%s chooses %v", c.kind, c.suffix, other)
			}
		}
		for name := range selector.(map[string]any) { // selectors cannot be changed by an upgrade
			if !slices.Contains(
				[]string{"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}, name,
			) {
				t.Errorf("%s%s selects by %s, which changes", c.kind, c.suffix, name)
			}
		}
	}
	if monitor := r.one(t, "ServiceMonitor", ""); !chooses(monitor.at("spec.selector.matchLabels"), r.one(t, "Service", "-metrics").
		at("metadata.labels").(map[string]any)) ||
		chooses(monitor.at("spec.selector.matchLabels"), r.one(t, "Service", "id").at("metadata.labels").(map[string]any)) {
		t.Error("the ServiceMonitor chooses the wrong Service")
	}
}

// Names that YAML would read as something else stay names, and long ones stay names that Kubernetes takes.
func TestStrangeNames(t *testing.T) {
	for _, release := range []string{"y", "1", "1e3", "null", "on", strings.Repeat("long-", 10) + "abc"} {
		for name, set := range valueSets(t) {
			r, err := renderAs(t, release, "123", set)
			if err != nil {
				t.Errorf("%s as %q: %v", name, release, err)
				continue
			}
			for _, o := range r.objects {
				if length := len(o.text("metadata.name")); length == 0 || length > 63 {
					t.Errorf("as %q a %s is named %q", release, o.text("kind"), o.text("metadata.name"))
				}
				eachLabel(o, func(where string, value any) {
					if text, ok := value.(string); !ok || len(text) > 63 {
						t.Errorf("as %q a %s has the label %s: %v", release, o.text("kind"), where, value)
					}
				})
			}
		}
	}
}

// eachLabel calls do with each label, selector and annotation in an object.
func eachLabel(tree any, do func(name string, value any)) {
	switch tree := tree.(type) {
	case object:
		eachLabel(map[string]any(tree), do)
	case map[string]any:
		for name, inner := range tree {
			if labels, ok := inner.(map[string]any); ok && (name == "labels" || name == "matchLabels") {
				for label, value := range labels {
					do(label, value)
				}
			}
			eachLabel(inner, do)
		}
	case []any:
		for _, inner := range tree {
			eachLabel(inner, do)
		}
	}
}

// A change of what only a start takes over starts new pods; what a running server takes over itself, and what is not
// its, starts none.
func TestNewConfigurationStartsNewPods(t *testing.T) {
	const declared = `{clients: [{client_id: pocket, client_name: Pocket, token_endpoint_auth_method: none, redirect_uris: ['https://pocket.example/']}],
		providers: [{kind: google, client_id: wicket, existingSecret: google}], config: {WICKET_TRUSTED_PROXIES: none}}`
	template := func(more string) string {
		return toText(render(t, production, declared, more).one(t, "Deployment", "").at("spec.template"))
	}
	for more, differs := range map[string]bool{
		"{config: {WICKET_REGISTRATION: open}}": true,
		// A running server reads declarations anew, once they are mounted.
		"{clients: [{client_id: spa, client_name: SPA, token_endpoint_auth_method: none, redirect_uris: ['https://spa.example/']}]}": false,
		"{providers: [{kind: google, client_id: other, existingSecret: google}]}":                                                    false,
		"{providers: [{kind: google, client_id: wicket, existingSecret: other}]}":                                                    true,
		"{replicas: 5}":              false,
		"{service: {port: 81}}":      false,
		"{ingress: {enabled: true}}": false,
	} {
		if (template(more) != template("{}")) != differs {
			t.Errorf("%s: new pods are %t, want %t", more, !differs, differs)
		}
	}
}

// What operators hang onto the pods is there.
func TestExtras(t *testing.T) {
	r := render(t, readFile(t, "testdata/everything.values.yaml"))
	deployment := r.one(t, "Deployment", "")
	server := container(t, deployment.at("spec.template.spec"), "wicket")
	if server.text("image") != "registry.example.com/wicket-id/wicket@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" {
		t.Errorf("the image is %s", server.text("image"))
	}
	for path, want := range map[string]any{
		"metadata.annotations.reloader~stakater~com/auto": "true", "metadata.labels.team": "42",
		"spec.template.metadata.labels.team":               "42",
		"spec.template.metadata.annotations.example~com/a": "b", "spec.template.metadata.labels.example~com/c": "d",
		"spec.template.spec.imagePullSecrets.0.name": "registry", "spec.template.spec.priorityClassName": "high",
		"spec.template.spec.runtimeClassName":   "gvisor",
		"spec.template.spec.serviceAccountName": "id", "spec.template.spec.nodeSelector.kubernetes~io/os": "linux",
		"spec.template.spec.tolerations.0.key":                       "dedicated",
		"spec.template.spec.topologySpreadConstraints.0.topologyKey": "example.com/rack",
		"spec.template.spec.containers.1.name":                       "proxy",
		"spec.template.spec.initContainers.0.name":                   "wait",
	} {
		if got := deployment.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if deployment.at("spec.template.spec.affinity.podAntiAffinity") == nil {
		t.Error("the affinity is missing")
	}
	if server.variable("GOMEMLIMIT") != "400MiB" || server.at("envFrom.0.configMapRef.name") != "id" ||
		server.at("envFrom.1.secretRef.name") != "more" {
		t.Errorf("variables: %v %v", server.at("env"), server.at("envFrom"))
	}
	if mounts := toText(server.at("volumeMounts")); !strings.Contains(mounts, "/etc/ssl/certs/company") {
		t.Errorf("mounts: %s", mounts)
	}
	r.one(t, "ConfigMap", "id-extra")    // an object, with a template in it
	r.one(t, "ConfigMap", "wicket-text") // a template of an object
}

// The values of config become variables exactly as they are written, whatever YAML might make of them.
func TestConfigIsVerbatim(t *testing.T) {
	for _, value := range []string{"yes", "1e3", "007", "", "null", `say "hi" to {{ .Release.Name }}`, "two\nlines", "10.0.0.0/8,fd00::/8", "C:\\x"} {
		encoded, err := json.Marshal(map[string]any{"config": map[string]any{"WICKET_OIDC_NAME": value}})
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, production, string(encoded)).
			one(t, "ConfigMap", "wicket").
			at("data.WICKET_OIDC_NAME"); got != value {
			t.Errorf("%q became %q", value, got)
		}
	}
}

// The chart brings no database and nothing else along.
func TestNoSubcharts(t *testing.T) {
	if loaded := loadChart(t); len(loaded.Metadata.Dependencies) > 0 || len(loaded.Dependencies()) > 0 {
		t.Errorf("it depends on %v", loaded.Metadata.Dependencies)
	}
}

// A null takes a value away: OpenShift chooses users itself.
func TestUsersCanBeLeftToTheCluster(t *testing.T) {
	spec := render(t, production, "{podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}}").
		one(t, "Deployment", "").
		at("spec.template.spec.securityContext")
	for name := range spec.(map[string]any) {
		if strings.HasPrefix(name, "runAsUser") || name == "runAsGroup" || name == "fsGroup" {
			t.Errorf("%s stays: %v", name, spec)
		}
	}
	if object(spec.(map[string]any)).at("runAsNonRoot") != true {
		t.Errorf("what was not taken away is gone: %v", spec)
	}
}

// The notes say what to do next, and what is unsafe about these values.
func TestNotes(t *testing.T) {
	safe := render(
		t, production,
		`{redis: {existingSecret: r}, smtp: {existingSecret: m}, ingress: {enabled: true}, config: {WICKET_TRUSTED_PROXIES: 10.0.0.0/8}}`,
	).notes
	if !strings.Contains(safe, "https://id.example.com") || !strings.Contains(safe, "wicket user invite --admin owner") ||
		!strings.Contains(safe, "helm test --namespace identity wicket") || strings.Contains(safe, "Mind:") {
		t.Errorf("the notes of safe values:\n%s", safe)
	}
	const link = `echo "https://id.example.com/register?token=$(kubectl get secret --namespace identity first -o go-template='{{ index .data "invitation" | base64decode }}')"`
	if chosen := render(
		t, production, `{firstAdministrator: {existingSecret: first}}`,
	).notes; !strings.Contains(chosen, link) || strings.Contains(chosen, "user invite") {
		t.Errorf("the notes where the first link was chosen:\n%s", chosen)
	}
	for more, want := range map[string]string{
		"{database: {kind: sqlite, existingSecret: ''}}":          "It runs on SQLite",
		"{smtp: {existingSecret: ''}}":                            "No mail is sent",
		"{redis: {existingSecret: ''}}":                           "several replicas and no Redis",
		"{replicas: 1}":                                           "There is one replica",
		"{migrations: {mode: none}}":                              "pods refuse to start",
		"{networkPolicy: {enabled: false}}":                       "networkPolicy is off",
		"{securityContext: {readOnlyRootFilesystem: false}}":      "more than the restricted pod security standard",
		"{image: {tag: latest}}":                                  "image.tag is latest",
		"{issuer: 'http://localhost', ingress: {enabled: false}}": "The issuer is http",
	} {
		notes := render(
			t, production,
			`{redis: {existingSecret: r}, smtp: {existingSecret: m}, ingress: {enabled: true}, config: {WICKET_TRUSTED_PROXIES: 10.0.0.0/8}}`,
			more,
		).notes
		if !strings.Contains(notes, "Mind:") || !strings.Contains(notes, want) {
			t.Errorf("%s: the notes lack %q:\n%s", more, want, notes)
		}
	}
}
