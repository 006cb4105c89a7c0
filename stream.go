package hakuban

import (
	"context"
	"iter"
)

// Stream shows an object's states to one observer. It shows the newest state only: states that were replaced before they were read
// are skipped.
//
// A stream ends when the object should no longer exist, as when its last object contract closes, and when it is released, its
// contract or its exchange closed. Losing the exposer or a link does not end it while an object
// contract of this exchange, or of one below, keeps the object alive: the state stays, and its [Synchronized] says since when nobody
// vouches for it. Where only tag contracts look, the object lives as long as upstream has it, and the stream ends with the link.
//
// Next, States, Latest and Changed share one place in the succession of states, and are for one goroutine at a time.
type Stream struct {
	o *offer
}

// Object names the stream's object.
func (s *Stream) Object() Object { return s.o.object }

// States ranges over the states as [Stream.Next] returns them, until the stream or ctx ends. Leaving the loop releases nothing.
func (s *Stream) States(ctx context.Context) iter.Seq[State] {
	return func(yield func(State) bool) {
		for ctx.Err() == nil { // also when newer states keep coming
			state, err := s.Next(ctx)
			if err != nil || !yield(state) {
				return
			}
		}
	}
}

// Next returns the newest state, once it, or how current it is, differs from what was read last. It returns the context's cause
// when ctx ends first, and [ErrRevoked] or [ErrClosed] when the stream has ended or does. A state that is there already wins over a
// context that has ended.
func (s *Stream) Next(ctx context.Context) (State, error) {
	for {
		state, _, news, err := s.o.read()
		if news || err != nil {
			return state, err
		}
		select {
		case <-s.o.changed:
		case <-s.o.done:
		case <-ctx.Done():
			return State{}, context.Cause(ctx)
		}
	}
}

// Latest returns the newest state without waiting; false when the object has none yet, or the stream has ended.
func (s *Stream) Latest() (State, bool) {
	state, ok, _, _ := s.o.read()
	return state, ok
}

// Changed receives when there is something new to read, for use in select; then call [Stream.Latest]. Next receives from it too.
func (s *Stream) Changed() <-chan struct{} { return s.o.changed }

// Done is closed when the stream ends.
func (s *Stream) Done() <-chan struct{} { return s.o.done }

// Context returns a context that ends with the stream, with [ErrRevoked] or [ErrClosed] as its cause. On a stream that came from
// [ObserveContract.Streams] or [ObserveContract.Each] it is a child of the loop's context.
func (s *Stream) Context() context.Context { return s.o.context() }

// Release gives the stream back: it ends, and its contract is given another while the object lives. Releasing again does nothing.
func (s *Stream) Release() { s.o.release() }
