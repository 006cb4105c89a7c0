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
type stream struct {
	owner
	stream *hakuban.Stream

	mu   sync.Mutex
	back *state // read, and given back
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
	s.mu.Lock()
	back := s.back
	s.back = nil
	s.mu.Unlock()
	if back != nil {
		ctx = over
	}
	newest, err := s.stream.Next(ctx)
	switch {
	case err == nil:
		return &state{State: newest}, nil
	case back != nil && pendingOr(ctx, err).status == statusPending:
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
	s.mu.Lock()
	s.back = value.(*state)
	s.mu.Unlock()
	for _, f := range s.others() {
		f.again()
	}
}

// again has a future that waits look once more.
func (f *future) again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isEnded || f.cancel == nil {
		return
	}
	if r := f.operation(over); r.status != statusPending {
		f.set(r)
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
