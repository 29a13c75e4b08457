package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// binaryFolder is where the command is built. Test programs share it: go build does nothing where it finds what it
// would build.
const binaryFolder = "../../../../bin/test"

// buildPlain builds the command wicket as it is released. A command that ends by itself starts five times as fast as
// with the race detector.
var buildPlain = sync.OnceValues(func() (string, error) {
	return build("wicket", []string{"CGO_ENABLED=0"}, "-trimpath", "-tags", "nomsgpack", "-buildvcs=false")
})

// raceFlags are those of the Makefile, which says why: with them all packages are compiled already.
var raceFlags = []string{
	"-race", "-tags=nomsgpack", "-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0",
	"-gcflags=golang.org/x/crypto/argon2=-race=false",
}

// buildServer builds the command wicket for servers: with the race detector, if the test program itself was built so.
var buildServer = sync.OnceValues(func() (string, error) {
	info, _ := debug.ReadBuildInfo()
	if !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return buildPlain()
	}
	return build("wicket-race", nil, append(raceFlags, "-buildvcs=false")...)
})

// build builds the command with flags, and with the variables besides those of the test.
func build(name string, variables []string, flags ...string) (path string, err error) {
	// Read so that go test, which keeps the results of tests whose files have not changed, knows that these count.
	if _, err := os.ReadDir("../../../wicket"); err != nil {
		return "", err
	}
	if path, err = filepath.Abs(filepath.Join(binaryFolder, name)); err != nil {
		return "", err
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	command := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags,
		[]string{"github.com/wicket-id/wicket/cmd/wicket"})...)
	command.Env = append(os.Environ(), variables...)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command wicket: %w\n%s", err, out)
	}
	return path, nil
}

// lockFile waits until no other test program has the lock.
func lockFile(path string) (unlock func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file.Close, nil
}

// binary is where the command wicket is, for a command that ends by itself.
func binary(t testing.TB) string { return built(t, buildPlain) }

// ServerBinary is where the command wicket is, for a server.
func ServerBinary(t testing.TB) string { return built(t, buildServer) }

func built(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
