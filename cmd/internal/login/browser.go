package login

import (
	"os/exec"
	"runtime"
)

// openBrowser opens a page in the person's browser, where there is one; whether it did is not known.
func openBrowser(page string) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	command := exec.Command(opener, page)
	if command.Start() == nil {
		go func() { _ = command.Wait() }()
	}
}
