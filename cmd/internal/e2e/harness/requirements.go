package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// LeaveOut skips a test for which this machine lacks something, and says what. Under `make test`
// (WICKET_TEST_COMPLETE=1) nothing may be left out, so there it fails.
func LeaveOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("WICKET_TEST_COMPLETE") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// ClientsFolder holds programs for Node.js, and for Python in a folder of their own, that stand for apps and for
// providers, as seen from the folder of a test package.
const ClientsFolder = "../testdata/clients"

// NeedNPMPackages leaves the test out where the npm packages of ClientsFolder are not installed.
func NeedNPMPackages(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(ClientsFolder, "node_modules")); errors.Is(err, fs.ErrNotExist) {
		LeaveOut(
			t,
			"the npm packages of the test clients are not installed (make test does it, or: npm ci in cmd/internal/e2e/testdata/clients)",
		)
	}
}

// NeedPythonPackages leaves the test out where the Python packages of ClientsFolder are not installed.
func NeedPythonPackages(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(ClientsFolder, "python", ".venv", "complete")); errors.Is(err, fs.ErrNotExist) {
		LeaveOut(t, "the Python packages of the test clients are not installed (make test does it)")
	}
}

// OAuth2Proxy returns the path of the program oauth2-proxy, and leaves the test out where it is not installed.
func OAuth2Proxy(t testing.TB) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "bin", "oauth2-proxy")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		LeaveOut(t, "oauth2-proxy is not installed (make test does it, or: make bin/oauth2-proxy)")
	}
	return path
}
