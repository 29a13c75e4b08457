package harness

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Process is a wicket command that runs or ran.
type Process struct {
	*exec.Cmd
	Out, ErrOut Output
}

// Output is what a process has printed so far.
type Output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *Output) Write(more []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(more)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// Bytes returns a copy.
func (o *Output) Bytes() []byte { return []byte(o.String()) }

// Len returns the number of bytes.
func (o *Output) Len() int { return len(o.String()) }

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

var faultInLog = regexp.MustCompile(`"level":"ERROR"|level=ERROR|DATA RACE|^panic:`)

// NoFaults fails the test where the log of a process that has ended tells of a fault.
func (p *Process) NoFaults(t testing.TB) {
	t.Helper()
	for _, line := range strings.Split(p.ErrOut.String(), "\n") {
		if faultInLog.MatchString(line) {
			t.Errorf("the server's log: %s", line)
		}
	}
}

var takenPorts sync.Map

// FreePort returns a port of this machine that nothing listens on. It is below those that the kernel gives to outgoing
// connections, or one of these could take it before the test does; and no other test of this program gets it.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		if _, taken := takenPorts.LoadOrStore(port, true); taken {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
