package storagetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// inMemory is where files go that nobody has to find after a crash of the machine: a file system in memory, if there is
// one, where to write to the disk takes no time.
func inMemory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && !isDurable() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// newFolder makes a folder whose name begins so, for as long as this process lives. The name must be another one each
// time.
func newFolder(base, name string) (path string, err error) {
	removeStale(base)
	path = filepath.Join(base, fmt.Sprintf("%s-%d", name, os.Getpid()))
	return path, os.Mkdir(path, 0o700)
}

// removeStale removes the folders of test programs that are gone: a program cannot clean up after its own end.
func removeStale(base string) {
	servers, _ := filepath.Glob(filepath.Join(base, "wicket-postgres-*"))
	files, _ := filepath.Glob(filepath.Join(base, "wicket-sqlite-*"))
	for _, folder := range append(servers, files...) {
		pid, err := strconv.Atoi(folder[strings.LastIndex(folder, "-")+1:])
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(folder)
		}
	}
}
