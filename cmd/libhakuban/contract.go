//go:build unix

package main

import (
	"context"
	"sync"

	"hakuban"
)

// contract is behind a handle of a contract of any kind.
type contract struct {
	owner
	take        func(ctx context.Context) (any, kind, error) // the next sink or stream
	setCapacity func(uint32) error                           // nil: it observes
	close       func()
}

func newContract(kind kind, exchangeHandle, descriptor handle, capacity uint32) (handle, error) {
	x, err := lookup[*hakuban.Exchange](&handles, exchangeHandle, kindExchange)
	if err != nil {
		return 0, err
	}
	var c *contract
	switch kind {
	case kindObjectObserve, kindObjectExpose:
		named, err := lookup[*object](&handles, descriptor, kindObject)
		if err != nil {
			return 0, err
		}
		if kind == kindObjectObserve {
			c, err = observing(x.ObserveObject(named.Object))
		} else {
			c, err = exposing(x.ExposeObject(named.Object, hakuban.Capacity(capacity)))
		}
		return addContract(c, kind, err)
	default:
		named, err := lookup[*tag](&handles, descriptor, kindTag)
		if err != nil {
			return 0, err
		}
		if kind == kindTagObserve {
			c, err = observing(x.ObserveTag(named.Tag))
		} else {
			c, err = exposing(x.ExposeTag(named.Tag, hakuban.Capacity(capacity)))
		}
		return addContract(c, kind, err)
	}
}

func addContract(c *contract, kind kind, err error) (handle, error) {
	if err != nil {
		return 0, err
	}
	h, err := handles.add(c, kind)
	if err != nil {
		c.close()
	}
	return h, err
}

func observing(c *hakuban.ObserveContract) (*contract, error) {
	take := func(ctx context.Context) (any, kind, error) {
		s, err := c.Next(ctx)
		return &stream{stream: s}, kindStream, err
	}
	return &contract{take: take, close: c.Close}, c.Err()
}

func exposing(c *hakuban.ExposeContract) (*contract, error) {
	take := func(ctx context.Context) (any, kind, error) {
		s, err := c.Next(ctx)
		return &sink{sink: s}, kindSink, err
	}
	return &contract{take: take, setCapacity: c.SetCapacity, close: c.Close}, c.Err()
}

func (c *contract) drop() {
	c.closeAll()
	c.close()
}

// next gives the host a future of the contract's next sink or stream.
func (c *contract) next() (handle, error) {
	return c.open(func(ctx context.Context) result {
		value, kind, err := c.take(ctx)
		if err != nil {
			return pendingOr(ctx, err)
		}
		return added(value, kind)
	}, discardHandle)
}

// discardHandle drops what nobody was given. A contract gives a sink or a stream that was dropped again.
func discardHandle(r result) { _ = drop(r.handle, r.handle.kind()) } // it was added and told to nobody

func setCapacity(h handle, kind kind, capacity uint32) error {
	c, err := lookup[*contract](&handles, h, kind)
	if err != nil {
		return err
	}
	return c.setCapacity(capacity)
}

// stream is behind a handle of a stream.
//
// Several goroutines may read it at a time: those of the host's futures, and those of futures that were dropped and have not noticed
// yet. What one of these reads it gives back.
//
// Invariant: what is given back is given out again, unless something newer was read. The host never sees an older state after a newer.
type stream struct {
	owner
	stream *hakuban.Stream

	mu    sync.Mutex
	reads uint64 // how many states were read
	back  *state // the one read last, given back; nil: it was not
}

func (s *stream) next() (handle, error) {
	return s.open(func(ctx context.Context) result {
		read, err := s.read(ctx)
		if err != nil {
			return pendingOr(ctx, err)
		}
		return added(read, kindState)
	}, s.discard)
}

