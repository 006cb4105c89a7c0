package hakuban

import (
	"errors"
	"fmt"

	"hakuban/impl"
)

// Errors of the methods of this package. Compare with errors.Is; the error returned may say more.
var (
	// ErrClosed: the exchange, contract or link was closed.
	ErrClosed = impl.ErrClosed

	// ErrRevoked: the sink or stream has ended, because another exposer was elected, nobody needs the object any more, or it
	// was released. Ask the contract for the next one.
	ErrRevoked = impl.ErrRevoked

	// ErrStale: the state sent has a version that is not greater than the one this exchange holds. Nothing was changed.
	ErrStale = impl.ErrStale

	// ErrUpstream: the exchange has, or is promised, another link to an upstream. A tree has one root.
	ErrUpstream = impl.ErrUpstream

	// ErrLoop: the link would close the tree to a ring, in which this exchange is downstream of itself.
	ErrLoop = errors.New("hakuban: a loop: the way to the root leads back to this exchange")

	// ErrTooLarge: what was asked for exceeds a limit of [Limits].
	ErrTooLarge = impl.ErrTooLarge

	// ErrFormat: a state is not in the format that was asked for, was never encoded, or its format has a name that is not UTF-8.
	ErrFormat = errors.New("hakuban: wrong format")

	// ErrDescriptor: something does not name an object or a tag.
	ErrDescriptor = errors.New("hakuban: not a descriptor")
)

// ProtocolError is a peer's fault: the peer sent what the protocol does not allow. It ends the peer's link, and touches nothing else.
type ProtocolError struct {
	Link   uint64 // the [Link.ID] of the link that ended
	Reason string // what the peer did, for a person to read
}

// Error implements error.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("hakuban: link %d broke the protocol: %s", e.Link, e.Reason)
}

// ForbiddenError is a peer's fault: the peer asked for, or sent, what its [Rights] do not allow. It ends the peer's link, and touches
// nothing else.
type ForbiddenError struct {
	Link   uint64 // the [Link.ID] of the link that ended
	Reason string // what the peer did, for a person to read
}

// Error implements error.
func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("hakuban: link %d went beyond its rights: %s", e.Link, e.Reason)
}

// linkError is the reason for which the core ended a link, as users see it.
func linkError(err error) error {
	var protocol *impl.ProtocolError
	var forbidden *impl.ForbiddenError
	switch {
	case errors.As(err, &protocol):
		return &ProtocolError{uint64(protocol.Link), protocol.Reason}
	case errors.As(err, &forbidden):
		return &ForbiddenError{uint64(forbidden.Link), forbidden.Reason}
	}
	return err
}
