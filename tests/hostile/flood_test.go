package hostile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
	"hakuban/wire"
)

func (r *router) tcp(t *testing.T) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(r.url, "ws://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func TestFlood_ManyConnectionsThatSayNothing(t *testing.T) {
	r := startRouter(t, "")
	for range 300 {
		r.dial(t)
	}
	for i := range 100 { // and some that do not even ask to upgrade, or go on asking for ever
		_, _ = io.WriteString(r.tcp(t), strings.Repeat("GET / HTTP/1.1\r\nX: ", i%2))
	}
	r.pass("400 idle connections")
	r.bounded("400 idle connections", 100)
}

func TestFlood_Garbage(t *testing.T) {
	r := startRouter(t, "")
	random := rand.NewChaCha8([32]byte{1})
	for i := range 200 {
		connection := r.tcp(t)
		garbage := make([]byte, 1+i*50)
		_, _ = random.Read(garbage)
		_, _ = connection.Write(garbage)
		_ = connection.Close()
	}
	for i := range 200 { // the same within websocket messages
		c := r.dial(t)
		garbage := make([]byte, 1+i)
		_, _ = random.Read(garbage)
		c.event(greeting()...)
		c.send(garbage)
		_ = c.socket.Close()
	}
	r.pass("garbage")
	r.bounded("garbage", 100)
}

func TestFlood_TextsAndPings(t *testing.T) {
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	c.socket.SetPongHandler(func(string) error { return nil })
	for range 20_000 {
		if err := c.socket.WriteMessage(websocket.TextMessage, []byte(".")); err != nil {
			t.Fatal(err)
		}
		_ = c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience))
	}
	c.alive()
	r.pass("20,000 texts and pings whose pongs nobody reads")
	r.bounded("texts and pings", 100)
}

func TestFlood_ContractsThatComeAndGo(t *testing.T) {
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	for i := range 100_000 {
		json := fmt.Sprint(i % 10)
		c.event(message(1, contracts(act(wire.ActionObserveObject, json, 0), act(wire.ActionExposeTag, json, 1),
			act(wire.ActionUnobserveObject, json, 0), act(wire.ActionUnexposeTag, json, 0))))
	}
	c.alive()
	r.pass("400,000 contract actions")
	r.bounded("400,000 contract actions", 100)
}

// TestFlood_ManyObjects has one link observe very many objects that another exposes by tag, and then both go.
func TestFlood_ManyObjects(t *testing.T) {
	r := startRouter(t, "")
	observer, exposer := r.dial(t), r.dial(t)
	const objects = 50_000
	elected := make(chan struct{}) // for all of them
	for _, c := range []*client{observer, exposer} {
		go func() { // read what it is told: this is not about a slow reader
			for opened := -1; ; { // the control channel is one more
				_, data, err := c.socket.ReadMessage()
				if err != nil {
					return
				}
				if data[0] == byte(wire.EventOpen) {
					opened++
				}
				if c == exposer && opened == objects {
					opened++
					close(elected)
				}
			}
		}()
	}
	exposer.event(greeting()...)
	exposer.event(message(1, contracts(act(wire.ActionExposeTag, `"T"`, 1))))
	observer.event(greeting()...)
	for i := 0; i < objects; i += 500 {
		var actions []wire.ControlAction
		for j := range 500 {
			actions = append(actions, wire.ControlAction{Kind: wire.ActionObserveObject, Tags: []string{`"T"`}, JSON: fmt.Sprint(i + j)})
		}
		observer.event(message(1, contracts(actions...)))
	}
	select {
	case <-elected:
	case <-time.After(patience):
		t.Fatal("the exposer was not elected for all of them")
	}
	r.pass("50,000 objects")
	r.bounded("50,000 objects", 400)
	_ = exposer.socket.Close()
	_ = observer.socket.Close()
	r.pass("50,000 objects that went with their link")
	r.bounded("50,000 objects that went with their link", 400)
}

// TestFlood_AReaderThatReadsNothing observes an object of which 200 MB are published.
func TestFlood_AReaderThatReadsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MB of random states take long under the race detector, and fewer would prove nothing")
	}
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	c.event(message(1, contracts(act(wire.ActionObserveObject, `"big"`, 0))))
	source := r.connect("source")
	expose := source.ExposeObject(hakuban.MustObject("big"))
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sink, err := expose.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	observe := r.watcher.ObserveObject(hakuban.MustObject("big"))
	defer observe.Close()
	stream, err := observe.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{2})
	data := make([]byte, 1<<20)
	for i := range 200 {
		_, _ = random.Read(data)
		data[0] = byte(i)
		if err := sink.Send(limited, hakuban.NewState(bytes.Clone(data))); err != nil {
			t.Fatal(err)
		}
	}
	limited, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		state, err := stream.Next(limited)
		if err != nil {
			t.Fatalf("the newest state did not arrive: %v", err)
		}
		if bytes.Equal(state.Data(), data) {
			break
		}
	}
	r.pass("200 MB for a reader that reads nothing")
	r.bounded("200 MB for a reader that reads nothing", 200)
}

// TestFlood_AnExposerFasterThanTheRouter publishes without pause.
func TestFlood_AnExposerFasterThanTheRouter(t *testing.T) {
	r := startRouter(t, "")
	observe := r.watcher.ObserveObject(hakuban.MustObject("fast"))
	defer observe.Close()
	c := r.dial(t)
	sink := r.elected(c, `"fast"`)
	const count = 200_000
	for version := range int64(count) {
		c.event(states(sink, patch(version+1, fmt.Append(nil, version+1))))
	}
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := observe.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	for {
		state, err := stream.Next(limited)
		if err != nil {
			t.Fatalf("the newest state did not arrive: %v", err)
		}
		if string(state.Data()) == fmt.Sprint(count) {
			break
		}
	}
	r.pass("an exposer without pause")
	r.bounded("an exposer without pause", 100)
}

// TestFlood_DataDoubledByEveryState grows a state by references to itself until a limit ends the link.
func TestFlood_DataDoubledByEveryState(t *testing.T) {
	r := startRouter(t, "")
	defer r.watcher.ObserveObject(hakuban.MustObject("doubled")).Close()
	c := r.dial(t)
	sink := r.elected(c, `"doubled"`)
	c.event(states(sink, patch(1, []byte("0123456789abcdef"))))
	size := 16
	for version := int64(2); size <= 1<<30; version++ {
		// Old data whole, then the same again from the output: position size, length size.
		length := []byte{253, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}
		diff := append([]byte{0xff, 0x80}, length...)
		diff = append(diff, 0xff, 124, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
		c.event(states(sink, patch(version, append(diff, length...))))
		size *= 2
	}
	if reason := c.end(); !strings.Contains(reason, "channel") {
		t.Errorf("ended with %q", reason)
	}
	r.pass("data doubled by every state")
	r.bounded("data doubled by every state", 500)
}

// TestFlood_ChannelsThatNobodyCloses opens channels without end.
func TestFlood_ChannelsThatNobodyCloses(t *testing.T) {
	if testing.Short() {
		t.Skip("a million messages")
	}
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	for number := range uint64(1_100_000) {
		event := wire.Event{Kind: wire.EventOpen, Channel: down(number + 2)}
		if c.socket.WriteMessage(websocket.BinaryMessage, wire.AppendEvent(nil, &event)) != nil {
			break
		}
	}
	if reason := c.end(); !strings.Contains(reason, "limit") {
		t.Errorf("ended with %q", reason)
	}
	r.pass("a million channels")
	r.bounded("a million channels", 400)
}
