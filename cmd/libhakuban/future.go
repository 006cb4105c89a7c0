//go:build unix

package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// operation is what a future does: it waits for its result, or until ctx ends, which is statusPending. A result that is there
// already wins over a context that has ended.
type operation func(ctx context.Context) result

// over is a context that has ended: with it an operation does not wait.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// future is behind the handles of a future. Its operation begins when the host first waits for it.
type future struct {
	operation operation
	discard   func(result) // gives back a handle that nobody was given
	owner     *owner
	ended     chan struct{} // closed when result is set

	mu      sync.Mutex
	handles int
	result  result
	isEnded bool
	given   bool               // result was given to somebody, or back
	cancel  context.CancelFunc // nil: the operation was not begun, or not in the background
	ready   *readiness         // nil: nobody asked for it
}

// owner is what has futures, and ends them when it is dropped: a contract, a sink, a stream.
type owner struct {
	mu      sync.Mutex
	dropped bool
	futures map[*future]struct{} // whose results were not given
}

// open gives the host a future of the owner's.
func (o *owner) open(operation operation, discard func(result)) (handle, error) {
	f := &future{operation: operation, discard: discard, owner: o, handles: 1, ended: make(chan struct{})}
	o.mu.Lock()
	if o.dropped { // by another thread, just now
		f.end(result{status: statusEndOfStream})
	} else {
		if o.futures == nil {
			o.futures = map[*future]struct{}{}
		}
		o.futures[f] = struct{}{}
	}
	o.mu.Unlock()
	h, err := handles.add(f, kindFuture)
	if err != nil {
		f.close()
	}
	return h, err
}

func (o *owner) forget(f *future) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.futures, f)
}

// others returns the futures that may take what one of them gives back.
func (o *owner) others() (list []*future) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f := range o.futures {
		list = append(list, f)
	}
	return list
}

// again has all futures that wait look once more, since one of the owner's has given something back.
func (o *owner) again() {
	for _, f := range o.others() {
		f.again()
	}
}

// closeAll ends the owner's futures, and those it is asked for later.
func (o *owner) closeAll() {
	o.mu.Lock()
	o.dropped = true
	o.mu.Unlock()
	for _, f := range o.others() {
		f.close()
	}
}

// begin has the operation run, if it does not yet: at once where it need not wait.
func (f *future) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isEnded || f.cancel != nil {
		return
	}
	if r := f.operation(over); r.status != statusPending {
		f.set(r)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() {
		if r := guarded(func() result { return f.operation(ctx) }); r.status != statusPending {
			f.finish(r)
		}
	}()
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

// finish sets the result that an operation has, unless the future has ended meanwhile.
func (f *future) finish(r result) {
	if !f.end(r) && r.status == statusPointer {
		f.discard(r)
	}
}

// end sets the result; false: there is one.
func (f *future) end(r result) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isEnded {
		return false
	}
	f.set(r)
	return true
}

// set sets the result. The caller holds mu, and the future has not ended.
func (f *future) set(r result) {
	f.result, f.isEnded = r, true
	close(f.ended)
	if f.cancel != nil {
		f.cancel()
	}
	if f.ready != nil {
		f.ready.signal()
	}
}

// close ends the future without its result. One that nobody was given goes back.
func (f *future) close() {
	f.owner.forget(f)
	if f.end(result{status: statusEndOfStream}) {
		return
	}
	if r, given := f.give(); !given && r.status == statusPointer {
		f.discard(r)
	}
}

// give returns the result, and whether it was given before.
func (f *future) give() (r result, given bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.given {
		return result{status: statusEndOfStream}, true
	}
	f.given = true
	return f.result, false
}

// await waits for the result, for as long as timeout says (nil: however long). Unless that is statusPending, the handle ends.
func await(h handle, timeout *time.Duration) result {
	f, err := lookup[*future](&handles, h, kindFuture)
	if err == nil && timeout == nil { // then the handle ends before the wait: no other thread can use it
		_, err = handles.take(h, kindFuture)
	}
	if err != nil {
		return resultOf(err)
	}
	f.begin()
	if timeout == nil {
		<-f.ended
	} else if !f.wait(*timeout) {
		return result{status: statusPending}
	} else if _, err := handles.take(h, kindFuture); err != nil {
		return resultOf(err)
	}
	r, given := f.give()
	if !given {
		f.owner.forget(f)
	}
	f.leave()
	return r
}

// wait reports whether the result is there within the timeout.
func (f *future) wait(timeout time.Duration) bool {
	select {
	case <-f.ended:
		return true
	default:
	}
	if timeout <= 0 {
		return false
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-f.ended:
		return true
	case <-timer.C:
		return false
	}
}

// leave notes that one of the future's handles has ended.
func (f *future) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.handles--; f.handles == 0 && f.ready != nil {
		f.ready.close()
		f.ready = nil
	}
}

func (f *future) drop() {
	f.close()
	f.leave()
}

func (f *future) clone() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handles++
	return f
}

// futureDescriptor returns a file descriptor that is readable once the result is there.
func futureDescriptor(h handle) (int, error) {
	f, err := lookup[*future](&handles, h, kindFuture)
	if err != nil {
		return -1, err
	}
	f.begin()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.handles == 0:
		return -1, failed(statusInvalidHandle, "a future that is being dropped")
	case f.ready == nil:
		if f.ready, err = newReadiness(); err != nil {
			return -1, err
		}
		if f.isEnded {
			f.ready.signal()
		}
	}
	return f.ready.descriptor, nil
}

// pendingOr returns the result of an operation that ended with an error: none yet, when that is its context's; else no more.
func pendingOr(ctx context.Context, err error) result {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return result{status: statusPending}
	}
	return result{status: statusEndOfStream}
}
