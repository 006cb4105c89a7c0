package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
)

// recorder is a connection that keeps what is written to it.
type recorder struct {
	net.Conn
	writes [][]byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.writes = append(r.writes, bytes.Clone(p))
	return len(p), nil
}
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) SetReadDeadline(time.Time) error  { return nil }
func (r *recorder) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

func TestCork_OneWriteForManyFrames(t *testing.T) {
	r := &recorder{}
	c := &corkConn{Conn: r, handshake: -1}
	if _, _ = c.Write([]byte("handshake")); len(r.writes) != 1 {
		t.Fatalf("a handshake must not be held back: %q", r.writes)
	}
	c.cork(time.Second)
	r.writes = nil
	for range 100 {
		_, _ = c.Write([]byte("frame "))
	}
	if len(r.writes) != 0 || c.buffer == nil {
		t.Fatalf("%d writes before flush", len(r.writes))
	}
	_ = c.flush()
	_ = c.flush()
	if len(r.writes) != 1 || string(r.writes[0]) != strings.Repeat("frame ", 100) {
		t.Errorf("writes %q", r.writes)
	}
	if c.buffer != nil {
		t.Error("an idle connection holds a buffer")
	}
}

func TestCork_KeepsTheOrderOfLargeAndSmallWrites(t *testing.T) {
	r := &recorder{}
	c := &corkConn{Conn: r}
	c.cork(time.Second)
	var want []byte
	for _, size := range []int{1, corkSize - 1, 2, 100, 3 * corkSize, 5, corkSize / 2, corkSize, 139, corkSize + 1, 0, 7} {
		p := bytes.Repeat([]byte{byte(size)}, size)
		want = append(want, p...)
		if n, err := c.Write(p); n != size || err != nil {
			t.Fatalf("Write of %d: %d, %v", size, n, err)
		}
	}
	_ = c.flush()
	if got := bytes.Join(r.writes, nil); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came out in another order than %d went in", len(got), len(want))
	}
	for _, write := range r.writes {
		if len(write) > corkSize+maxControlFrame {
			t.Errorf("a write of %d bytes has one deadline for all", len(write))
		}
	}
}

func TestCork_StallsAndHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // its writes wait for a reader
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		c := &corkConn{Conn: ours}
		c.cork(time.Minute)
		start := time.Now()
		_, _ = c.Write([]byte("x"))
		if err := c.flush(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("a stalled write: %v after %v", err, time.Since(start))
		}
		// A slow reader is no reason to give up, however long a large write takes.
		start = time.Now()
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				time.Sleep(40 * time.Second)
				if _, err := io.CopyN(io.Discard, theirs, corkSize); err != nil {
					return
				}
			}
		}()
		if n, err := c.Write(make([]byte, 4*corkSize)); n != 4*corkSize || err != nil || time.Since(start) != 160*time.Second {
			t.Errorf("a slow write: %d, %v after %v", n, err, time.Since(start))
		}
		start = time.Now()
		go func() { time.Sleep(time.Second); c.hurry(time.Now().Add(time.Second)) }()
		if _, err := c.Write(make([]byte, 4*corkSize)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("a hurried write: %v after %v", err, time.Since(start))
		}
		_ = theirs.Close()
		<-read
	})
}

// TestSession_OneSystemCallPerPull has a link with many objects to tell of.
func TestSession_OneSystemCallPerPull(t *testing.T) {
	x := newExchange(t)
	for i := range 100 {
		x.ObserveObject(hakuban.MustObject(i))
		x.ExposeTag(hakuban.MustTag(i))
	}
	r := &recorder{}
	s := sessionOn(t, x, r, parameters{timeout: time.Minute, keepAlive: time.Minute})
	if err := s.pull(); err != nil {
		t.Fatal(err)
	}
	if len(r.writes) != 1 {
		t.Errorf("%d writes", len(r.writes))
	}
	s.link.Detach(nil)
}

// sessionOn makes a session on a connection, whose upgrade is over, to an upstream of the exchange.
func sessionOn(t *testing.T, x *hakuban.Exchange, connection net.Conn, p parameters) *session {
	t.Helper()
	link, err := x.AttachUpstream(hakuban.LinkOptions{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := completeOptions(&Options{Logger: quiet}, forConnect)
	if err != nil {
		t.Fatal(err)
	}
	c := &corkConn{Conn: connection}
	return newSession(link, websocketOn(c), c, p, o)
}

// websocketOn makes a websocket whose upgrade is over.
func websocketOn(c *corkConn) *websocket.Conn {
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	go func() {
		request := make([]byte, 4096)
		n, _ := theirs.Read(request)
		_, key, _ := strings.Cut(string(request[:n]), "Sec-WebSocket-Key: ")
		_, _ = io.WriteString(theirs, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: "+acceptKey(key[:24])+"\r\n\r\n")
	}()
	real := c.Conn
	c.Conn, c.handshake = ours, -1
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return c, nil }, WriteBufferPool: frames, WriteBufferSize: writeBufferSize}
	socket, _, err := dialer.Dial("ws://h", nil)
	if err != nil {
		panic(err)
	}
	c.Conn = real
	return socket
}

// A process that stood still beyond a deadline finds it passed, and data that came in time.
func TestCork_ReadsBeforeItJudgesAfterAStandstill(t *testing.T) {
	near, far := tcpPair(t)
	c := &corkConn{Conn: near, handshake: -1}
	c.cork(time.Minute)
	if _, err := far.Write([]byte("here")); err != nil {
		t.Fatal(err)
	}
	var buffer [10]byte
	_ = c.SetReadDeadline(time.Now().Add(-2 * tardy))
	if n, err := c.Read(buffer[:]); err != nil || string(buffer[:n]) != "here" {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
	_ = c.SetReadDeadline(time.Now().Add(-2 * tardy))
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("of a silent peer: read %q, %v", buffer[:n], err)
	}
	if _, err := far.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(-tardy / 2)) // as on a machine that is only busy
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("within a message that takes too long: read %q, %v", buffer[:n], err)
	}
	c.hurry(time.Now().Add(time.Minute))
	_ = c.SetReadDeadline(time.Unix(1, 0))
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("interrupted: read %q, %v", buffer[:n], err)
	}
}

// tcpPair is two ends of a connection over loopback.
func tcpPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}
