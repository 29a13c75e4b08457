package operation

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// An address that is taken is noticed before there is a database, and both addresses are named at once.
func TestAddressesAreTakenFirst(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().String()
	folder := t.TempDir()
	line, _ := harness.NewCommandLine(t, "sqlite:"+folder+"/deep/wicket.db")
	p := append(line, "WICKET_LISTEN="+taken, "WICKET_METRICS_LISTEN="+taken).Run(t, "", "serve")
	told := p.ErrOut.String()
	if p.ProcessState.ExitCode() != 1 || !strings.Contains(told, "WICKET_LISTEN: listen tcp "+taken) ||
		!strings.Contains(told, "WICKET_METRICS_LISTEN: listen tcp "+taken) {
		t.Errorf("%s\n%s", p.ProcessState, told)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Errorf("it made %v, %v", files, err)
	}
}

// A second signal ends the drain, and the server stops as it does after one.
func TestASecondSignalEndsTheDrain(t *testing.T) {
	t.Parallel()
	line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	server := append(line, "WICKET_DRAIN=10m").Serve(t, issuer)
	terminate := func() {
		t.Helper()
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	terminate()
	storagetest.Eventually(t, 10*time.Second, "it drains", func() bool {
		response, err := http.Get(issuer + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	})
	began := time.Now()
	terminate()
	if err := server.Wait(); err != nil || time.Since(began) > 15*time.Second {
		t.Errorf("after %s: %v\n%s", time.Since(began), err, &server.ErrOut)
	}
}

// A client that sends slowly does not make the end a failure.
func TestASlowClientIsCutOffAtTheEnd(t *testing.T) {
	t.Parallel()
	line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	server := line.Serve(t, issuer)
	host := strings.TrimPrefix(issuer, "http://")
	slow, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	const head = "POST /token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: 100\r\n\r\ngrant"
	if _, err := fmt.Fprintf(slow, head, host); err != nil {
		t.Fatal(err)
	}
	// The server has seen this request when it has answered another one that came later.
	(&harness.Server{Issuer: issuer}).NewBrowser(t).Get(t, "/sign-in")
	server.Interrupt(t)
	if log := server.ErrOut.String(); !strings.Contains(log, "requests were cut off") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}
