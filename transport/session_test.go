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
