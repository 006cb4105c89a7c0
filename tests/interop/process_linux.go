package interop

import (
	"os/exec"
	"syscall"
)

// dieWithParent covers the ends of a test process that run no cleanup, such as go test's timeout.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
