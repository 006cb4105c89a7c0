package transport

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestSession_AMessageHasTheWholeTimeout begins a message when the peer has been silent for most of the timeout.
func TestSession_AMessageHasTheWholeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		const timeout = 10 * time.Second
		s := sessionOn(t, newExchange(t), ours, parameters{timeout: timeout, keepAlive: time.Hour})
		go func() { _ = s.run() }()
		for range 2 { // the second one after a message
			time.Sleep(timeout - time.Second)
			_, _ = io.WriteString(theirs, "\x01\x01a") // a text that is not complete
			time.Sleep(timeout - time.Second)
			_, _ = io.WriteString(theirs, "\x80\x00")
			synctest.Wait()
			if err := s.link.Err(); err != nil {
				t.Fatalf("a message that took less than the timeout ended its link: %v", err)
			}
		}
		_, _ = io.WriteString(theirs, "\x01\x01a")
		begin := time.Now()
		time.Sleep(timeout - time.Second)
		_, _ = io.WriteString(theirs, "\x00\x01b\x89\x00") // a ping within a message does not give it more time
		<-s.link.Done()
		if took := time.Since(begin); took != timeout {
			t.Errorf("a message without end ended its link after %v, the timeout is %v", took, timeout)
		}
		_ = theirs.Close()
	})
}

// A connector tells of each link that it makes and loses, and of its end.
func TestConnector_TellsOfChanges(t *testing.T) {
	top, bottom := newExchange(t), newExchange(t)
	listener := listen(t, top, "ws://127.0.0.1:0")
	c := connect(t, bottom, listener.URL())
	becomes := func(connected bool) {
		t.Helper()
		for {
			changed := c.Changed()
			if (c.Snapshot().Connection != nil) == connected {
				return
			}
			select {
			case <-changed:
			case <-time.After(patience):
				t.Fatalf("nothing told that the connector is connected: %v", connected)
			}
		}
	}
	becomes(true)
	listener.Close()
	becomes(false)
	listen(t, top, listener.URL())
	becomes(true)
	c.Close()
	becomes(false)
	select {
	case <-c.Done():
	default:
		t.Error("the connector has not ended")
	}
}
