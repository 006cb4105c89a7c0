package interop

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hakuban"
)

// LibraryExposer is an expose contract of our library.
type LibraryExposer struct {
	*hakuban.ExposeContract
	library *Library
}

// Sink waits for the contract's next sink.
func (e *LibraryExposer) Sink() *LibrarySink {
	e.library.t.Helper()
	sink, err := e.Next(within(e.library.t))
	if err != nil {
		e.library.t.Fatalf("%s: next sink: %v", e.library.name, err)
	}
	return &LibrarySink{sink, e.library}
}

// NoSink fails if the contract is given a sink within the time.
func (e *LibraryExposer) NoSink(within time.Duration) {
	e.library.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if sink, err := e.Next(ctx); err == nil {
		e.library.t.Fatalf("%s: sink of %v, expected none", e.library.name, sink.Object())
	}
}

// LibrarySink is a sink of our library.
type LibrarySink struct {
	*hakuban.Sink
	library *Library
}

// libraryState is a state in our library's terms.
func libraryState(state State) hakuban.State {
	built := hakuban.NewState(state.Data).WithFormat(state.Format...).WithVersion(state.Version...)
	if !state.Now() {
		built = built.WithSynchronized(hakuban.LastAt(time.Now().Add(-time.Duration(state.SynchronizedMicros) * time.Microsecond)))
	}
	return built
}

// Send publishes a state, which must be taken, and returns it.
func (s *LibrarySink) Send(state State) State {
	s.library.t.Helper()
	if err := s.Sink.Send(libraryState(state)); err != nil {
		s.library.t.Fatalf("%s: send %v: %v", s.library.name, state, err)
	}
	return state
}

// WaitRevoked waits until the sink is revoked, and checks that whoever uses it is told.
func (s *LibrarySink) WaitRevoked() {
	s.library.t.Helper()
	s.library.waitEnd("a sink", s.Done())
	s.refuses(hakuban.ErrRevoked)
}

// refuses checks that the sink has ended for a reason.
func (s *LibrarySink) refuses(reason error) {
	s.library.t.Helper()
	if err := s.Sink.Send(libraryState(NewState("too late", 1_000_000))); !errors.Is(err, reason) {
		s.library.t.Errorf("%s: send on an ended sink: %v, expected %v", s.library.name, err, reason)
	}
	if cause := context.Cause(s.Context()); !errors.Is(cause, reason) {
		s.library.t.Errorf("%s: an ended sink's context says %v, expected %v", s.library.name, cause, reason)
	}
}

// LibraryObserver is an observe contract of our library.
type LibraryObserver struct {
	*hakuban.ObserveContract
	library *Library
}

// Stream waits for the contract's next stream, and reads it.
func (o *LibraryObserver) Stream() *LibraryStream {
	o.library.t.Helper()
	stream, err := o.Next(within(o.library.t))
	if err != nil {
		o.library.t.Fatalf("%s: next stream: %v", o.library.name, err)
	}
	return o.read(stream)
}

func (o *LibraryObserver) read(stream *hakuban.Stream) *LibraryStream {
	s := &LibraryStream{Stream: stream, library: o.library, changed: make(chan struct{})}
	go s.read()
	return s
}

// Follow is [Deliver] to an observer of ours: it returns the stream that shows the state.
func (o *LibraryObserver) Follow(expose *Contract, state State) (stream *LibraryStream) {
	o.library.t.Helper()
	expose.PublishUntil(state, o.library.name+" shows it", func() bool {
		if stream != nil && stream.Context().Err() != nil {
			stream.Release()
			stream = nil
		}
		if stream == nil {
			next, offered := o.TryNext()
			if !offered {
				return false
			}
			stream = o.read(next)
		}
		_, shown := stream.take(func(got State) bool { return got.SameData(state) && got.Now() })
		return shown
	})
	return stream
}

// NoStream fails if the contract is given a stream within the time.
func (o *LibraryObserver) NoStream(within time.Duration) {
	o.library.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if stream, err := o.Next(ctx); err == nil {
		o.library.t.Fatalf("%s: stream of %v, expected none", o.library.name, stream.Object())
	}
}

// LibraryStream is a stream of our library that is read as fast as it goes.
type LibraryStream struct {
	*hakuban.Stream
	library *Library

	mutex   sync.Mutex
	states  []State       // not waited for yet
	changed chan struct{} // closed and replaced whenever one is read
}

