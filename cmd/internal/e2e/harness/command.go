package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
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

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Environment is that of a command.
func (l CommandLine) Environment() server.Environment {
	env := server.Environment{}
	for _, variable := range l {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}

// folder is where the binary is built, as long as a test program runs.
var folder string

// Main is TestMain of a package whose tests run commands.
func Main(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "wicket-e2e-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// build builds the command wicket, once for a test program, with the race detector if the program itself has it.
var build = sync.OnceValues(func() (path string, err error) {
	// Read so that go test, which keeps the results of tests whose files have not changed, knows that these count.
	if _, err := os.ReadDir("../../../wicket"); err != nil {
		return "", err
	}
	path = filepath.Join(folder, "wicket")
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

// Binary is where the command wicket is.
func Binary(t testing.TB) string {
	t.Helper()
	if folder == "" {
		t.Fatal("TestMain of a package whose tests run commands must be that of the harness")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// CommandLine runs wicket commands as processes; it is their environment.
type CommandLine []string

// NewCommandLine is for a Wicket on that database. issuer is where serve will listen.
func NewCommandLine(t testing.TB, databaseURL string) (line CommandLine, issuer string) {
	t.Helper()
	address := fmt.Sprintf("localhost:%d", FreePort(t))
	return CommandLine{"WICKET_DATABASE_URL=" + databaseURL, "WICKET_SECRET=" + seal.NewMasterKey(), "WICKET_LISTEN=" + address, "WICKET_DRAIN=0s", "WICKET_ISSUER=http://" + address}, "http://" + address
}

func FreePort(t testing.TB) int {
	t.Helper()
	port, err := storagetest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// process is a wicket command that runs or ran.
type Process struct {
	*exec.Cmd
	Out, ErrOut Output
}

// printed is what a process has printed so far.
type Output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (p *Output) Write(more []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buffer.Write(more)
}

func (p *Output) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buffer.String()
}

func (p *Output) Bytes() []byte { return []byte(p.String()) }
func (p *Output) Len() int      { return len(p.String()) }

func (l CommandLine) Prepare(t testing.TB, arguments ...string) *Process {
	t.Helper()
	p := &Process{Cmd: exec.CommandContext(t.Context(), Binary(t), arguments...)}
	p.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), l...)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Stdout, p.Stderr = &p.Out, &p.ErrOut
	return p
}

// Run runs a command to its end. stdin is what it may read.
func (l CommandLine) Run(t testing.TB, stdin string, arguments ...string) *Process {
	t.Helper()
	p := l.Prepare(t, arguments...)
	p.Stdin = strings.NewReader(stdin)
	if err := p.Run(); err != nil && p.ProcessState == nil {
		t.Fatal(err)
	}
	return p
}

// JSON runs a command that must succeed with -o json and reads the one value that it prints.
func (l CommandLine) JSON(t testing.TB, into any, stdin string, arguments ...string) {
	t.Helper()
	p := l.Run(t, stdin, append(arguments, "-o", "json")...)
	if p.ProcessState.ExitCode() != 0 || p.ErrOut.Len() > 0 {
		t.Fatalf("wicket %s: %s\n%s", strings.Join(arguments, " "), p.ProcessState, &p.ErrOut)
	}
	if err := json.Unmarshal(p.Out.Bytes(), into); err != nil {
		t.Fatalf("wicket %s: %v\n%s", strings.Join(arguments, " "), err, &p.Out)
	}
}

// Start starts a command that serves, and waits until url answers.
func (l CommandLine) Start(t testing.TB, url string, arguments ...string) *Process {
	t.Helper()
	p := l.Prepare(t, arguments...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			return p
		}
		if time.Now().After(deadline) {
			p.Kill()
			t.Fatalf("wicket %s does not answer at %s: %v\n%s", strings.Join(arguments, " "), url, err, &p.ErrOut)
		}
	}
}

// Serve starts wicket serve.
func (l CommandLine) Serve(t testing.TB, issuer string) *Process {
	t.Helper()
	return l.Start(t, issuer+"/readyz", "serve")
}

// Kill is kill -9. It returns when the process is gone.
func (p *Process) Kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}

// Interrupt is Ctrl-C, after which the process must end by itself and without a complaint.
func (p *Process) Interrupt(t testing.TB) {
	t.Helper()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.WaitDelay = 30 * time.Second
	if err := p.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, &p.ErrOut)
	}
}

// NoFaults fails the test where the log of a process that has ended tells of a fault.
func (p *Process) NoFaults(t testing.TB) {
	t.Helper()
	for _, line := range strings.Split(p.ErrOut.String(), "\n") {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "level=ERROR") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") {
			t.Errorf("the server's log: %s", line)
		}
	}
}
