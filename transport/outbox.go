//go:build !js

package transport

import (
	"sync"
	"time"

	"hakuban"
)

// bundles are memory to put frames together. Only connections that write have one.
var bundles = sync.Pool{New: func() any { return &frames{buffer: make([]byte, 0, 4<<10)} }}

// outbox writes what a session has to say. Whoever calls send, which is any goroutine, writes as much as the connection has room for,
// without waiting. A goroutine, which exists only then, writes the rest and waits where it must.
type outbox struct {
	c      *carrier
	masked bool   // the frames of a client are
	resume func() // there is room again
	failed func(err error)

	mu       sync.Mutex
	flushed  sync.Cond // flushing has ended
	queue    [][]byte  // pieces of frames; not empty: a goroutine writes them
	flushing bool
	waits    bool   // who sends waits for room
	pong     []byte // the newest one that is to follow the queue; nil: none
	closed   bool   // nothing follows the queue
	broken   bool   // nothing can be written any more
	wrote    time.Time
}

func newOutbox(c *carrier, masked bool, resume func(), failed func(err error)) *outbox {
	o := &outbox{c: c, masked: masked, resume: resume, failed: failed, wrote: time.Now()}
	o.flushed.L = &o.mu
	return o
}

// send takes messages; false: there is no room, resume is called when there is.
func (o *outbox) send(messages []hakuban.Message) (room bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	f := bundles.Get().(*frames)
	f.masked = o.masked
	for i := range messages {
		head, middle, tail := messages[i].Parts()
		f.message(opBinary, head, middle, tail)
	}
	o.put(f)
	o.waits = o.flushing
	return !o.waits
}

// put writes frames, or what there is no room for later. The caller holds mu.
func (o *outbox) put(f *frames) {
	f.cut()
	o.wrote = time.Now()
	if o.flushing {
		o.queue = append(o.queue, f.pieces...)
		return // with the memory
	}
	for i, piece := range f.pieces {
		n, err := o.c.try(piece)
		if err != nil {
			o.closed, o.broken = true, true
			go o.failed(err) // not here: it steps the exchange
			return
		}
		if n < len(piece) {
			o.queue = append(o.queue, piece[n:])
			o.queue = append(o.queue, f.pieces[i+1:]...)
			o.flushing = true
			go o.flush()
			return // with the memory
		}
	}
	clear(f.pieces)
	f.buffer, f.start, f.pieces = f.buffer[:0], 0, f.pieces[:0]
	if cap(f.buffer) <= maxBufferKept {
		bundles.Put(f)
	}
}

// flush writes the queue and what follows it, and waits where it must.
func (o *outbox) flush() {
	o.mu.Lock()
	for {
		if len(o.queue) == 0 && o.pong != nil {
			f := &frames{masked: o.masked}
			f.message(final|opPong, o.pong)
			o.queue, o.pong = append(o.queue, f.buffer), nil
		}
		if len(o.queue) == 0 {
			break
		}
		piece := o.queue[0]
		o.mu.Unlock()
		err := o.c.writeAll(piece)
		o.mu.Lock()
		o.wrote = time.Now()
		o.queue[0] = nil
		o.queue = o.queue[1:]
		if err != nil {
			o.closed, o.broken, o.flushing, o.queue = true, true, false, nil
			o.flushed.Broadcast()
			o.mu.Unlock()
			o.failed(err)
			return
		}
	}
	waits := o.waits
	o.queue, o.flushing, o.waits = nil, false, false
	o.c.relax()
	o.flushed.Broadcast()
	o.mu.Unlock()
	if waits {
		o.resume()
	}
}

// answer sends a pong. While others wait to be written the newest one will do.
func (o *outbox) answer(payload string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
	case o.flushing:
		o.pong = append([]byte{}, payload...)
	default:
		o.control(opPong, []byte(payload))
	}
}

// control sends one frame. The caller holds mu.
func (o *outbox) control(opcode byte, payload []byte) {
	f := bundles.Get().(*frames)
	f.masked = o.masked
	f.message(opcode, payload)
	o.put(f)
}

// keepAlive sends a text if nothing was sent for so long, and returns when to look again; false: nothing is sent any more.
func (o *outbox) keepAlive(after time.Duration) (next time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	quiet := time.Since(o.wrote)
	switch {
	case o.closed:
		return 0, false
	case o.flushing:
		return after, true
	case quiet < after:
		return after - quiet, true
	}
	o.control(opText, []byte("."))
	return after, true
}

// ping sends a ping, unless nothing is sent any more. It is no keep-alive: whether the peer counts it as a sign of life is not known.
func (o *outbox) ping(payload string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		wrote := o.wrote
		o.control(opPing, []byte(payload))
		o.wrote = wrote
	}
}

// finish writes what there is and then a close frame, unless (nil) there is none to write or one was written. It waits, and reports
// whether all is written.
func (o *outbox) finish(farewell []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if farewell != nil && !o.closed {
		o.control(opClose, farewell)
	}
	o.closed = true
	for o.flushing {
		o.flushed.Wait()
	}
	return !o.broken
}