func (s *LibraryStream) read() {
	checks := make(streamChecks)
	for state := range s.States(context.Background()) {
		e := event{Event: "state", Contract: s.library.name, Data: state.Data(), Format: state.Format(), Version: slices.Clone(state.Version())}
		if synchronized := state.Synchronized(); !synchronized.Now() {
			e.Synchronized = max(1, uint64(synchronized.Ago().Microseconds()))
		}
		if violation := checks.observe(e); violation != "" {
			s.library.t.Error(violation)
		}
		s.mutex.Lock()
		s.states = append(s.states, e.state())
		close(s.changed)
		s.changed = make(chan struct{})
		s.mutex.Unlock()
	}
}

// take returns the first state that matches, if it was read, and forgets those before it.
func (s *LibraryStream) take(matches func(State) bool) (State, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if i := slices.IndexFunc(s.states, matches); i >= 0 {
		found := s.states[i]
		s.states = s.states[i+1:]
		return found, true
	}
	return State{}, false
}

// Wait reads until a state matches, and returns that one.
func (s *LibraryStream) Wait(what string, matches func(State) bool) State {
	s.library.t.Helper()
	timeout := time.After(Deadline)
	for {
		s.mutex.Lock()
		changed := s.changed
		s.mutex.Unlock()
		if found, ok := s.take(matches); ok {
			return found
		}
		select {
		case <-changed:
		case <-timeout:
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.library.t.Fatalf("%s: no %s within %v; states not waited for: %v", s.library.name, what, Deadline, s.states)
		}
	}
}

// WaitFor reads until the stream shows the state; a state wanted as last-at may be older by then.
func (s *LibraryStream) WaitFor(want State) State {
	s.library.t.Helper()
	return s.Wait(want.String(), func(got State) bool {
		return got.SameData(want) && got.Now() == want.Now() && got.SynchronizedMicros >= want.SynchronizedMicros
	})
}

// WaitLastAt reads until the stream shows the same data as no longer current.
func (s *LibraryStream) WaitLastAt(want State) State {
	s.library.t.Helper()
	return s.Wait("no longer current: "+want.String(), func(got State) bool { return got.SameData(want) && !got.Now() })
}

// NeverShows fails if a matching state is read within the time.
func (s *LibraryStream) NeverShows(what string, within time.Duration, matches func(State) bool) {
	s.library.t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found, ok := s.take(matches); ok {
			s.library.t.Fatalf("%s: %v, expected never to see %s", s.library.name, found, what)
		}
	}
}

// WaitEnd waits until the stream ends, and checks the reason.
func (s *LibraryStream) WaitEnd(reason error) {
	s.library.t.Helper()
	s.library.waitEnd("a stream", s.Done())
	if cause := context.Cause(s.Context()); !errors.Is(cause, reason) {
		s.library.t.Errorf("%s: the stream ended with %v, expected %v", s.library.name, cause, reason)
	}
}

// Producer publishes what it is given on every sink of its contract, as an application does: a tree whose contracts or links have
// just changed may offer a sink, revoke it and offer another before it is at rest.
type Producer struct {
	mutex   sync.Mutex
	state   State
	changed chan struct{}
	held    atomic.Int32
}

// Produce begins to publish a state.
func (e *LibraryExposer) Produce(state State) *Producer {
	p := &Producer{state: state, changed: make(chan struct{})}
	go e.Each(context.Background(), func(ctx context.Context, sink *hakuban.Sink) {
		p.held.Add(1)
		defer p.held.Add(-1)
		for {
			p.mutex.Lock()
			state, changed := p.state, p.changed
			p.mutex.Unlock()
			err := sink.Send(libraryState(state))
			if err != nil && ctx.Err() == nil && !errors.Is(err, hakuban.ErrStale) && !errors.Is(err, hakuban.ErrRevoked) && !errors.Is(err, hakuban.ErrClosed) {
				e.library.t.Errorf("%s: send %v: %v", e.library.name, state, err)
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return p
}

// Set replaces the state.
func (p *Producer) Set(state State) State {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.state = state
	close(p.changed)
	p.changed = make(chan struct{})
	return state
}

// count returns how many sinks there are now.
func (p *Producer) count() int { return int(p.held.Load()) }
