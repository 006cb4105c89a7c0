package hakuban

import (
	"context"
	"fmt"
	"unicode/utf8"

	"hakuban/impl"
)

// Sink takes an object's states from its elected exposer. It ends when the election goes to another, when nobody needs the object,
// and when it is released, its contract or its exchange closed.
type Sink struct {
	o *offer
}

// Object names the sink's object.
func (s *Sink) Object() Object { return s.o.object }

// Send makes a state the newest one of the object. It never waits: slow observers skip states.
//
// It returns [ErrRevoked] or [ErrClosed] when the sink has ended; [ErrStale] when the state's version is not greater than that of the one
// held (the same state again is no error); [ErrFormat], or the error of the encoding, when the state was not encoded, or a name of its
// format is not UTF-8; and [ErrTooLarge] when it exceeds a limit. The state was not taken then.
func (s *Sink) Send(state State) error {
	if err := state.check(); err != nil {
		return err
	}
	for i, name := range state.format {
		if !utf8.ValidString(name) { // a recording could not hold it
			return fmt.Errorf("%w: name %d is not UTF-8", ErrFormat, i)
		}
	}
	x := s.o.x
	x.mu.Lock()
	defer x.unlock()
	if s.o.err != nil {
		return s.o.err
	}
	input := impl.Input{Kind: impl.InputPublish, Offer: s.o.id, State: state.input(), Synchronized: impl.Synchronized{Now: true}}
	if !state.synchronized.Now() {
		input.Synchronized = impl.Synchronized{Mono: int64(state.synchronized.last.Sub(x.start))}
	}
	return x.apply(&input).err
}

// Context returns a context that ends with the sink, with [ErrRevoked] or [ErrClosed] as its cause. On a sink that came from
// [ExposeContract.Sinks] or [ExposeContract.Each] it is a child of the loop's context.
func (s *Sink) Context() context.Context { return s.o.context() }

// Done is closed when the sink ends.
func (s *Sink) Done() <-chan struct{} { return s.o.done }

// Release gives the sink back: the states it sent are no longer "synchronized now". While its contract remains the elected one
// it is given another sink at once. Releasing again does nothing.
func (s *Sink) Release() { s.o.release() }
