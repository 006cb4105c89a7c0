package transport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// meanwhile is a log that does something when a session is made, between the upgrade of its connection and its beginning.
type meanwhile struct {
	slog.Handler
	do func()
}

func (m meanwhile) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == "downstream link made" {
		m.do()
	}
	return m.Handler.Handle(ctx, record)
}

func TestClose_WaitsForALinkThatIsBeingMade(t *testing.T) {
	var log transcript
	listening, closed := make(chan *Listener, 1), make(chan struct{})
	closeMeanwhile := func() {
		l := <-listening
		go func() { defer close(closed); l.Close() }()
		<-l.ending
	}
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{Logger: slog.New(meanwhile{slog.NewTextHandler(&log, nil), closeMeanwhile})})
	listening <- l
	wantClose(t, dial(t, l.URL()), websocket.CloseGoingAway, "the listener was closed")
	<-closed
	if text := log.String(); !strings.Contains(text, "downstream link ended") {
		t.Errorf("Close did not wait for the link:\n%s", text)
	}
}

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
		o, err := completeOptions(&Options{Logger: log.logger()}, forListen)
		if err != nil {
			t.Fatal(err)
		}
		g := newGate(&poorListener{failures: 12}, &Listener{address: address, options: o, ending: make(chan struct{})})
		begin := time.Now()
		connection, err := g.accept()
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
		if _, err := g.accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after closing: %v", err)
		}
	})
}

type closedListener struct{ net.Listener }

func (closedListener) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
}
