package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memoryGroups are where control groups for memory may be made, and the file that holds the limit: versions 2 and 1.
var memoryGroups = []struct{ folder, limit string }{
	{"/sys/fs/cgroup", "memory.max"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
}

// MemoryGroup makes a control group whose processes get no more than that many bytes of memory, and returns its folder.
// A test that cannot make one, which takes root, is left out.
func MemoryGroup(t testing.TB, bytes int) string {
	t.Helper()
	for _, of := range memoryGroups {
		group := filepath.Join(of.folder, fmt.Sprintf("wicket-test-%d-%d", os.Getpid(), FreePort(t)))
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(group) })
		// Not made if it is not there: the folder may be one of an ordinary file system.
		limit, err := os.OpenFile(filepath.Join(group, of.limit), os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		_, err = limit.WriteString(strconv.Itoa(bytes))
		if errors.Join(err, limit.Close()) == nil {
			return group
		}
	}
	LeaveOut(t, "no control group with a memory limit can be made here; it takes root")
	return ""
}

// StartReleased starts wicket serve as it is released, in a control group, and waits until it answers.
func (l CommandLine) StartReleased(t testing.TB, issuer, group string) *Process {
	t.Helper()
	p := l.prepare(t, "/bin/sh", []string{
		"-c", `echo $$ > "$1/cgroup.procs" && exec "$2" serve`, "sh", group, binary(t),
	})
	return p.start(t, issuer+"/readyz")
}

// PeakMemory is the most memory that the process has had, in bytes.
func (p *Process) PeakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
