package tests

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var compiledFolder string

// compiled is the binary of Wicket, made once.
var compiled = sync.OnceValues(func() (string, error) {
	var err error
	if compiledFolder, err = os.MkdirTemp("", "wicket-chart-"); err != nil {
		return "", err
	}
	binary := filepath.Join(compiledFolder, "wicket")
	command := exec.Command(
		"go", "build", "-trimpath", "-tags", "nomsgpack", "-buildvcs=false", "-o", binary, "./cmd/wicket",
	)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile Wicket: %w\n%s", err, output)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if compiledFolder != "" {
		_ = os.RemoveAll(compiledFolder)
	}
	os.Exit(code)
}

// node does with a pod what a kubelet does, as far as one can without containers: it lays out the volumes, sets the
// variables and runs the binary with the arguments. What is mounted at /x is in root/x.
type node struct {
	rendered
	root    string
	address string                       // where the server listens, in place of its port on every address
	secrets map[string]map[string]string // by name and key
}

func newNode(t testing.TB, r rendered, secrets map[string]map[string]string) *node {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return &node{rendered: r, root: t.TempDir(), address: listener.Addr().String(), secrets: secrets}
}

// here is where a path or a text with paths of the pod lies on this machine.
func (n *node) here(text string) string {
	for _, folder := range []string{"/etc/wicket/", "/var/lib/wicket/"} {
		text = strings.ReplaceAll(text, folder, n.root+folder)
	}
	return text
}

func (n *node) secret(t testing.TB, name, key string) string {
	t.Helper()
	value, ok := n.secrets[name][key]
	if !ok {
		t.Fatalf("the pod wants the key %s of the Secret %s, which nobody has made", key, name)
	}
	return value
}

// mount lays out the volumes of a pod where its container mounts them.
func (n *node) mount(t testing.TB, spec, container object) {
	t.Helper()
	at := map[string]string{}
	for _, m := range container.list("volumeMounts") {
		at[object(m.(map[string]any)).text("name")] = n.root + object(m.(map[string]any)).text("mountPath")
	}
	put := func(volume, name, content string) { // in one step, as a kubelet replaces what has changed
		path := filepath.Join(at[volume], name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path+".new", []byte(content), 0o440)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range spec.list("volumes") {
		v := object(v.(map[string]any))
		name := v.text("name")
		if at[name] == "" {
			t.Errorf("the volume %s is not mounted", name)
			continue
		}
		if err := os.MkdirAll(at[name], 0o700); err != nil {
			t.Fatal(err)
		}
		for _, source := range v.list("projected.sources") {
			source := object(source.(map[string]any))
			for _, item := range source.list("secret.items") {
				item := object(item.(map[string]any))
				put(name, item.text("path"), n.secret(t, source.text("secret.name"), item.text("key")))
			}
		}
		for _, item := range v.list("secret.items") {
			item := object(item.(map[string]any))
			put(name, item.text("path"), n.secret(t, v.text("secret.secretName"), item.text("key")))
		}
		if from := v.text("configMap.name"); from != "" {
			for file, content := range n.one(t, "ConfigMap", from).at("data").(map[string]any) {
				put(name, file, n.here(content.(string)))
			}
		}
		delete(at, name)
	}
	if len(at) > 0 {
		t.Errorf("mounted, but no volume: %v", at)
	}
}

// command is a container as a process.
func (n *node) command(t testing.TB, spec, container object) *exec.Cmd {
	t.Helper()
	binary, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	n.mount(t, spec, container)
	variables := map[string]string{}
	for _, from := range container.list("envFrom") {
		for name, value := range n.one(t, "ConfigMap", object(from.(map[string]any)).text("configMapRef.name")).
			at("data").(map[string]any) {
			variables[name] = value.(string)
		}
	}
	for _, v := range container.list("env") {
		v := object(v.(map[string]any))
		variables[v.text("name")] = n.here(v.text("value"))
		if from := v.at("valueFrom.secretKeyRef"); from != nil {
			variables[v.text("name")] = n.secret(t, v.text("valueFrom.secretKeyRef.name"), v.text("valueFrom.secretKeyRef.key"))
		}
	}
	if variables["WICKET_LISTEN"] != "" {
		variables["WICKET_LISTEN"] = n.address
	}
	if variables["WICKET_METRICS_LISTEN"] != "" {
		variables["WICKET_METRICS_LISTEN"] = "127.0.0.1:0"
	}
	var arguments []string
	for _, argument := range container.list("args") {
		text := n.here(argument.(string))
		for name, value := range variables {
			text = strings.ReplaceAll(text, "$("+name+")", value)
		}
		if strings.HasPrefix(text, "http://"+testRelease+":") { // the Service leads to the server
			text = "http://" + n.address
		}
		arguments = append(arguments, text)
	}
	command := exec.Command(binary, arguments...)
	command.Dir = n.root
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// serve runs the Deployment's pod, its init containers first, until the readiness probe succeeds; the test's end stops
// it.
func (n *node) serve(t testing.TB) (operate func(stdin string, arguments ...string)) {
	t.Helper()
	spec := object(n.one(t, "Deployment", "").at("spec.template.spec").(map[string]any))
	for _, c := range spec.list("initContainers") {
		if output, err := n.command(t, spec, c.(map[string]any)).CombinedOutput(); err != nil {
			t.Fatalf("an init container: %v\n%s", err, output)
		}
	}
	server := container(t, map[string]any(spec), "wicket")
	process := n.command(t, spec, server)
	var log strings.Builder
	process.Stderr = &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := process.Wait(); err != nil {
			t.Errorf("the server: %v\n%s", err, &log)
		}
	})
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			response, err := http.Get("http://" + n.address + server.text(probe+".httpGet.path"))
			if err == nil {
				_ = response.Body.Close()
				if response.StatusCode == http.StatusOK {
					break
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("the %s fails: %v\n%s", probe, err, &log)
			}
		}
	}
	return func(stdin string, arguments ...string) { // kubectl exec
		t.Helper()
		command := n.command(t, spec, server)
		command.Args = append(command.Args[:1], arguments...)
		command.Stdin = strings.NewReader(stdin)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("wicket %s: %v\n%s", strings.Join(arguments, " "), err, output)
		}
	}
}

