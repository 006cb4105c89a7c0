//go:build unix

package reference

import (
	"os/exec"
	"syscall"
)

// grouped makes a program the first of a group of processes.
func grouped(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends all that is left of a program's group.
func endGroup(command *exec.Cmd) { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
