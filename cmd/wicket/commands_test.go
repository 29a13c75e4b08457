package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// commandFolder is where the binary is built, as long as a test program runs.
var commandFolder string

// runTests is TestMain of a package whose tests run commands.
func runTests(m *testing.M) {
	folder, err := os.MkdirTemp("", "wicket-e2e-")
	if err != nil {
		panic(err)
	}
	commandFolder = folder
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

func TestMain(m *testing.M) { runTests(m) }

// binary builds the command wicket, once for a test program, with the race detector if the program itself has it.
var binary = sync.OnceValues(func() (path string, err error) {
	// Read so that go test, which keeps the results of tests whose files have not changed, knows that these count.
	if _, err := os.ReadDir("."); err != nil {
		return "", err
	}
	path = filepath.Join(commandFolder, "wicket")
	arguments := []string{"build", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		arguments = append(arguments, "-race")
	}
	out, err := exec.Command("go", append(arguments, "github.com/wicket-id/wicket/cmd/wicket")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the command wicket: %w\n%s", err, out)
	}
	return path, nil
})

// builtBinary is where the command wicket is.
func builtBinary(t testing.TB) string {
	t.Helper()
	if commandFolder == "" {
		t.Fatal("TestMain of a package whose tests run commands must be that of the harness")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// commandLine runs wicket commands as processes; it is their environment.
type commandLine []string

// newCommandLine is for a Wicket on that database. issuer is where serve will listen.
func newCommandLine(t testing.TB, databaseURL string) (line commandLine, issuer string) {
	t.Helper()
	address := fmt.Sprintf("localhost:%d", freePort(t))
	return commandLine{"WICKET_DATABASE_URL=" + databaseURL, "WICKET_SECRET=" + seal.NewMasterKey(), "WICKET_LISTEN=" + address, "WICKET_DRAIN=0s", "WICKET_ISSUER=http://" + address}, "http://" + address
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := storagetest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// process is a wicket command that runs or ran.
type process struct {
	*exec.Cmd
	stdout, stderr printed
}

// printed is what a process has printed so far.
type printed struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (p *printed) Write(more []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buffer.Write(more)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buffer.String()
}

func (p *printed) Bytes() []byte { return []byte(p.String()) }
func (p *printed) Len() int      { return len(p.String()) }

func (l commandLine) prepare(t testing.TB, arguments ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), builtBinary(t), arguments...)}
	p.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), l...)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	return p
}

// run runs a command to its end. stdin is what it may read.
func (l commandLine) run(t testing.TB, stdin string, arguments ...string) *process {
	t.Helper()
	p := l.prepare(t, arguments...)
	p.Stdin = strings.NewReader(stdin)
	if err := p.Run(); err != nil && p.ProcessState == nil {
		t.Fatal(err)
	}
	return p
}

// json runs a command that must succeed with -o json and reads the one value that it prints.
func (l commandLine) json(t testing.TB, into any, stdin string, arguments ...string) {
	t.Helper()
	p := l.run(t, stdin, append(arguments, "-o", "json")...)
	if p.ProcessState.ExitCode() != 0 || p.stderr.Len() > 0 {
		t.Fatalf("wicket %s: %s\n%s", strings.Join(arguments, " "), p.ProcessState, &p.stderr)
	}
	if err := json.Unmarshal(p.stdout.Bytes(), into); err != nil {
		t.Fatalf("wicket %s: %v\n%s", strings.Join(arguments, " "), err, &p.stdout)
	}
}

// start starts a command that serves, and waits until url answers.
func (l commandLine) start(t testing.TB, url string, arguments ...string) *process {
	t.Helper()
	p := l.prepare(t, arguments...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			return p
		}
		if time.Now().After(deadline) {
			p.kill()
			t.Fatalf("wicket %s does not answer at %s: %v\n%s", strings.Join(arguments, " "), url, err, &p.stderr)
		}
	}
}

// serve starts wicket serve.
func (l commandLine) serve(t testing.TB, issuer string) *process {
	t.Helper()
	return l.start(t, issuer+"/readyz", "serve")
}

// kill is kill -9. It returns when the process is gone.
func (p *process) kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}

