package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/storage/seal"
)

// CommandLine runs wicket commands as processes. It is their environment: NAME=value.
type CommandLine []string

// NewCommandLine is for a Wicket on that database. issuer is where serve will listen.
func NewCommandLine(t testing.TB, databaseURL string) (line CommandLine, issuer string) {
	t.Helper()
	address := fmt.Sprintf("localhost:%d", FreePort(t))
	issuer = "http://" + address
	return CommandLine{
		"WICKET_DATABASE_URL=" + databaseURL, "WICKET_SECRET=" + seal.NewMasterKey(),
		"WICKET_LISTEN=" + address, "WICKET_DRAIN=0s", "WICKET_ISSUER=" + issuer,
	}, issuer
}

// Environment is that of a command.
func (l CommandLine) Environment() server.Environment {
	env := server.Environment{}
	for _, variable := range l {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}

// Prepare makes a command that serves and is yet to be started. It is killed when the test ends.
func (l CommandLine) Prepare(t testing.TB, arguments ...string) *Process {
	t.Helper()
	return l.prepare(t, ServerBinary(t), arguments)
}

func (l CommandLine) prepare(t testing.TB, binary string, arguments []string) *Process {
	p := &Process{Cmd: exec.CommandContext(t.Context(), binary, arguments...)}
	p.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), l...)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Stdout, p.Stderr = &p.Out, &p.ErrOut
	return p
}

// Run runs a command to its end. stdin is what it may read.
func (l CommandLine) Run(t testing.TB, stdin string, arguments ...string) *Process {
	t.Helper()
	p := l.prepare(t, binary(t), arguments)
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
	return l.Prepare(t, arguments...).start(t, url)
}

// start starts the process and waits until url answers.
func (p *Process) start(t testing.TB, url string) *Process {
	t.Helper()
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
			t.Fatalf("%s does not answer at %s: %v\n%s%s", p, url, err, &p.Out, &p.ErrOut)
		}
	}
}

// Serve starts wicket serve.
func (l CommandLine) Serve(t testing.TB, issuer string) *Process {
	t.Helper()
	return l.Start(t, issuer+"/readyz", "serve")
}

// StartApp starts a program that is not ours, as an app or as what stands before one, and waits until url answers. It
// is killed when the test ends.
func StartApp(t testing.TB, url string, command *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: command}
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Stdout, p.Stderr = &p.Out, &p.ErrOut
	return p.start(t, url)
}