// helmTest runs the chart's test and returns what it prints.
func (n *node) helmTest(t testing.TB) (string, error) {
	t.Helper()
	spec := object(n.one(t, "Pod", "-check").at("spec").(map[string]any))
	output, err := n.command(t, spec, container(t, map[string]any(spec), "check")).CombinedOutput()
	return string(output), err
}

// The pods of a production installation, run as processes with everything that they mount: Wicket accepts its
// configuration, makes the declared apps with their secrets, trusts the declared providers, and `helm test` signs in.
// What is declared then is taken over while they run.
func TestProductionPodsRun(t *testing.T) {
	secret := strings.Repeat("0123456789abcdef", 4)
	const here = "{redis: {existingSecret: ''}, shutdown: {drainSeconds: 0}}"
	set := readFile(t, "testdata/production.values.yaml")
	n := newNode(t, render(t, set, here), nil)
	n.secrets = map[string]map[string]string{
		"wicket-master-key":  {"master-key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"},
		"wicket-db-app":      {"uri": "sqlite:" + n.root + "/wicket.db"}, // what the database is does not matter here
		"wicket-mail":        {"url": "smtp://wicket:password@mail.example.com:587?from=id@example.com"},
		"shop-oidc":          {"client-secret": secret},
		"acme-upstream":      {"client-secret": "told by Acme"},
		"google":             {"secret": "told by Google"},
		"wicket-first":       {"invitation": secret},
		"wicket-test-person": {"username": "wicket-test", "password": "a person for tests alone"},
	}
	operate := n.serve(t)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		page := n.page(t, "/register?token="+secret)
		if strings.Contains(page, `id="username"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody can make the first account:\n%s", page)
		}
	}
	if output, err := n.helmTest(t); err == nil {
		t.Errorf("helm test succeeds before there is the person:\n%s", output)
	}
	operate("a person for tests alone\n", "user", "create", "--username", "wicket-test", "--password-stdin")
	output, err := n.helmTest(t)
	if err != nil || !strings.Contains(output, "ok  sign-in") {
		t.Errorf("helm test: %v\n%s", err, output)
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+n.address+"/introspect", strings.NewReader("token=x"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("shop", secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the declared app with its secret: %s", response.Status)
	}
	if page := n.page(t, "/sign-in"); !strings.Contains(page, "Acme Works") || !strings.Contains(page, "Google") {
		t.Errorf("nobody can sign in with the declared providers:\n%s", page)
	}
	n.rendered = render(
		t, set, here,
		"{providers: [{kind: oidc, id: acme, name: Zenith, issuer: 'https://login.acme.example', client_id: wicket, existingSecret: acme-upstream}]}",
	)
	spec := object(n.one(t, "Deployment", "").at("spec.template.spec").(map[string]any))
	n.mount(t, spec, container(t, map[string]any(spec), "wicket"))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		page := n.page(t, "/sign-in")
		if strings.Contains(page, "Zenith") && !strings.Contains(page, "Google") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the running server did not take over the new providers:\n%s", page)
		}
	}
}

// page is what a browser gets from the server.
func (n *node) page(t testing.TB, path string) string {
	t.Helper()
	response, err := http.Get("http://" + n.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// The same of a trial: nothing but a volume, on which it makes its own key.
func TestTrialPodRuns(t *testing.T) {
	for _, mode := range []string{"initContainer", "start"} {
		t.Run(mode, func(t *testing.T) {
			n := newNode(t, render(t, trial, "{migrations: {mode: "+mode+"}}"), nil)
			n.serve(t)
			if output, err := n.helmTest(t); err != nil || strings.Count(output, "ok  ") != 3 {
				t.Errorf("helm test: %v\n%s", err, output)
			}
			files, err := os.ReadDir(n.root + "/var/lib/wicket")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, func(f os.DirEntry) bool { return f.Name() == "wicket.key" }) {
				t.Errorf("the volume holds %v", files)
			}
		})
	}
}
