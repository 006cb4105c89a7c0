//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"

	"hakuban"
)

// status is what became of a call, in the numbers of hakuban.h.
type status uint8

const (
	statusOK              status = 0
	statusPointer         status = 1
	statusPending         status = 2
	statusEndOfStream     status = 3
	statusInvalidString   status = 4
	statusInvalidJSON     status = 5
	statusInvalidURL      status = 6
	statusLogger          status = 8
	statusInvalidHandle   status = 64
	statusInvalidArgument status = 65
	statusInternal        status = 67
	statusClosed          status = 68
	statusStale           status = 69
	statusTooLarge        status = 70
	statusHasUpstream     status = 71
	statusFailed          status = 72
)

// result is what a call returns. Its error is the last one of the calling thread from then on, also beside statusOK.
type result struct {
	status status
	handle handle // with statusPointer
	err    error
}

// failure is an error with its status.
type failure struct {
	status status
	text   string
}

func (f *failure) Error() string { return f.text }

func failed(status status, format string, arguments ...any) error {
	return &failure{status, fmt.Sprintf(format, arguments...)}
}

// statusOf says which status tells of an error.
func statusOf(err error) status {
	var own *failure
	var network *net.OpError
	switch {
	case err == nil:
		return statusOK
	case errors.As(err, &own):
		return own.status
	case errors.Is(err, hakuban.ErrRevoked):
		return statusEndOfStream
	case errors.Is(err, hakuban.ErrClosed):
		return statusClosed
	case errors.Is(err, hakuban.ErrStale):
		return statusStale
	case errors.Is(err, hakuban.ErrTooLarge):
		return statusTooLarge
	case errors.Is(err, hakuban.ErrUpstream):
		return statusHasUpstream
	case errors.Is(err, hakuban.ErrDescriptor):
		return statusInvalidJSON
	case errors.Is(err, hakuban.ErrFormat):
		return statusInvalidString
	case errors.As(err, &network):
		return statusFailed
	}
	return statusInvalidArgument
}

func resultOf(err error) result { return result{status: statusOf(err), err: err} }

// added gives a value a handle, as a result.
func added(value any, kind kind) result {
	h, err := handles.add(value, kind)
	if err != nil {
		return resultOf(err)
	}
	return result{status: statusPointer, handle: h}
}

// guarded calls f, and makes a result of a panic: the host is never unwound.
func guarded(f func() result) (r result) {
	defer func() {
		if reason := recover(); reason != nil {
			r = resultOf(failed(statusInternal, "a fault of the library: %v", reason))
		}
	}()
	return f()
}
