package interop

import (
	"fmt"
	"testing"
	"time"
)

// Contract is a contract of a peer.
type Contract struct {
	peer *Peer
	name string
	last *Sink // that was offered
}

// Option changes how a contract is opened.
type Option func(command)

// Capacity sets an exposer's capacity; the crate's default is 1.
func Capacity(capacity uint32) Option {
	return func(c command) { c["capacity"] = capacity }
}

// ManualTake makes the contract hand out sinks or streams only as Take allows.
func ManualTake(c command) { c["take"] = "manual" }

// ManualRead makes the contract's streams read states only as Stream.Allow allows.
func ManualRead(c command) { c["read"] = "manual" }

// Keep makes the peer hold revoked sinks and closed streams until they are dropped by the test.
func Keep(c command) { c["keep"] = true }

// ObserveObject opens a contract to see one object.
func (p *Peer) ObserveObject(object Object, options ...Option) *Contract {
	p.t.Helper()
	return p.open("observe", "object", object.fields(), options)
}

// ExposeObject opens a contract to produce one object.
func (p *Peer) ExposeObject(object Object, options ...Option) *Contract {
	p.t.Helper()
	return p.open("expose", "object", object.fields(), options)
}

// ObserveTag opens a contract to see every live object with the tag, given as JSON text.
func (p *Peer) ObserveTag(tag string, options ...Option) *Contract {
	p.t.Helper()
	return p.open("observe", "tag", tag, options)
}

// ExposeTag opens a contract to produce any wanted object with the tag, given as JSON text.
func (p *Peer) ExposeTag(tag string, options ...Option) *Contract {
	p.t.Helper()
	return p.open("expose", "tag", tag, options)
}

func (o Object) fields() command {
	tags := o.Tags
	if tags == nil {
		tags = []string{}
	}
	return command{"tags": tags, "json": o.JSON}
}

func (p *Peer) open(kind, target string, id any, options []Option) *Contract {
	p.t.Helper()
	contract := &Contract{peer: p, name: fmt.Sprintf("%s-%s-%d", kind, target, p.lastID+1)}
	c := command{"do": "open", "contract": contract.name, "kind": kind, target: id}
	for _, option := range options {
		option(c)
	}
	p.do(c, nil)
	return contract
}

// Drop ends the contract.
func (c *Contract) Drop() {
	c.peer.t.Helper()
	c.peer.do(command{"do": "drop-contract", "contract": c.name}, nil)
}

// Take lets a contract opened with ManualTake hand out this many more sinks or streams.
func (c *Contract) Take(count int) {
	c.peer.t.Helper()
	c.peer.do(command{"do": "take", "contract": c.name, "count": count}, nil)
}

// Sink waits for the contract's next sink.
func (c *Contract) Sink() *Sink {
	c.peer.t.Helper()
	return c.sink(c.peer.wait(c.name+": sink", c.is("sink-offered")))
}

// SinkOf waits for the contract's next sink of the object.
func (c *Contract) SinkOf(object Object) *Sink {
	c.peer.t.Helper()
	offered := c.is("sink-offered")
	return c.sink(c.peer.wait(fmt.Sprintf("%s: sink of %v", c.name, object), func(e event) bool {
		return offered(e) && e.object().Equal(object)
	}))
}

// NoSink fails if the contract is offered a sink within the time.
func (c *Contract) NoSink(within time.Duration) {
	c.peer.t.Helper()
	c.peer.never("a sink", within, c.is("sink-offered"))
}

// Stream waits for the contract's next stream.
func (c *Contract) Stream() *Stream {
	c.peer.t.Helper()
	return c.stream(c.peer.wait(c.name+": stream", c.is("stream-opened")))
}

// StreamOf waits for the contract's next stream of the object.
func (c *Contract) StreamOf(object Object) *Stream {
	c.peer.t.Helper()
	opened := c.is("stream-opened")
	return c.stream(c.peer.wait(fmt.Sprintf("%s: stream of %v", c.name, object), func(e event) bool {
		return opened(e) && e.object().Equal(object)
	}))
}

// NoStream fails if the contract is given a stream within the time.
func (c *Contract) NoStream(within time.Duration) {
	c.peer.t.Helper()
	c.peer.never("a stream", within, c.is("stream-opened"))
}

func (c *Contract) is(name string) func(event) bool {
	return func(e event) bool { return e.Event == name && e.Contract == c.name }
}

func (c *Contract) sink(e event) *Sink {
	c.last = &Sink{peer: c.peer, id: e.Sink, Object: e.object()}
	return c.last
}

func (c *Contract) stream(e event) *Stream {
	return &Stream{peer: c.peer, id: e.Stream, Object: e.object()}
}

// Deliver publishes a state until an observe contract shows it as current, and returns the stream that does; see [Contract.PublishUntil].
func Deliver(expose, observe *Contract, state State) *Stream {
	expose.peer.t.Helper()
	var shown event
	expose.PublishUntil(state, observe.name+" shows it", func() (ok bool) {
		shown, ok = observe.peer.take(observe.is("state"))
		return ok && shown.state().SameData(state) && shown.state().Now()
	})
	return &Stream{peer: observe.peer, id: shown.Stream}
}

// PublishUntil publishes a state on the sink that the contract has, and on each that it is offered, until a condition holds.
// It is for moments when contracts or links have just changed: the tree may then offer a sink, revoke it and offer another
// before it is at rest.
func (c *Contract) PublishUntil(state State, what string, condition func() bool) {
	c.peer.t.Helper()
	publish := func() {
		attempt := state
		// A refusal means that the sink was revoked, and that another will follow.
		_ = c.last.TrySend(&attempt)
	}
	if c.last != nil {
		publish()
	}
	eventually(c.peer.t, func() string { return fmt.Sprintf("%s published %v, and not yet: %s", c.name, state, what) }, func() bool {
		if e, ok := c.peer.take(c.is("sink-offered")); ok {
			c.sink(e)
			publish()
		}
		return condition()
	})
}

