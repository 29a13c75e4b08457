package server

import (
	"errors"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/wicket-id/wicket/identity/password"
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

// newHashers return what hashes passwords: as many at once as there are cores, as long as together they take no more
// than a third of the memory, and half as many for browsers that are known. As much again may wait to be collected.
func newHashers() (hasher, known *password.Hasher) {
	const each = passwordMemory << 10
	fit := max(1, debug.SetMemoryLimit(-1)/3/each)
	slots := int(min(int64(runtime.GOMAXPROCS(0)), fit))
	hasher = password.NewHasher(passwordMemory, passwordPasses, slots, passwordPatience)
	hasher.BoundGarbage(fit)
	return hasher, hasher.Beside((slots + 1) / 2)
}
