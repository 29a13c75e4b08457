package storagetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

type postgresServer struct {
	start    func() error
	process  *exec.Cmd
	port     int
	admin    *sql.DB
	template sync.Once
}

var startPostgres = sync.OnceValues(newPostgres)

var errNoPostgres = errors.New(
	"PostgreSQL is not installed (Debian: apt-get install postgresql), so its half of the tests is left out",
)

func postgres(t testing.TB) *postgresServer {
	t.Helper()
	skipIfShort(t)
	server, err := startPostgres()
	if errors.Is(err, errNoPostgres) && os.Getenv("WICKET_TEST_COMPLETE") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// skipIfShort leaves the test out under -short, which is for the tests that need no other server: make test-quick.
func skipIfShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("a server of its own takes long to start, so under -short this test is left out")
	}
}

func newPostgres() (*postgresServer, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	folder, err := newPostgresFolder("wicket-postgres")
	if err != nil {
		return nil, err
	}
	if err := folder.initdb(bin); err != nil {
		return nil, err
	}
	options := []string{"-c", "max_connections=300"}
	if !isDurable() {
		options = append(options, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	} else if countsStatements(bin) {
		options = append(
			options, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_utility=off",
		)
	}
	return folder.serve(bin, options...)
}

// isDurable tells whether PostgreSQL is to be on a disk, where a commit costs what it costs operators.
func isDurable() bool { return os.Getenv("WICKET_TEST_POSTGRES_DURABLE") != "" }

// postgresFolder is where a PostgreSQL server keeps its data, and as whom it runs.
type postgresFolder struct {
	path       string
	attributes *syscall.SysProcAttr
}

// newPostgresFolder makes a folder of that name for as long as this process lives.
func newPostgresFolder(name string) (*postgresFolder, error) {
	base := inMemory()
	if chosen := os.Getenv("WICKET_TEST_POSTGRES_DIR"); chosen != "" {
		base = chosen
	}
	path, err := newFolder(base, name)
	if err != nil {
		return nil, err
	}
	f := &postgresFolder{path, &syscall.SysProcAttr{}}
	// PostgreSQL refuses to run as root; Debian's package made the user postgres.
	if os.Getuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: %w", err)
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		f.attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(f.path, uid, gid); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *postgresFolder) data() string { return filepath.Join(f.path, "data") }

func (f *postgresFolder) initdb(bin string) error {
	return f.run(
		filepath.Join(bin, "initdb"), "-D", f.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
		"--no-sync",
	)
}

func (f *postgresFolder) run(program string, arguments ...string) error {
	command := exec.Command(program, arguments...)
	command.SysProcAttr, command.Dir = f.attributes, f.path
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// serve starts a server on the data in the folder, on a free port, and waits until it answers.
func (f *postgresFolder) serve(bin string, options ...string) (*postgresServer, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	options = append(
		[]string{
			"-D", f.data(), "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		},
		options...,
	)
	s := &postgresServer{port: port}
	s.start = func() error {
		server := exec.Command(filepath.Join(bin, "postgres"), options...)
		server.SysProcAttr = f.attributes
		server.Dir = f.path
		server.Stderr = &bytes.Buffer{}
		s.process = server
		return StartChild(server, syscall.SIGINT)
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	s.admin, err = sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(2)
	deadline := time.Now().Add(30 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := s.admin.PingContext(ctx)
		cancel()
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("PostgreSQL did not come up: %w", err)
		}
		time.Sleep(10 * time.Millisecond) // polling
	}
}

// StopPostgres ends the PostgreSQL server as its operator does, and all connections with it. start brings it back, with
// all that it held.
func StopPostgres(t testing.TB) (start func()) {
	t.Helper()
	s := postgres(t)
	if err := s.process.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait()
	return func() {
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		Eventually(t, 30*time.Second, "PostgreSQL is back", func() bool { return s.admin.Ping() == nil })
	}
}

// PostgresPID is the process of the server, whose children serve the connections.
func PostgresPID(t testing.TB) int {
	t.Helper()
	return postgres(t).process.Process.Pid
}

// TerminateConnections ends every connection to the database of that URL, as pg_terminate_backend does. It returns how
// many there were.
func TerminateConnections(t testing.TB, url string) (n int) {
	t.Helper()
	name := url[strings.LastIndexByte(url, '/')+1:]
	if err := postgres(t).
		admin.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name).
		Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func postgresBin() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path) // the other programs are beside the real one
		return filepath.Dir(path), err
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return "", errNoPostgres
	}
	sort.Strings(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// countsStatements tells whether the library that counts statements came with the server.
func countsStatements(bin string) bool {
	postgres, err := filepath.EvalSymlinks(filepath.Join(bin, "postgres"))
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(postgres), "../lib/pg_stat_statements.so"))
	return err == nil
}

func (s *postgresServer) url(name string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s", s.port, name)
}

func (s *postgresServer) create(t testing.TB, name, template string) {
	t.Helper()
	if _, err := s.admin.Exec(
		fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", name, template),
	); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
}

func (s *postgresServer) drop(t testing.TB, name string) {
	t.Helper()
	if _, err := s.admin.Exec(fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name)); err != nil {
		t.Errorf("drop database %s: %v", name, err)
	}
}

// FreePort returns a loopback port that nobody listens on just now.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
