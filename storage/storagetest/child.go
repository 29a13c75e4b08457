package storagetest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// StartChild starts a server that gets signal when this process ends, however it ends.
func StartChild(command *exec.Cmd, signal syscall.Signal) error {
	attributes := &syscall.SysProcAttr{}
	if command.SysProcAttr != nil {
		*attributes = *command.SysProcAttr
	}
	attributes.Pdeathsig = signal
	command.SysProcAttr = attributes
	started := make(chan error)
	go func() {
		// The signal comes when the thread that started the child ends, so this one never does.
		runtime.LockOSThread()
		started <- command.Start()
		select {}
	}()
	return <-started
}
