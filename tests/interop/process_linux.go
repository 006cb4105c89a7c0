package interop

import (
	"os"
	"os/exec"
	"syscall"
)

// dieWithParent covers the ends of a test process that run no cleanup, such as go test's timeout.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// pause stops a process, which then is silent, until it is to go on.
func pause(p *os.Process) (goOn func() error, err error) {
	return func() error { return p.Signal(syscall.SIGCONT) }, p.Signal(syscall.SIGSTOP)
}
