package transport

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
)

// full is a connection that has no room until its reader reads: a pipe.
func full(t *testing.T) (o *outbox, theirs net.Conn, resumed, failed chan struct{}) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	c := &carrier{Conn: ours}
	resumed, failed = make(chan struct{}, 10), make(chan struct{}, 10)
	o = newOutbox(c, false, func() { resumed <- struct{}{} }, func(error) { failed <- struct{}{} })
	c.begin(time.Minute, func() {})
	return o, theirs, resumed, failed
}

// While there is no room, pings that come are answered by one pong, after what waits.
func TestOutbox_OnePongForManyPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, theirs, _, _ := full(t)
		o.mu.Lock()
		o.control(opText, []byte("first"))
		o.mu.Unlock()
		for _, payload := range strings.Split("abcdefgh", "") {
			o.answer(payload)
		}
		reader := bufio.NewReader(theirs)
		for _, want := range []string{"first", "h"} {
			if _, payload := readFrame(t, reader); string(payload) != want {
				t.Errorf("%q, expected %q", payload, want)
			}
		}
		synctest.Wait()
		if o.flushing || o.queue != nil {
			t.Error("an idle outbox keeps what it wrote, or a goroutine")
		}
	})
}

// Nothing follows the close frame.
func TestOutbox_NothingFollowsTheCloseFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, theirs, _, _ := full(t)
		finished := make(chan bool)
		go func() { finished <- o.finish([]byte("\x03\xe9")) }()
		synctest.Wait()
		o.answer("late")
		if o.send([]hakuban.Message{{}}) {
			t.Error("there is room after the close frame")
		}
		if _, ok := o.keepAlive(time.Nanosecond); ok {
			t.Error("a keep-alive is sent after the close frame")
		}
		go func() { _ = o.finish(nil); _ = o.c.Conn.Close() }()
		data, _ := io.ReadAll(theirs)
		if want := "\x88\x02\x03\xe9"; string(data) != want {
			t.Errorf("%q was written, expected %q", data, want)
		}
		if !<-finished {
			t.Error("it says that the close frame is not written")
		}
	})
}

// A peer that does not read is given up in time, and who sends is told.
func TestOutbox_GivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _, resumed, failed := full(t)
		begin := time.Now()
		if o.send([]hakuban.Message{{}}) {
			t.Error("there is room in a pipe that nobody reads")
		}
		<-failed
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("given up after %v", took)
		}
		if len(resumed) > 0 || o.finish([]byte("\x03\xe8")) {
			t.Error("it goes on after that")
		}
	})
}

// Who sends is told that there is room when all is written, once.
func TestOutbox_SaysWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, theirs, resumed, _ := full(t)
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		for range 3 {
			if o.send([]hakuban.Message{{}}) {
				t.Error("a pipe has room")
			}
			<-resumed
			synctest.Wait()
			if len(resumed) > 0 {
				t.Error("it says so twice")
			}
		}
		_ = theirs.Close()
	})
}

// A socket takes what it has room for at once; what it has no room for comes after, in order.
func TestOutbox_FillsASocketAndGoesOn(t *testing.T) {
	near, far := tcpPair(t)
	_ = near.(*net.TCPConn).SetWriteBuffer(4 << 10)
	_ = far.(*net.TCPConn).SetReadBuffer(4 << 10)
	c := &carrier{Conn: near}
	room := make(chan struct{}, 1)
	o := newOutbox(c, true, func() { room <- struct{}{} }, func(err error) { t.Error(err) })
	c.begin(patience, func() {})
	const each, most = 10_000, 10_000
	sent := 0
	for o.lockedText(strings.Repeat("x", each)) {
		if sent++; sent > most {
			t.Fatal("the socket has room for ever")
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		reader := bufio.NewReader(far)
		for range sent + 1 {
			header := make([]byte, 8) // with the mask
			if _, err := io.ReadFull(reader, header); err != nil {
				t.Error(err)
				return
			}
			payload := make([]byte, each)
			if _, err := io.ReadFull(reader, payload); err != nil {
				t.Error(err)
				return
			}
			for i := range payload {
				if payload[i]^header[4+i%4] != 'x' {
					t.Error("a byte is another")
					return
				}
			}
		}
	})
	reading.Wait()
	if !o.finish(nil) {
		t.Error("it failed")
	}
}

// lockedText sends a text and reports whether all of it was written.
func (o *outbox) lockedText(text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.control(opText, []byte(text))
	return !o.flushing
}