// interrupt is Ctrl-C, after which the process must end by itself and without a complaint.
func (p *process) interrupt(t testing.TB) {
	t.Helper()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.WaitDelay = 30 * time.Second
	if err := p.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, &p.stderr)
	}
}

// noFaults fails the test where the log of a process that has ended tells of a fault.
func (p *process) noFaults(t testing.TB) {
	t.Helper()
	for _, line := range strings.Split(p.stderr.String(), "\n") {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "level=ERROR") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") {
			t.Errorf("the server's log: %s", line)
		}
	}
}

// The operator's commands work beside a running server, and it heeds them.
func TestCommandsBesideARunningServer(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := newCommandLine(t, databaseURL)
		server := line.serve(t, issuer)
		h := &openHouse{issuer: issuer}

		t.Run("client", func(t *testing.T) {
			var app struct {
				ID           string   `json:"client_id"`
				Secret       string   `json:"client_secret"`
				AuthMethod   string   `json:"token_endpoint_auth_method"`
				RedirectURIs []string `json:"redirect_uris"`
				LogoutURIs   []string `json:"post_logout_redirect_uris"`
				GrantTypes   []string `json:"grant_types"`
				Scope        string   `json:"scope"`
				Trusted      bool     `json:"trusted"`
			}
			uris := []string{"https://app.example/callback?a=1,2", "https://app.example/other"}
			line.json(t, &app, "", "client", "create", "--name", "Shop", "--redirect-uri", uris[0], "--redirect-uri", uris[1], "--post-logout-redirect-uri", "https://app.example/",
				"--scope", "openid email", "--scope", "profile", "--auth-method", clients.AuthPost, "--grant-type", oidc.GrantCode, "--grant-type", oidc.GrantClientCredentials, "--trusted")
			if app.ID == "" || app.Secret == "" || app.AuthMethod != clients.AuthPost || !slices.Equal(app.RedirectURIs, uris) || !slices.Equal(app.LogoutURIs, []string{"https://app.example/"}) ||
				!slices.Equal(app.GrantTypes, []string{oidc.GrantCode, oidc.GrantClientCredentials}) || app.Scope != "openid email profile" || !app.Trusted {
				t.Errorf("created: %+v", app)
			}
			credentials := url.Values{"grant_type": {oidc.GrantClientCredentials}}
			if a := h.call(t, oidc.PathToken, testClient{&clients.Client{ID: app.ID}, app.Secret}, credentials); a.status != http.StatusOK {
				t.Errorf("the new app asks for a token: %d %v", a.status, a.json)
			}

			var spa, doomed map[string]any
			line.json(t, &spa, "", "client", "create", "--name", "SPA", "--public", "--redirect-uri", "http://localhost:3000/")
			if _, has := spa["client_secret"]; has || spa["token_endpoint_auth_method"] != clients.AuthNone {
				t.Errorf("a public client: %v", spa)
			}
			line.json(t, &doomed, "", "client", "create", "--name", "Doomed", "--auth-method", clients.AuthPost, "--grant-type", oidc.GrantClientCredentials)
			list := line.run(t, "", "client", "list", "-o", "json")
			for _, id := range []any{app.ID, spa["client_id"], doomed["client_id"]} {
				if !strings.Contains(list.stdout.String(), fmt.Sprintf(`"client_id": "%s"`, id)) {
					t.Errorf("the list lacks %v:\n%s", id, &list.stdout)
				}
			}
			if strings.Contains(list.stdout.String(), "secret_hash") || strings.Contains(list.stdout.String(), app.Secret) {
				t.Errorf("the list tells a secret:\n%s", &list.stdout)
			}
			id := doomed["client_id"].(string)
			line.json(t, &map[string]any{}, "", "client", "delete", id)
			if a := h.call(t, oidc.PathToken, testClient{&clients.Client{ID: id}, doomed["client_secret"].(string)}, credentials); a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" {
				t.Errorf("a deleted app asks for a token: %d %v", a.status, a.json)
			}
		})

		t.Run("user", func(t *testing.T) {
			var user printedUser
			line.json(t, &user, testPassword+"\n", "user", "create", "--username", testUsername, "--email", testEmail, "--email-verified", "--name", "Alice Example", "--password-stdin")
			if user.Username != testUsername || !user.IsActive || user.SessionVersion != 1 || user.LastLoginAt != nil {
				t.Errorf("created: %+v", user)
			}
			b := h.browser(t)
			signsIn := func(want bool) {
				t.Helper()
				if shown := b.signIn(t, page{}); strings.Contains(shown.body, `id="sign-out"`) != want {
					t.Errorf("can sign in: %t, want %t (%s)", !want, want, shown.Status)
				}
			}
			signsIn(true)
			line.json(t, &user, "", "user", "logout", user.ID.String())
			if user.SessionVersion != 2 || user.LastLoginAt == nil {
				t.Errorf("after logout: %+v", user)
			}
			if shown := b.get(t, "/account"); !strings.Contains(shown.body, `id="sign-in"`) {
				t.Error("after logout the browser is still signed in")
			}
			line.json(t, &user, "", "user", "disable", testEmail)
			if user.IsActive {
				t.Errorf("after disable: %+v", user)
			}
			signsIn(false)
			line.json(t, &user, "", "user", "enable", testUsername)
			signsIn(true)
			for range 10 {
				b.post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {"wrong password"}})
			}
			signsIn(false)
			var users []printedUser
			if line.json(t, &users, "", "user", "list"); len(users) != 1 || users[0].ID != user.ID || users[0].LockedUntil == nil {
				t.Errorf("the list of a locked user: %+v", users)
			}
			if line.json(t, &user, "", "user", "unlock", testUsername); user.LockedUntil != nil {
				t.Errorf("after unlock: %+v", user)
			}
			signsIn(true)
		})

		t.Run("invite", func(t *testing.T) {
			told := func(settings ...string) string {
				return append(line[:len(line):len(line)], settings...).run(t, "", "user", "invite", "--email", "carl@example.com").stdout.String()
			}
			if without, with := told(), told("WICKET_SMTP_URL=smtp://127.0.0.1:1?from=id@example.com"); !strings.Contains(without, "Hand the link on to carl@example.com") || !strings.Contains(with, "is being mailed to carl@example.com") {
				t.Errorf("without a mail server:\n%swith one:\n%s", without, with)
			}
			var invitation printedInvitation
			line.json(t, &invitation, "", "user", "invite", "--email", "dora@example.com", "--role", "clerk", "--for", "24h")
			if !strings.HasPrefix(invitation.Link, issuer+"/register?token=") || invitation.ExpiresAt.Before(time.Now().Add(23*time.Hour)) {
				t.Fatalf("invited: %+v", invitation)
			}
			form := newcomer(url.Values{"username": {"dora"}, "email": {"dora@example.com"}})
			if shown := h.browser(t).follow(t, invitation.Link, form); shown.StatusCode != http.StatusOK || shown.Request.URL.Path != "/account" {
				t.Errorf("by the link: %s %s", shown.Status, shown.Request.URL)
			}
			var roles []map[string]any
			if line.json(t, &roles, "", "role", "list", "dora@example.com"); len(roles) != 1 || roles[0]["role"] != "clerk" {
				t.Errorf("the newcomer holds %v", roles)
			}
		})

		t.Run("key", func(t *testing.T) {
			var before, planned, during, leaked, after []printedKey
			line.json(t, &before, "", "key", "list")
			line.json(t, &planned, "", "key", "rotate")
			line.json(t, &during, "", "key", "list")
			line.json(t, &leaked, "", "key", "rotate", "--leaked")
			line.json(t, &after, "", "key", "list")
			if n := len(before); n == 0 || len(planned) != n || len(during) != 2*n || len(leaked) != n || len(after) != 3*n {
				t.Fatalf("%d keys, %d planned, %d then, %d after a leak, %d then", n, len(planned), len(during), len(leaked), len(after))
			}
			now := time.Now()
			isPublished := func(keys []printedKey, kid string) bool {
				at := slices.IndexFunc(keys, func(k printedKey) bool { return k.KID == kid })
				return at >= 0 && (keys[at].PublishedUntil == nil || keys[at].PublishedUntil.After(now))
			}
			for i := range before {
				if !planned[i].SignsFrom.After(now) || !isPublished(during, planned[i].KID) || !isPublished(during, before[i].KID) {
					t.Errorf("after rotate the keys are %+v", during)
				}
				if leaked[i].SignsFrom.After(now) || !isPublished(after, leaked[i].KID) || isPublished(after, planned[i].KID) || isPublished(after, before[i].KID) {
					t.Errorf("after rotate --leaked the keys are %+v", after)
				}
			}
		})

		server.interrupt(t)
		server.noFaults(t)
	})
}

