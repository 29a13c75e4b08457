package storagetest

import (
	"syscall"
	"time"
)

// Computed is for how long this process has computed so far. What is bounded by it holds on a machine, too, that is
// busy with other things.
func Computed() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // only for other arguments
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
