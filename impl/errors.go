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

// ProtocolError is a peer's fault. It ends the link.
type ProtocolError struct {
	Link   LinkID
	Reason string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("hakuban: link %d broke the protocol: %s", e.Link, e.Reason)
}
