package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
)

func TestCarrier_StallsAndHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // its writes wait for a reader
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		c := &carrier{Conn: ours}
		c.begin(time.Minute, func() {})
		start := time.Now()
		if err := c.writeAll([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("a stalled write: %v after %v", err, time.Since(start))
		}
		// A slow reader is no reason to give up, however long a large write takes.
		start = time.Now()
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				time.Sleep(40 * time.Second)
				if _, err := io.CopyN(io.Discard, theirs, pieceSize); err != nil {
					return
				}
			}
		}()
		if err := c.writeAll(make([]byte, 4*pieceSize)); err != nil || time.Since(start) != 160*time.Second {
			t.Errorf("a slow write: %v after %v", err, time.Since(start))
		}
		start = time.Now()
		go func() { time.Sleep(time.Second); c.hurry(time.Now().Add(time.Second)) }()
		if err := c.writeAll(make([]byte, 4*pieceSize)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("a hurried write: %v after %v", err, time.Since(start))
		}
		_ = theirs.Close()
		<-read
	})
}

// A reader's deadline is set once, and moved when it is reached.
func TestCarrier_IsSilentForTheWholeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		c := &carrier{Conn: ours}
		waits := 0
		c.begin(time.Minute, func() { waits++ })
		go func() {
			for range 3 {
				time.Sleep(50 * time.Second)
				_, _ = theirs.Write([]byte("x"))
			}
		}()
		start, buffer := time.Now(), make([]byte, 8)
		for range 3 {
			if _, err := c.Read(buffer); err != nil {
				t.Fatalf("%v after %v", err, time.Since(start))
			}
			c.hear()
		}
		if _, err := c.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 210*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if waits != 4 {
			t.Errorf("%d reads were announced, 4 were made", waits)
		}
		c.hear()
		c.stop()
		if _, err := c.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 210*time.Second {
			t.Errorf("a read of a carrier that was stopped: %v after %v", err, time.Since(start))
		}
	})
}

// sessionOn makes a session on a connection, whose upgrade is over, to an upstream of the exchange.
func sessionOn(t *testing.T, x *hakuban.Exchange, connection net.Conn, p parameters) *session {
	t.Helper()
	link, err := x.AttachUpstream(hakuban.LinkOptions{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	return sessionOver(t, link, connection, p)
}

// sessionOver makes a session of a link on a connection whose upgrade is over.
func sessionOver(t *testing.T, link *hakuban.Link, connection net.Conn, p parameters) *session {
	t.Helper()
	o, err := completeOptions(&Options{Logger: quiet}, forConnect)
	if err != nil {
		t.Fatal(err)
	}
	c := &carrier{Conn: connection}
	return newSession(link, c, true, p, o)
}

// A process that stood still beyond a deadline finds it passed, and data that came in time.
func TestCarrier_ReadsBeforeItJudgesAfterAStandstill(t *testing.T) {
	near, far := tcpPair(t)
	c := &carrier{Conn: near, handshake: -1}
	c.begin(time.Minute, func() {})
	passed := func(since time.Duration) {
		c.heardAt = time.Now().Add(-time.Minute - since)
		_ = c.SetReadDeadline(c.heardAt.Add(time.Minute))
	}
	if _, err := far.Write([]byte("here")); err != nil {
		t.Fatal(err)
	}
	var buffer [10]byte
	passed(2 * tardy)
	if n, err := c.Read(buffer[:]); err != nil || string(buffer[:n]) != "here" {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
	passed(2 * tardy)
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("of a silent peer: read %q, %v", buffer[:n], err)
	}
	if _, err := far.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	passed(tardy / 2) // as on a machine that is only busy
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("within a message that takes too long: read %q, %v", buffer[:n], err)
	}
	c.stop()
	if n, err := c.Read(buffer[:]); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("stopped: read %q, %v", buffer[:n], err)
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

// Time that is up stays up, also for pieces that are written after that was said, to a peer that takes one now and then.
func TestCarrier_NoPieceGoesOnAfterTheCutoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		var reading sync.WaitGroup
		defer reading.Wait()
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		c := &carrier{Conn: ours, timeout: time.Minute}
		reading.Go(func() {
			for {
				if _, err := io.CopyN(io.Discard, theirs, pieceSize); err != nil {
					return
				}
				time.Sleep(400 * time.Millisecond)
			}
		})
		start := time.Now()
		c.hurry(start.Add(time.Second))
		if err := c.writeAll(make([]byte, 100*pieceSize)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("a write in many pieces: %v after %v", err, time.Since(start))
		}
	})
}
