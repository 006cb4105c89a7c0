//go:build !unix

package reference

import "os/exec"

// The suite itself needs a Unix: it sends its routers signals.

func grouped(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}
