//go:build !js

package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pieceSize is how much is written with one deadline, where writing waits.
	pieceSize = 64 << 10
	// maxHandshake is how much of an answer to its handshake a connector reads.
	maxHandshake = 64 << 10
)

var (
	errHandshakeSize = errors.New("the peer's handshake is too long")
	errNoHalf        = errors.New("the connection cannot be closed by half")
	// errRest has the reader go on in another goroutine.
	errRest = errors.New("the reader rests")
)

// carrier is a connection that carries a websocket. During the handshake, until begin is called, writes go through, and reads end where the
// peer's part of the handshake does. After that, one goroutine reads frames.
type carrier struct {
	net.Conn
	onClose func() // nil: none
	closing sync.Once
	// Of the handshake; only then.
	handshake int // bytes that may still be read; negative: the handshake is over
	ending    int // how much of headEnd was read just now

	// Of the reader.
	beforeWait func()        // called when the reader is about to wait
	timeout    time.Duration // in which the peer must be heard, and a write make progress
	heardAt    time.Time
	stopped    atomic.Bool // the reader shall wait no more
	input      input
	rests      bool        // the reader may be told to rest
	rested     atomic.Bool // the reader has not read anything since it rested

	quick quickSocket

	mu     sync.Mutex
	cutoff time.Time // no write goes on after; zero: none
}

// begin ends the handshake.
func (c *carrier) begin(timeout time.Duration, beforeWait func()) {
	c.handshake, c.timeout, c.beforeWait = -1, timeout, beforeWait
	c.quick.attach(c.Conn, &c.input)
	c.hear()
	_ = c.Conn.SetWriteDeadline(time.Time{}) // that of the handshake
	wait := timeout
	if c.rests {
		wait = min(wait, restless)
	}
	_ = c.SetReadDeadline(c.heardAt.Add(wait)) // fails on a connection that is closed, as the next read will
}

// hear has the peer's time begin anew. No deadline is set: see again.
func (c *carrier) hear() { c.heardAt = time.Now() }

// need waits until n bytes of the peer are there, and shows them without taking them; n is at most readBufferSize. Between messages, it
// may return errRest.
func (c *carrier) need(n int, between bool) ([]byte, error) {
	for len(c.input.unread) < n {
		c.beforeWait()
		rest := between && c.rests && len(c.input.unread) == 0
		if _, err := c.patiently(rest, c.fill); err != nil {
			return nil, err
		}
		c.rested.Store(false)
	}
	return c.input.unread[:n], nil
}

// fill reads what there is.
func (c *carrier) fill() (int, error) {
	if c.quick.attached() {
		return c.quick.read()
	}
	return c.input.fill(c.Conn)
}

// Read takes what was read before, or else reads. During the handshake it is a library that reads.
func (c *carrier) Read(p []byte) (int, error) {
	switch {
	case c.handshake >= 0:
		return c.readHandshake(p)
	case len(c.input.unread) > 0:
		n := copy(p, c.input.unread)
		c.input.take(n)
		return n, nil
	}
	c.beforeWait()
	return c.patiently(false, func() (int, error) { return c.Conn.Read(p) })
}

// headEnd ends the peer's handshake.
const headEnd = "\r\n\r\n"

// readHandshake reads no further than the handshake, so that what follows it is not in a buffer of the websocket library.
func (c *carrier) readHandshake(p []byte) (n int, err error) {
	if len(c.input.unread) == 0 {
		if _, err := c.input.fill(c.Conn); err != nil {
			return 0, err
		}
	}
	for n < min(len(p), len(c.input.unread)) && c.ending < len(headEnd) {
		if c.handshake == 0 {
			return n, errHandshakeSize
		}
		c.handshake--
		switch b := c.input.unread[n]; b {
		case headEnd[c.ending]:
			c.ending++
		case headEnd[0]:
			c.ending = 1
		default:
			c.ending = 0
		}
		n++
	}
	copy(p, c.input.unread[:n])
	c.input.take(n)
	if c.ending == len(headEnd) {
		c.ending = 0 // what follows, if more is read, is what a refusal says
	}
	return n, nil
}

