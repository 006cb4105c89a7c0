package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// corkSize is how much a connection gathers before it writes.
	corkSize = 64 << 10
	// maxControlFrame is the size of the greatest websocket control frame: header, mask and 125 bytes.
	maxControlFrame = 14 + 125
	// maxHandshake is how much of an answer to its handshake a connector reads.
	maxHandshake = 64 << 10
)

// corks are buffers of connections that write at the moment: idle ones have none.
var corks = sync.Pool{New: func() any { return new([]byte) }}

var (
	errHandshakeSize = errors.New("the peer's handshake is too long")
	errCorkClosed    = errors.New("the connection is being closed")
)

// corkConn gathers writes until flush, so that what is sent in one go costs one system call. During the handshake, until cork is
// called, writes go through.
//
// One goroutine, the link's writer, writes and flushes. Another, its reader, may write too, control frames only, and never waits.
type corkConn struct {
	net.Conn
	onClose func() // nil: none
	// onFailure is told why the handshake could not be read; nil: nobody is.
	onFailure func(connection net.Conn, err error)

	// Of the handshake; only then.
	corked    bool
	handshake int // bytes that may still be read; negative: any number

	mu      sync.Mutex
	buffer  *[]byte // nil: nothing gathered
	stall   time.Duration
	cutoff  time.Time // no write goes on after; zero: none
	silence time.Time // the read deadline
	closing sync.Once
}

// cork ends the handshake. A write that makes no progress for the time of stall fails.
func (c *corkConn) cork(stall time.Duration) {
	c.corked, c.handshake, c.stall = true, -1, stall
}

func (c *corkConn) Read(p []byte) (int, error) {
	if c.handshake >= 0 {
		if c.handshake == 0 {
			return 0, errHandshakeSize
		}
		p = p[:min(len(p), c.handshake)]
		n, err := c.Conn.Read(p)
		c.handshake -= n
		return n, err
	}
	n, err := c.Conn.Read(p)
	if c.stoodStill(err) {
		// Only this goroutine reads, so the deadline can be nobody else's but the one that interrupts it.
		_ = c.Conn.SetReadDeadline(time.Now().Add(glance))
		n, err = c.Conn.Read(p)
	}
	if err != nil && !c.corked && c.onFailure != nil {
		c.onFailure(c.Conn, err)
	}
	return n, err
}

const (
	// tardy is how long after its time a deadline passes only where the process, or the machine, has stood still.
	tardy = time.Second
	// glance is how long a reader then looks whether the peer was silent, or was not heard.
	glance = 250 * time.Millisecond
)

// stoodStill reports whether a read that ended at its deadline may have missed what waits in the socket: the deadline passed while the
// process was stopped.
func (c *corkConn) stoodStill(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cutoff.IsZero() && !c.silence.IsZero() && time.Since(c.silence) > tardy
}

// SetReadDeadline sets when the peer's silence ends a read.
func (c *corkConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silence = t
	return c.Conn.SetReadDeadline(t)
}

func (c *corkConn) Write(p []byte) (int, error) {
	if !c.corked {
		return c.Conn.Write(p)
	}
	if c.gather(p) {
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	if len(p) < corkSize/2 {
		c.gather(p)
		return len(p), nil
	}
	return c.writeAll(p)
}

// gather keeps p for the next flush if it fits; a control frame always does.
func (c *corkConn) gather(p []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buffer == nil {
		if len(p) > corkSize {
			return false
		}
		c.buffer = corks.Get().(*[]byte)
	} else if len(*c.buffer)+len(p) > corkSize && len(p) > maxControlFrame {
		return false
	}
	*c.buffer = append(*c.buffer, p...)
	return true
}

// flush writes what was gathered.
func (c *corkConn) flush() error {
	c.mu.Lock()
	buffer := c.buffer
	c.buffer = nil
	c.mu.Unlock()
	if buffer == nil {
		return nil
	}
	_, err := c.writeAll(*buffer)
	*buffer = (*buffer)[:0]
	corks.Put(buffer)
	return err
}

// writeAll writes in pieces, each in time: a slow link may take long over a large message, a dead one not.
func (c *corkConn) writeAll(p []byte) (written int, err error) {
	for written < len(p) && err == nil {
		if err = c.extendWrite(); err != nil {
			break
		}
		var n int
		n, err = c.Conn.Write(p[written:min(len(p), written+corkSize)])
		written += n
	}
	return written, err
}

func (c *corkConn) extendWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(c.stall)
	if !c.cutoff.IsZero() && c.cutoff.Before(deadline) {
		deadline = c.cutoff
	}
	return c.Conn.SetWriteDeadline(deadline)
}

// hurry has every write, also one under way, end by then.
func (c *corkConn) hurry(cutoff time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutoff = cutoff
	_ = c.Conn.SetWriteDeadline(cutoff) // fails on a connection that is closed: good
}

// SetWriteDeadline is ignored after the handshake: the websocket library calls it for each frame.
func (c *corkConn) SetWriteDeadline(t time.Time) error {
	if c.corked {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// CloseWrite tells the peer that no more will come.
func (c *corkConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errCorkClosed
}

func (c *corkConn) Close() error {
	c.closing.Do(func() {
		if c.onClose != nil {
			c.onClose()
		}
	})
	return c.Conn.Close()
}

// cut closes without a word. Close would say one where there is TLS, and wait for 5 s for a peer that does not read it.
func (c *corkConn) cut() {
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
