package server

import (
	"errors"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// What a password costs: OWASP's minimum for argon2id.
const (
	passwordMemory   = 19 * 1024 // KiB
	passwordPasses   = 2
	passwordPatience = 10 * time.Second // of one that waits to be hashed
)

// memoryShare is the part of the container's memory that Go may fill before it collects garbage at any cost. The rest
// is for what Go does not count: the files of SQLite, the kernel's buffers of connections.
const memoryShare = 0.6

// LimitMemory makes Go heed the memory limit of the container (cgroup), if there is one. GOMEMLIMIT overrides it.
func LimitMemory(log *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.FromCgroup))
	if errors.Is(err, memlimit.ErrNoCgroup) || errors.Is(err, memlimit.ErrCgroupsNotSupported) {
		return
	}
	if err != nil {
		log.Warn("the memory limit of the container is not known; set GOMEMLIMIT", "error", err)
		return
	}
	log.Debug("memory limit", "bytes", limit)
}

// passwordSlots is how many passwords are hashed at once: one for each core, as long as together they take no more than
// a third of the memory, which they fill again and again before it is collected.
func passwordSlots() int {
	const each = passwordMemory << 10
	fit := debug.SetMemoryLimit(-1) / 3 / each
	return int(max(1, min(int64(runtime.GOMAXPROCS(0)), fit)))
}
