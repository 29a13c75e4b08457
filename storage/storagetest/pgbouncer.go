package storagetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// PgBouncer puts PgBouncer before the PostgreSQL database of that URL, in transaction mode and with so few connections
// that sessions are sure to share them, for as long as the test runs. It returns the URL by it.
func PgBouncer(t testing.TB, url string, connections int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // which is not in everybody's path
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("WICKET_TEST_COMPLETE") != "" {
			t.Fatal(err)
		}
		t.Skip("PgBouncer is not installed (Debian: apt-get install pgbouncer), so this test is left out")
	}
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := newPostgresFolder("wicket-pgbouncer-" + filepath.Base(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder.path) })
	config := filepath.Join(folder.path, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 500
`, postgres(t).port, port, connections)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "-q", config)
	server.SysProcAttr, server.Dir = folder.attributes, folder.path
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	if err := StartChild(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("%s", log.String())
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	Eventually(t, 10*time.Second, "PgBouncer answers", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	return fmt.Sprintf("postgres://postgres@%s%s", address, url[strings.LastIndexByte(url, '/'):])
}
