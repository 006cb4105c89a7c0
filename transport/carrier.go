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
)

// carrier is a connection that carries a websocket. During the handshake, until begin is called, reads and writes go through.
//
// After that, one goroutine reads. The websocket library writes close frames by itself: they go to who writes.
type carrier struct {
	net.Conn
	onClose func() // nil: none
	closing sync.Once
	// onFailure is told why the handshake could not be read; nil: nobody is.
	onFailure func(connection net.Conn, err error)

	// Of the handshake; only then.
	begun     bool
	handshake int // bytes that may still be read; negative: any number

	// Of the reader.
	beforeWait func()        // called when the reader is about to wait
	timeout    time.Duration // in which the peer must be heard, and a write make progress
	heardAt    time.Time
	stopped    atomic.Bool // the reader shall wait no more

	// Of who writes.
	ownFrame func(frame []byte) // called with what the websocket library writes
	quick    quickWriter        // writes without waiting

	mu     sync.Mutex
	cutoff time.Time // no write goes on after; zero: none
}

// begin ends the handshake.
func (c *carrier) begin(timeout time.Duration, beforeWait func(), ownFrame func(frame []byte)) {
	c.begun, c.handshake, c.timeout, c.beforeWait, c.ownFrame = true, -1, timeout, beforeWait, ownFrame
	c.quick.attach(c.Conn)
	c.hear()
	_ = c.SetReadDeadline(c.heardAt.Add(timeout)) // fails on a connection that is closed, as the next read will
}

// hear has the peer's time begin anew. No deadline is set: see again.
func (c *carrier) hear() { c.heardAt = time.Now() }

func (c *carrier) Read(p []byte) (int, error) {
	if c.handshake >= 0 {
		if c.handshake == 0 {
			return 0, errHandshakeSize
		}
		p = p[:min(len(p), c.handshake)]
		n, err := c.Conn.Read(p)
		c.handshake -= n
		return n, err
	}
	if !c.begun {
		n, err := c.Conn.Read(p)
		if err != nil && c.onFailure != nil {
			c.onFailure(c.Conn, err)
		}
		return n, err
	}
	c.beforeWait()
	for glanced := false; ; {
		n, err := c.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !c.again(&glanced) {
			return n, err
		}
	}
}

const (
	// tardy is how long after its time a deadline passes only where the process, or the machine, has stood still.
	tardy = time.Second
	// glance is how long a reader then looks whether the peer was silent, or was not heard.
	glance = 250 * time.Millisecond
)

// again reports whether to go on reading when a deadline was reached. The deadline may be from before the peer was heard; or the
// process stood still when it passed, and what waits in the socket was missed: then the reader glances once more.
func (c *carrier) again(glanced *bool) bool {
	now, due := time.Now(), c.heardAt.Add(c.timeout)
	switch {
	case c.stopped.Load():
		return false
	case now.Before(due):
	case now.Sub(due) > tardy && !*glanced:
		*glanced, due = true, now.Add(glance)
	default:
		return false
	}
	_ = c.SetReadDeadline(due)
	if c.stopped.Load() { // perhaps since before the line above
		c.stop()
	}
	return true
}

// stop ends the reader's wait, and those to come.
func (c *carrier) stop() {
	c.stopped.Store(true)
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

// Write is called in the handshake, and by the websocket library when it closes by itself.
func (c *carrier) Write(p []byte) (int, error) {
	if !c.begun {
		return c.Conn.Write(p)
	}
	c.ownFrame(p)
	return len(p), nil
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

// SetWriteDeadline is ignored after the handshake: the websocket library calls it for its own frames.
func (c *carrier) SetWriteDeadline(t time.Time) error {
	if c.begun {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
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
