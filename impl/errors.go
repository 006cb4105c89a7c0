package impl

import (
	"errors"
	"fmt"
)

// Errors of local inputs.
var (
	ErrRevoked  = errors.New("hakuban: the sink or stream was revoked or released")
	ErrStale    = errors.New("hakuban: the version is not newer than the one held")
	ErrClosed   = errors.New("hakuban: closed")
	ErrUpstream = errors.New("hakuban: the exchange has an upstream link already")
	ErrTooLarge = errors.New("hakuban: a limit is exceeded")
)

// ForbiddenError says what a peer asked for or sent without the right to. It ends
// the link.
type ForbiddenError struct {
	Link   LinkID
	Reason string
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("hakuban: link %d went beyond its rights: %s", e.Link, e.Reason)
}

// limitError is the reason for ending a link that took more than a limit allows.
type limitError string

func (e limitError) Error() string { return string(e) }

// Is is part of [errors.Is].
func (e limitError) Is(target error) bool { return target == ErrTooLarge }

// ProtocolError is a peer's fault. It ends the link. It wraps [ErrTooLarge] when
// the link took more than a limit allows.
type ProtocolError struct {
	Link    LinkID
	Reason  string
	Limited bool // the link took more than [Limits] allow
}

// Unwrap is part of [errors.Is].
func (e *ProtocolError) Unwrap() error {
	if e.Limited {
		return ErrTooLarge
	}
	return nil
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("hakuban: link %d broke the protocol: %s", e.Link, e.Reason)
}