func TestMigrateCommand(t *testing.T) {
	for kind, empty := range map[storage.Kind]func(testing.TB) string{
		storage.SQLite:   func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/wicket.db" },
		storage.Postgres: storagetest.EmptyPostgres,
	} {
		t.Run(string(kind), func(t *testing.T) {
			line, issuer := newCommandLine(t, empty(t))
			type step struct {
				Version int64
				Name    string
			}
			refused := append(line, "WICKET_MIGRATE=off").run(t, "", "serve")
			if want := "run wicket migrate first"; refused.ProcessState.ExitCode() != 1 || !strings.Contains(refused.stderr.String(), want) {
				t.Errorf("serve on an empty database with WICKET_MIGRATE=off: %s\n%s", refused.ProcessState, &refused.stderr)
			}
			var planned, stillPlanned, done, none []step
			line.json(t, &planned, "", "migrate", "--dry-run")
			line.json(t, &stillPlanned, "", "migrate", "--dry-run")
			line.json(t, &done, "", "migrate")
			line.json(t, &none, "", "migrate")
			if len(planned) == 0 || !slices.Equal(planned, stillPlanned) || !slices.Equal(planned, done) || none == nil || len(none) != 0 {
				t.Errorf("planned %v, planned again %v, done %v, then %v", planned, stillPlanned, done, none)
			}
			if text := line.run(t, "", "migrate").stdout.String(); text != "The database is up to date.\n" {
				t.Errorf("migrate once more says %q", text)
			}
			append(line, "WICKET_MIGRATE=off").serve(t, issuer).interrupt(t)
		})
	}
}

