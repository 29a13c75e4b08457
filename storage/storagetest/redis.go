package storagetest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a private Redis on a free loopback port, for one test.
type RedisServer struct {
	Port    int
	options []string
	process *exec.Cmd
	log     bytes.Buffer
}

// Redis starts a Redis server that keeps nothing on disk and ends with the test; options are those of its command line,
// such as "--requirepass", "secret". Where no Redis is installed the test is skipped and says so; under `make test` it
// fails instead.
func Redis(t testing.TB, options ...string) *RedisServer {
	t.Helper()
	skipIfShort(t)
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("WICKET_TEST_COMPLETE") != "" {
			t.Fatal(err)
		}
		t.Skip("Redis is not installed (Debian: apt-get install redis-server), so this test is left out")
	}
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &RedisServer{Port: port, options: options}
	s.Start(t)
	t.Cleanup(s.Kill)
	return s
}

// Start starts the server again, empty, after Kill.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	arguments := append(
		[]string{
			filepath.Join(dir, "redis.conf"), "--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1", "--save", "",
			"--appendonly", "no", "--dir", dir,
		},
		s.options...,
	)
	if err := os.WriteFile(arguments[0], nil, 0o600); err != nil { // a Sentinel writes into it
		t.Fatal(err)
	}
	s.process = exec.Command("redis-server", arguments...)
	s.process.Stdout = &s.log
	if err := StartChild(s.process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			t.Logf("%s", s.log.String())
		}
	}()
	Eventually(t, 10*time.Second, fmt.Sprintf("Redis on port %d answers", s.Port), func() bool {
		connection, err := net.Dial("tcp", s.Address())
		if err != nil {
			return false
		}
		defer func() { _ = connection.Close() }()
		_ = connection.SetDeadline(time.Now().Add(time.Second))
		_, _ = connection.Write([]byte("PING\r\n"))
		_, err = connection.Read(make([]byte, 1)) // whatever it says: it may want a password
		return err == nil
	})
}

// Address is where it listens.
func (s *RedisServer) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// PID is its process.
func (s *RedisServer) PID() int { return s.process.Process.Pid }

// Option returns what was given for an option of its command line.
func (s *RedisServer) Option(name string) string { return s.options[slices.Index(s.options, name)+1] }

// URL is its URL, without password.
func (s *RedisServer) URL() string { return "redis://" + s.Address() }

// Client returns a client of its own to look behind the scenes, closed when the test ends.
func (s *RedisServer) Client(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Address()})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Kill ends it at once; what it held is lost.
func (s *RedisServer) Kill() {
	if s.process.ProcessState == nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
	}
}

// Freeze stops it in its tracks: connections stay open, and nobody answers until Thaw.
func (s *RedisServer) Freeze() { _ = s.process.Process.Signal(syscall.SIGSTOP) }

// Thaw lets it go on, with all that was sent to it meanwhile.
func (s *RedisServer) Thaw() { _ = s.process.Process.Signal(syscall.SIGCONT) }

// Eventually polls until a condition holds, and fails the test where it does not within patience.
func Eventually(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond) // polling
	}
}
