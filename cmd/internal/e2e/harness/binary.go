package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
)

// folder is where the binary is built, as long as a test program runs.
var folder string

// Main is TestMain of a package whose tests run commands. It removes what was built for them.
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
	raceDetector := debug.BuildSetting{Key: "-race", Value: "true"}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, raceDetector) {
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
