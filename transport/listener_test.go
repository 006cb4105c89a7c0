package transport

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// poorListener is a listener of a system that lacks what a connection needs, for a while.
type poorListener struct {
	net.Listener // nil
	failures     int
}

func (p *poorListener) Accept() (net.Conn, error) {
	if p.failures--; p.failures >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.ENOBUFS}
	}
	ours, _ := net.Pipe()
	return ours, nil
}

func TestAccept_GoesOnAfterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		address, err := parseAddress("ws://127.0.0.1:0", "n")
		if err != nil {
			t.Fatal(err)
		}
		var log transcript
		o, err := newOptions([]Option{log.option()})
		if err != nil {
			t.Fatal(err)
		}
		g := &gate{Listener: &poorListener{failures: 12}, listener: &Listener{address: address, options: o, ending: make(chan struct{})}}
		begin := time.Now()
		connection, err := g.Accept()
		if err != nil {
			t.Fatalf("the listener ended: %v", err)
		}
		_ = connection.Close()
		if took, want := time.Since(begin), 5275*time.Millisecond; took != want { // 5, 10, … 640 ms, then 1 s each
			t.Errorf("it took %v to try 12 times more, want %v", took, want)
		}
		if n := strings.Count(log.String(), "cannot be taken"); n != 1 {
			t.Errorf("%d lines, one was expected:\n%s", n, log.String())
		}
		close(g.listener.ending)
		g.Listener = closedListener{}
		if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after closing: %v", err)
		}
	})
}

type closedListener struct{ net.Listener }

func (closedListener) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
}
