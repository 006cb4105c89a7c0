package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hakuban"
)

// find returns a sink or stream that the test may still use.
func find[T any](p *peer, all map[uint64]T, id uint64) (T, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	found, ok := all[id]
	if !ok {
		return found, fmt.Errorf("no offer %d: never made, or ended, or dropped", id)
	}
	return found, nil
}

func add[T any](p *peer, all map[uint64]T, held T) (id uint64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lastID++
	all[p.lastID] = held
	return p.lastID
}

func remove[T any](p *peer, all map[uint64]T, id uint64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(all, id)
}

// heldSink is a sink that the test may send on and drop.
type heldSink struct {
	sink *hakuban.Sink
	once sync.Once
	gone chan struct{} // closed when the test dropped it
	drop func()
}

// serveSink announces a sink, tells when it is revoked, and then releases it unless it is to be kept.
func (p *peer) serveSink(r *request, sink *hakuban.Sink) {
	held := &heldSink{sink: sink, gone: make(chan struct{})}
	id := add(p, p.sinks, held)
	held.drop = func() {
		remove(p, p.sinks, id)
		held.once.Do(func() { close(held.gone) })
		sink.Release()
	}
	object := sink.Object()
	p.event("sink-offered", r.Contract, "sink", id, object)
	go func() {
		select {
		case <-held.gone:
			return
		case <-sink.Done():
		}
		select {
		case <-held.gone: // its release ended it
			return
		default:
		}
		p.event("sink-revoked", r.Contract, "sink", id, object)
		if !r.Keep {
			held.drop()
		}
	}()
}

func (s *heldSink) send(r *request) (map[string]any, error) {
	version := r.Version
	if version == nil {
		now := time.Now()
		version = []int64{0, now.Unix(), int64(now.Nanosecond())}
	}
	if len(version) == 0 {
		return map[string]any{"version": version}, nil // our library has none: it is below all others, and would be stale
	}
	state := hakuban.NewState(r.Data).WithFormat(r.Format...).WithVersion(version...)
	if r.Synchronized != 0 {
		state = state.WithSynchronized(hakuban.LastAt(time.Now().Add(-time.Duration(r.Synchronized) * time.Microsecond)))
	}
	// The reference's sink says nothing of a state that is older than the one held.
	if err := s.sink.Send(state); err != nil && !errors.Is(err, hakuban.ErrStale) {
		return nil, err
	}
	return map[string]any{"version": version}, nil
}

// heldStream is a stream that the test may read and drop.
type heldStream struct {
	allowed chan int
	once    sync.Once
	gone    chan struct{}
	drop    func()
}

// serveStream announces a stream, reads it at the pace that the test asked for, tells when it ends, and then releases it
// unless it is to be kept.
func (p *peer) serveStream(r *request, stream *hakuban.Stream) {
	held := &heldStream{allowed: make(chan int, 1<<10), gone: make(chan struct{})}
	id := add(p, p.streams, held)
	held.drop = func() {
		remove(p, p.streams, id)
		held.once.Do(func() { close(held.gone) })
		stream.Release()
	}
	object := stream.Object()
	p.event("stream-opened", r.Contract, "stream", id, object)
	go func() {
		allowed := 0
		for {
			for r.Read == "manual" && allowed == 0 {
				select {
				case more := <-held.allowed:
					allowed += more
				case <-held.gone:
					return
				}
			}
			state, err := stream.Next(context.Background())
			if err != nil {
				break
			}
			allowed--
			micros := uint64(0)
			if synchronized := state.Synchronized(); !synchronized.Now() {
				micros = max(1, uint64(max(0, synchronized.Ago()).Microseconds()))
			}
			p.print(map[string]any{"event": "state", "stream": id, "contract": r.Contract, "data": state.Data(),
				"format": append([]string{}, state.Format()...), "version": append([]int64{}, state.Version()...), "synchronized": micros})
		}
		select {
		case <-held.gone: // its release ended it
			return
		default:
		}
		p.event("stream-closed", r.Contract, "stream", id, object)
		if !r.Keep {
			held.drop()
		}
	}()
}
