//go:build unix

package main

import (
	"fmt"
	"syscall"
)

// readiness is a file descriptor that becomes readable, once: the end of a pipe.
type readiness struct {
	descriptor int
	writer     int // -1: signalled
}

func newReadiness() (*readiness, error) {
	var ends [2]int
	syscall.ForkLock.RLock() // no program that Go starts inherits them
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return nil, &failure{statusFailed, fmt.Sprintf("no pipe can be made: %v", err)}
	}
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])
	return &readiness{descriptor: ends[0], writer: ends[1]}, nil
}

// signal makes the descriptor readable. The byte is there for hosts who look for data and not for the end of it.
func (r *readiness) signal() {
	if r.writer < 0 {
		return
	}
	_, _ = syscall.Write(r.writer, []byte{0}) // an empty pipe takes a byte
	_ = syscall.Close(r.writer)
	r.writer = -1
}

func (r *readiness) close() {
	r.signal()
	_ = syscall.Close(r.descriptor)
}