// Publish sends a state on the first sink offered that takes it.
func (c *Contract) Publish(state State) {
	c.peer.t.Helper()
	for c.Sink().TrySend(&state) != nil {
	}
}

// eventually waits for a condition that no single event tells.
func eventually(t testing.TB, explain func() string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(Deadline); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s, after %v", explain(), Deadline)
		}
	}
}

// Sink is a sink that a contract was offered.
type Sink struct {
	Object Object
	peer   *Peer
	id     uint64
}

// Send publishes a state and returns it with the version it was sent with.
func (s *Sink) Send(state State) State {
	s.peer.t.Helper()
	if err := s.TrySend(&state); err != nil {
		s.peer.t.Fatalf("%s: send %v: %v", s.peer.name, state, err)
	}
	return state
}

// TrySend is Send where the sink may have been revoked. It fills in a default version.
func (s *Sink) TrySend(state *State) error {
	s.peer.t.Helper()
	c := command{"do": "send", "sink": s.id, "data": state.Data, "format": state.Format, "synchronized": state.SynchronizedMicros}
	if state.Data == nil {
		c["data"] = ""
	}
	if state.Format == nil {
		c["format"] = []string{}
	}
	if state.Version != nil {
		c["version"] = state.Version
	}
	var answer struct{ Version []int64 }
	err := s.peer.try(c, &answer)
	if err == nil {
		state.Version = answer.Version
	}
	return err
}

// Drop releases the sink.
func (s *Sink) Drop() {
	s.peer.t.Helper()
	s.peer.do(command{"do": "drop-sink", "sink": s.id}, nil)
}

// WaitRevoked waits until the sink is revoked.
func (s *Sink) WaitRevoked() {
	s.peer.t.Helper()
	s.peer.wait(fmt.Sprintf("revocation of sink %d", s.id), s.revoked)
}

// NotRevoked fails if the sink is revoked within the time.
func (s *Sink) NotRevoked(within time.Duration) {
	s.peer.t.Helper()
	s.peer.never(fmt.Sprintf("revocation of sink %d", s.id), within, s.revoked)
}

func (s *Sink) revoked(e event) bool { return e.Event == "sink-revoked" && e.Sink == s.id }

// Stream is a stream that a contract was given.
type Stream struct {
	Object Object // unset on one that Deliver returned
	peer   *Peer
	id     uint64
}

// Next waits for the next state on the stream.
func (s *Stream) Next() State {
	s.peer.t.Helper()
	return s.peer.wait(fmt.Sprintf("state on stream %d", s.id), s.isState).state()
}

// Wait reads the stream until a state matches, and returns that one.
func (s *Stream) Wait(what string, matches func(State) bool) State {
	s.peer.t.Helper()
	var found State
	s.peer.await(fmt.Sprintf("state on stream %d: %s", s.id, what), func() bool {
		for {
			e, ok := s.peer.takeLocked(s.isState)
			if !ok {
				return false
			}
			if found = e.state(); matches(found) {
				return true
			}
		}
	})
	return found
}

// WaitFor reads the stream until it shows the state; a state wanted as last-at may be older by then.
func (s *Stream) WaitFor(want State) State {
	s.peer.t.Helper()
	return s.Wait(want.String(), func(got State) bool {
		return got.SameData(want) && got.Now() == want.Now() && got.SynchronizedMicros >= want.SynchronizedMicros
	})
}

// WaitData reads the stream until it shows the state's version, format and data, with either flag.
func (s *Stream) WaitData(want State) State {
	s.peer.t.Helper()
	return s.Wait("the data of "+want.String(), want.SameData)
}

// WaitLastAt reads the stream until it shows the same data as no longer current.
func (s *Stream) WaitLastAt(want State) State {
	s.peer.t.Helper()
	return s.Wait("no longer current: "+want.String(), func(got State) bool { return got.SameData(want) && !got.Now() })
}

// NeverShows fails if a matching state has arrived on the stream or does within the time.
func (s *Stream) NeverShows(what string, within time.Duration, matches func(State) bool) {
	s.peer.t.Helper()
	s.peer.never(what, within, func(e event) bool { return s.isState(e) && matches(e.state()) })
}

// Allow lets a stream of a contract opened with ManualRead read this many more states.
func (s *Stream) Allow(count int) {
	s.peer.t.Helper()
	s.peer.do(command{"do": "read", "stream": s.id, "count": count}, nil)
}

// Drop releases the stream.
func (s *Stream) Drop() {
	s.peer.t.Helper()
	s.peer.do(command{"do": "drop-stream", "stream": s.id}, nil)
}

// WaitClosed waits until the stream ends.
func (s *Stream) WaitClosed() {
	s.peer.t.Helper()
	s.peer.wait(fmt.Sprintf("end of stream %d", s.id), func(e event) bool { return e.Event == "stream-closed" && e.Stream == s.id })
}

// NotClosed fails if the stream ends within the time.
func (s *Stream) NotClosed(within time.Duration) {
	s.peer.t.Helper()
	s.peer.never(fmt.Sprintf("end of stream %d", s.id), within, func(e event) bool { return e.Event == "stream-closed" && e.Stream == s.id })
}

func (s *Stream) isState(e event) bool { return e.Event == "state" && e.Stream == s.id }
