//go:build !linux

package interop

import "os/exec"

// dieWithParent is Linux only: elsewhere a test process that is killed may leave routers behind.
func dieWithParent(*exec.Cmd) {}
