package refinement

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// relay is the network between an exchange and its upstream: connections that it takes it carries on to a target, and can break.
type relay struct {
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	target string // host and port
	open   []*connection
}

// connection is one that a relay carries: from the child, and on to the parent.
type connection struct {
	ends [2]net.Conn // child's, parent's

	mu       sync.Mutex
	answered bool    // the parent has sent something after its handshake: its end of the session is attached
	left     [2]int  // bytes that are still carried, by the sending end; negative: any number
	broken   [2]bool // the end is closed, and the other is not told
}

func newRelay() (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener}
	r.running.Go(r.accept)
	return r, nil
}

func (r *relay) url() string { return "ws://" + r.listener.Addr().String() }

func (r *relay) aim(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
}

func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	_ = r.listener.Close()
	for _, c := range r.open {
		c.reset(0, 1)
	}
	r.mu.Unlock()
	r.running.Wait()
}

func (r *relay) accept() {
	for {
		child, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		target := r.target
		r.mu.Unlock()
		parent, err := net.Dial("tcp", target)
		if err != nil { // it is being replaced
			_ = child.Close()
			continue
		}
		c := &connection{ends: [2]net.Conn{child, parent}, left: [2]int{-1, -1}}
		r.mu.Lock()
		r.open = append(r.open, c)
		if r.closed {
			c.reset(0, 1)
		}
		r.mu.Unlock()
		r.running.Go(func() { c.carry(0, child) })
		r.running.Go(c.answer)
	}
}

// answer carries the parent's handshake, and then the rest.
func (c *connection) answer() {
	from := bufio.NewReader(c.ends[1])
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = from.ReadString('\n'); err != nil {
			c.reset(0, 1)
			return
		}
		_, _ = c.ends[0].Write([]byte(line)) // the next read fails as well
	}
	if _, err := from.Peek(1); err == nil {
		c.mu.Lock()
		c.answered = true
		c.mu.Unlock()
	}
	c.carry(1, from)
}

// carry takes bytes from one end to the other.
func (c *connection) carry(end int, from io.Reader) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		c.mu.Lock()
		broken, last := c.broken[end], c.left[end] >= 0 && n >= c.left[end]
		if c.left[end] >= 0 {
			n = min(n, c.left[end])
			c.left[end] -= n
		}
		c.mu.Unlock()
		if broken {
			return
		}
		_, _ = c.ends[1-end].Write(buffer[:n]) // the next read fails as well
		if last {
			c.reset(0, 1)
			return
		}
		if err != nil {
			_ = c.ends[1-end].(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// reset closes ends so that what is under way to them is lost.
func (c *connection) reset(ends ...int) {
	for _, end := range ends {
		_ = c.ends[end].(*net.TCPConn).SetLinger(0)
		_ = c.ends[end].Close()
	}
}

// leave has the child leave if the parent's end of the newest connection was attached, and reports whether it was; meanwhile the relay
// takes no further connection. Before that the child must not leave: one that is back before would have two sessions that the parent
// attaches in the other order, and the specification has no session that begins when one end has left.
func (r *relay) leave(child func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newest() == nil {
		return false
	}
	child()
	return true
}

// newest is the newest connection, if its parent's end was attached.
func (r *relay) newest() *connection {
	if len(r.open) == 0 {
		return nil
	}
	c := r.open[len(r.open)-1]
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered {
		return nil
	}
	return c
}

// breakOff breaks the newest connection: at once, after some bytes in one direction, or so that the parent does not notice. It reports
// whether it was settled, and leaves it alone before.
func (r *relay) breakOff(random *rand.Rand) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.newest()
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch random.IntN(3) {
	case 0:
		c.reset(0, 1)
	case 1:
		c.left[random.IntN(2)] = random.IntN(200)
	case 2:
		c.broken[0] = true
		c.reset(0)
	}
	return true
}
