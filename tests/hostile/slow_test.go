package hostile

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// These tests wait for the router's timeouts, all at the same time.

// handshake is how long the router waits for a request to be complete.
const handshake = 10 * time.Second

// TestSlow_Handshakes sends requests a few bytes at a time, for ever, or stops in the middle.
func TestSlow_Handshakes(t *testing.T) {
	if testing.Short() {
		t.Skip("the router gives a handshake 10 s")
	}
	t.Parallel()
	r := startRouter(t, "")
	var sockets []*socket
	for i := range 100 {
		s := r.tcp(t)
		s.say([]string{"", "GET / HT", upgradeRequest, upgradeRequest + "X: "}[i%4])
		sockets = append(sockets, s)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for _, s := range sockets {
			if answer := s.header(); strings.Contains(answer, " 101 ") {
				t.Errorf("upgraded: %q", answer)
			}
		}
	}()
	ticker := time.NewTicker(handshake / 100)
	defer ticker.Stop()
	for begin := time.Now(); ; {
		select {
		case <-over:
			if took := time.Since(begin); took < handshake/2 {
				t.Errorf("all were cut off after %v", took)
			}
			r.pass("100 slow handshakes")
			r.bounded("100 slow handshakes", 60)
			return
		case <-ticker.C:
			for i, s := range sockets {
				if i%4 == 3 {
					s.say("x")
				}
			}
		}
	}
}

// TestSlow_Frames is about websockets that are silent, or never come to an end. All are at the same time.
func TestSlow_Frames(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	r := startRouter(t, "#timeout="+timeout.String())
	var rows sync.WaitGroup
	for _, row := range []struct {
		story  string
		start  string
		repeat string // sent again and again
	}{
		{"nothing at all", "", ""},
		{"half a header", "\x82", ""},
		{"half a message", announced(0x82, 1000) + "x", ""},
		{"a message a byte at a time", announced(0x82, 1<<20), "x"},
		{"a text a byte at a time", announced(0x81, 1<<20), "x"},
		{"pieces without end", frame(0x02, ""), frame(0x00, "")},
		{"pieces without end, and pings between them", frame(0x02, ""), frame(0x00, "") + frame(0x89, "")},
		{"pings within a message", frame(0x02, ""), frame(0x89, "")},
	} {
		s := r.upgraded(t)
		rows.Go(func() {
			begin := time.Now()
			s.say(row.start)
			if reason := s.keepSaying(row.repeat); !strings.Contains(reason, "nothing came") {
				t.Errorf("%s: ended with %q", row.story, reason)
			}
			if took := time.Since(begin); took < timeout/2 {
				t.Errorf("%s: ended after %v", row.story, took)
			}
		})
	}
	rows.Wait()
	r.pass("slow frames")
	r.bounded("slow frames", 60)
}

// keepSaying says the same again and again until the connection ends, and returns why.
func (s *socket) keepSaying(text string) string {
	over := make(chan string, 1)
	go func() {
		_, reason := s.farewell()
		over <- reason
	}()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case reason := <-over:
			return reason
		case <-ticker.C:
			s.say(text)
		}
	}
}

// TestSlow_Farewells breaks the protocol, and then neither reads nor closes: the router does not wait for that.
func TestSlow_Farewells(t *testing.T) {
	t.Parallel()
	r := startRouter(t, "")
	var clients []*client
	for range 50 {
		c := r.dial(t)
		c.event(greeting()...)
		c.send([]byte{0xff})
		clients = append(clients, c)
	}
	for _, c := range clients {
		if reason := r.awaitEnd(c.socket.LocalAddr().String()); !strings.Contains(reason, "broke the protocol") {
			t.Errorf("ended with %s", reason)
		}
		_ = c.socket.WriteMessage(websocket.BinaryMessage, nil) // to nobody
	}
	r.pass("50 that do not leave")
	r.bounded("50 that do not leave", 60)
}