// read waits for a state: the newest, or the one that was given back.
func (s *stream) read(ctx context.Context) (*state, error) {
	for {
		read, err := s.look()
		if read != nil || err != nil {
			return read, err
		}
		select {
		case <-s.stream.Changed():
		case <-s.stream.Done():
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// look is read without waiting. It returns nil when there is nothing to read.
func (s *stream) look() (*state, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest, err := s.stream.Next(over)
	switch {
	case err == nil:
		s.reads++
		s.back = nil
		return &state{State: newest, read: s.reads}, nil
	case pendingOr(over, err).status == statusPending:
		back := s.back
		s.back = nil
		return back, nil
	}
	return nil, err
}

// discard takes a state back: another future of the stream is given it, one that waits or the next.
func (s *stream) discard(r result) {
	value, err := handles.take(r.handle, kindState)
	if err != nil {
		panic("BUG: a state that nobody was given: " + err.Error())
	}
	s.giveBack(value.(*state))
	s.again()
}

func (s *stream) giveBack(back *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if back.read == s.reads {
		s.back = back
	}
}

func (s *stream) drop() {
	s.closeAll()
	s.stream.Release()
}

func (s *stream) named() hakuban.Object { return s.stream.Object() }

// sink is behind a handle of a sink.
type sink struct {
	owner
	sink *hakuban.Sink

	mu   sync.Mutex
	told bool // that it is open
}

// next gives the host a future that says that the sink is open, or, from the second time on, that it has ended.
func (s *sink) next() (handle, error) {
	return s.open(func(ctx context.Context) result {
		select {
		case <-s.sink.Done():
			return result{status: statusEndOfStream}
		default:
		}
		if s.tell(true) {
			return added(struct{}{}, kindSinkParams)
		}
		select {
		case <-s.sink.Done():
			return result{status: statusEndOfStream}
		case <-ctx.Done():
			return result{status: statusPending}
		}
	}, func(r result) {
		discardHandle(r)
		s.tell(false)
		s.again()
	})
}

// tell notes whether the host was told that the sink is open, and reports whether that changes anything.
func (s *sink) tell(told bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.told != told
	s.told = told
	return changed
}

// send gives the host a future that sends a state.
func (s *sink) send(state *state) (handle, error) {
	return s.open(func(context.Context) result {
		r := s.sendNow(state)
		if r.status == statusStale {
			r.status = statusOK // as the reference has it
		}
		return r
	}, func(result) {})
}

func (s *sink) sendNow(state *state) result {
	err := s.sink.Send(state.State)
	if r := resultOf(err); r.status != statusClosed {
		return r
	}
	return result{status: statusEndOfStream, err: err}
}

// sending looks up a sink and a state.
func sending(sinkHandle, stateHandle handle) (*sink, *state, error) {
	to, err := lookup[*sink](&handles, sinkHandle, kindSink)
	if err != nil {
		return nil, nil, err
	}
	what, err := lookup[*state](&handles, stateHandle, kindState)
	return to, what, err
}

func send(sinkHandle, stateHandle handle) (handle, error) {
	to, what, err := sending(sinkHandle, stateHandle)
	if err != nil {
		return 0, err
	}
	return to.send(what)
}

func sendNow(sinkHandle, stateHandle handle) result {
	to, what, err := sending(sinkHandle, stateHandle)
	if err != nil {
		return resultOf(err)
	}
	return to.sendNow(what)
}

func (s *sink) drop() {
	s.closeAll()
	s.sink.Release()
}

func (s *sink) named() hakuban.Object { return s.sink.Object() }

// descriptorOf gives the host a descriptor of the object of a sink or a stream.
func descriptorOf(h handle, kind kind) (handle, error) {
	named, err := lookup[interface{ named() hakuban.Object }](&handles, h, kind)
	if err != nil {
		return 0, err
	}
	return handles.add(&object{Object: named.named()}, kindObject)
}

// next gives the host a future of the next of what h gives: a contract, a sink or a stream.
func next(h handle, kind kind) (handle, error) {
	giver, err := lookup[interface{ next() (handle, error) }](&handles, h, kind)
	if err != nil {
		return 0, err
	}
	return giver.next()
}
