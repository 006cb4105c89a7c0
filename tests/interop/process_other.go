//go:build !linux

package interop

import (
	"errors"
	"os"
	"os/exec"
)

// dieWithParent is Linux only: elsewhere a test process that is killed may leave routers behind.
func dieWithParent(*exec.Cmd) {}

// pause is Linux only.
func pause(*os.Process) (goOn func() error, err error) { return nil, errors.ErrUnsupported }