// A command that fails says why on stderr and nothing on stdout; its exit status tells a wrong command line, what is not
// there and what is in the way from everything else.
func TestCommandErrors(t *testing.T) {
	line, _ := newCommandLine(t, storagetest.URL(t, storage.SQLite))
	line.json(t, &printedUser{}, testPassword, "user", "create", "--username", testUsername, "--email", testEmail, "--email-verified", "--password-stdin")
	line.json(t, &[]printedKey{}, "", "key", "rotate")
	line.json(t, &struct{}{}, "", "client", "create", "--id", "taken", "--name", "First", "--redirect-uri", "https://app.example/")
	jwks := t.TempDir() + "/jwks.json"
	if err := os.WriteFile(jwks, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	create := func(more ...string) []string { return append([]string{"client", "create", "--name", "App"}, more...) }
	for _, c := range []struct {
		arguments []string
		stdin     string
		variable  string
		want      string
		code      int // left out: codeFailed
	}{
		{arguments: []string{"open"}, want: "unexpected argument open", code: codeUsage},
		{arguments: []string{"client", "create"}, want: "missing flags: --name", code: codeUsage},
		{arguments: create(), want: "redirect"},
		{arguments: create("--redirect-uri", "https://app.example/", "--id", "taken"), want: "exists already", code: codeConflict},
		{arguments: create("--redirect-uri", "/callback"), want: "/callback"},
		{arguments: create("--redirect-uri", "https://app.example/#top"), want: "#top"},
		{arguments: create("--redirect-uri", "https://app.example/", "--public", "--auth-method", "client_secret_basic"), want: "--public means --auth-method none", code: codeUsage},
		{arguments: create("--redirect-uri", "https://app.example/", "--auth-method", "magic"), want: "authentication method"},
		{arguments: create("--redirect-uri", "https://app.example/", "--grant-type", "password"), want: "grant type"},
		{arguments: create("--redirect-uri", "https://app.example/", "--required-acr", "loa9"), want: "urn:wicket:acr:mfa"},
		{arguments: create("--redirect-uri", "https://app.example/", "--id-token-alg", "none"), want: "algorithm"},
		{arguments: create("--redirect-uri", "https://app.example/", "--auth-method", "private_key_jwt"), want: "public keys"},
		{arguments: create("--redirect-uri", "https://app.example/", "--auth-method", "private_key_jwt", "--jwks", jwks), want: "JWK"},
		{arguments: []string{"client", "delete", "nobody"}, want: "nobody", code: codeNotFound},
		{arguments: []string{"user", "create", "--username", strings.ToUpper(testUsername)}, want: "this username is taken", code: codeConflict},
		{arguments: []string{"user", "create", "--username", "bob", "--email", testEmail, "--email-verified"}, want: "address", code: codeConflict},
		{arguments: []string{"user", "create", "--username", "bob@example.com"}, want: "a username has"},
		{arguments: []string{"user", "create", "--username", "bob", "--password-stdin"}, want: "standard input holds no password"},
		{arguments: []string{"user", "create", "--username", "bob", "--password-stdin"}, stdin: "12345\n", want: "password"},
		{arguments: []string{"user", "invite", "--email", "nobody"}, want: "e-mail address"},
		{arguments: []string{"user", "invite", "--role", "two words"}, want: "role name"},
		{arguments: []string{"user", "invite", "--for", "-1h"}, want: "--for", code: codeUsage},
		{arguments: []string{"user", "disable", "bob"}, want: `nobody is registered as "bob"`, code: codeNotFound},
		{arguments: []string{"user", "unlock", "00000000-0000-0000-0000-000000000000"}, want: "nobody is registered", code: codeNotFound},
		{arguments: []string{"user", "logout"}, want: `expected "<user>"`, code: codeUsage},
		{arguments: []string{"key", "list"}, variable: "WICKET_DATABASE_URL=mysql://secret@host/", want: "WICKET_DATABASE_URL: "},
		{arguments: []string{"key", "list"}, variable: "WICKET_DATABASE_URL=postgres://wicket:secret@127.0.0.1:1/wicket", want: "WICKET_DATABASE_URL: "},
		{arguments: []string{"key", "rotate"}, variable: "WICKET_SECRET=" + seal.NewMasterKey(), want: "master key"},
		{arguments: []string{"key", "list"}, variable: "WICKET_SECRET=c2VjcmV0", want: "WICKET_SECRET: "},
		{arguments: []string{"serve"}, variable: "WICKET_ISSUER=https://id.example/tenant", want: "WICKET_ISSUER: "},
		{arguments: []string{"serve"}, variable: "WICKET_LISTEN=nowhere:port", want: "WICKET_LISTEN: "},
		{arguments: []string{"serve"}, variable: "WICKET_KEEP_AUDIT_TRAIL=3d", want: "WICKET_KEEP_AUDIT_TRAIL: must be forever, or a number of days"},
		{arguments: []string{"serve"}, variable: "WICKET_KEEP_LOGIN_ATTEMPTS=400", want: "WICKET_KEEP_LOGIN_ATTEMPTS: must be"},
		{arguments: []string{"migrate"}, variable: "WICKET_MIGRATE=perhaps", want: "WICKET_MIGRATE: must be auto or off"},
	} {
		t.Run(strings.Join(append(c.arguments, c.variable), " "), func(t *testing.T) {
			p := append(slices.Clip(line), c.variable).run(t, c.stdin, append(c.arguments, "-o", "json")...)
			if c.code == 0 {
				c.code = codeFailed
			}
			if p.ProcessState.ExitCode() != c.code || p.stdout.Len() > 0 || !strings.Contains(p.stderr.String(), c.want) || strings.Contains(p.stderr.String(), "secret@") {
				t.Errorf("%s, want the exit status %d and %q on stderr alone\nstdout: %s\nstderr: %s", p.ProcessState, c.code, c.want, &p.stdout, &p.stderr)
			}
		})
	}
	var clients []any
	var users []printedUser
	line.json(t, &clients, "", "client", "list")
	line.json(t, &users, "", "user", "list")
	if len(clients) != 1 || len(users) != 1 {
		t.Errorf("the failures left something behind: %v, %v", clients, users)
	}
	help := line.run(t, "", "client", "create", "--help")
	if help.ProcessState.ExitCode() != 0 || !strings.Contains(help.stdout.String(), "--redirect-uri") {
		t.Errorf("--help: %s\n%s%s", help.ProcessState, &help.stdout, &help.stderr)
	}
}