// patiently reads, also after the deadline if the peer has more time.
func (c *carrier) patiently(mayRest bool, read func() (int, error)) (int, error) {
	for glanced := false; ; {
		n, err := read()
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if goOn, rest := c.again(&glanced, mayRest); rest {
			return 0, errRest
		} else if !goOn {
			return n, err
		}
	}
}

const (
	// tardy is how long after its time a deadline passes only where the process, or the machine, has stood still.
	tardy = time.Second
	// glance is how long a reader then looks whether the peer was silent, or was not heard.
	glance = 250 * time.Millisecond
	// restless is how long nothing must have come for the reader to rest: another goroutine, whose stack is small, then goes on in its place.
	// Whether it may is looked at after the handshake, and then once in restlessLook.
	restless     = 100 * time.Millisecond
	restlessLook = time.Second
)

// again reports whether to go on reading when a deadline was reached. The deadline may be from before the peer was heard; or the
// process stood still when it passed, and what waits in the socket was missed: then the reader glances once more. Or the deadline was set to
// see whether the reader may rest.
func (c *carrier) again(glanced *bool, mayRest bool) (goOn, rest bool) {
	now, due := time.Now(), c.heardAt.Add(c.timeout)
	switch {
	case c.stopped.Load():
		return false, false
	case now.Before(due) && c.rests && !c.rested.Load():
		if rest = mayRest && now.Sub(c.heardAt) >= restless; !rest {
			due = earlier(due, now.Add(restlessLook))
		}
	case now.Before(due):
	case now.Sub(due) > tardy && !*glanced:
		*glanced, due = true, now.Add(glance)
	default:
		return false, false
	}
	_ = c.SetReadDeadline(due)
	if c.stopped.Load() { // perhaps since before the line above
		c.stop()
	}
	return true, rest
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// stop ends the reader's wait, and those to come.
func (c *carrier) stop() {
	c.stopped.Store(true)
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

// try writes as much of p as there is room for, without waiting; less than all and no error: there is no more room.
// One goroutine at a time writes.
func (c *carrier) try(p []byte) (written int, err error) { return c.quick.write(p) }

// writeAll writes in pieces, each in time: a slow link may take long over a large message, a dead one not.
func (c *carrier) writeAll(p []byte) error {
	for len(p) > 0 {
		if err := c.extendWrite(); err != nil {
			return err
		}
		n, err := c.Conn.Write(p[:min(len(p), pieceSize)])
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (c *carrier) extendWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(c.timeout)
	if !c.cutoff.IsZero() && c.cutoff.Before(deadline) {
		deadline = c.cutoff
	}
	return c.Conn.SetWriteDeadline(deadline)
}

// relax takes back the deadline of the last write: those that do not wait need none.
func (c *carrier) relax() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.Conn.SetWriteDeadline(c.cutoff)
}

// hurry has every write, also one under way, end by then.
func (c *carrier) hurry(cutoff time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutoff = cutoff
	_ = c.Conn.SetWriteDeadline(cutoff) // fails on a connection that is closed: good
}

// CloseWrite tells the peer that no more will come.
func (c *carrier) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errNoHalf
}

func (c *carrier) Close() error {
	c.closing.Do(func() {
		if c.onClose != nil {
			c.onClose()
		}
	})
	return c.Conn.Close()
}

// base is the connection below TLS.
func (c *carrier) base() net.Conn {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c.Conn
}

// cut closes without a word. Close would say one where there is TLS, and wait for 5 s for a peer that does not read it.
func (c *carrier) cut() {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		_ = secure.NetConn().Close()
	}
	_ = c.Close()
}

// tune sets the options of a TCP connection.
func tune(connection net.Conn, noDelay bool, sendBuffer int) {
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		return
	}
	// The link works without either; a failure shows in the next read or write.
	_ = tcp.SetNoDelay(noDelay)
	if sendBuffer > 0 {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
}

// linger waits for the peer's end of the connection, so that closing ours does not make the network forget what we said last.
func (c *carrier) linger() {
	defer time.AfterFunc(farewell, c.cut).Stop() // CloseWrite of TLS takes longer over a peer that does not read
	if c.CloseWrite() != nil {
		return
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(farewell))
	var scratch [512]byte
	for {
		if _, err := c.Conn.Read(scratch[:]); err != nil {
			return
		}
	}
}
