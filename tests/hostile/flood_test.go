package hostile

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
	"hakuban/wire"
)

// few is a number of inputs, less in a short run.
func few(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func TestFlood_ManyConnectionsThatSayNothing(t *testing.T) {
	r := startRouter(t, "")
	for range 500 {
		r.dial(t)
	}
	for i := range 100 { // and some that do not even ask to upgrade, or stop in the middle
		r.tcp(t).say(strings.Repeat("GET / HTTP/1.1\r\nX: ", i%2))
	}
	r.pass("600 idle connections")
	r.bounded("600 idle connections", 60)
}

// TestFlood_MessagesThatAreAnnouncedOnly promises 64 MiB on each of many connections, and sends a byte.
func TestFlood_MessagesThatAreAnnouncedOnly(t *testing.T) {
	r := startRouter(t, "")
	for range 300 {
		r.upgraded(t).say(announced(0x82, 1<<26) + "x")
	}
	r.pass("19 GiB announced")
	r.bounded("19 GiB announced", 60)
	for range 8 {
		r.upgraded(t).say(announced(0x82, 1<<26) + strings.Repeat("x", 8<<20))
	}
	r.pass("64 MiB sent of messages that never end")
	r.bounded("64 MiB sent of messages that never end", 350)
}

func TestFlood_Garbage(t *testing.T) {
	r := startRouter(t, "")
	random := rand.NewChaCha8([32]byte{1})
	for i := range 200 {
		s := r.tcp(t)
		garbage := make([]byte, 1+i*50)
		_, _ = random.Read(garbage)
		s.say(string(garbage))
		_ = s.Close()
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
	r.bounded("garbage", 60)
}

func TestFlood_TextsAndPings(t *testing.T) {
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	c.socket.SetPongHandler(func(string) error { return nil })
	for range few(20_000) {
		if err := c.socket.WriteMessage(websocket.TextMessage, []byte(".")); err != nil {
			t.Fatal(err)
		}
		_ = c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience))
	}
	c.alive()
	r.pass("texts and pings whose pongs nobody reads")
	r.bounded("texts and pings", 60)
}

func TestFlood_ContractsThatComeAndGo(t *testing.T) {
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	for i := range few(100_000) {
		json := fmt.Sprint(i % 10)
		c.event(message(1, contracts(act(wire.ActionObserveObject, json, 0), act(wire.ActionExposeTag, json, 1),
			act(wire.ActionUnobserveObject, json, 0), act(wire.ActionUnexposeTag, json, 0))))
	}
	c.alive()
	r.pass("400,000 contract actions")
	r.bounded("400,000 contract actions", 60)
}

// TestFlood_ChannelsThatNobodyReadsOf makes the router open and close a channel again and again, and reads nothing of it: first
// the sinks of an object that others observe, then the streams of one that others expose.
func TestFlood_ChannelsThatNobodyReadsOf(t *testing.T) {
	r := startRouter(t, "")
	defer r.watcher.ObserveObject(hakuban.MustObject("wanted")).Close()
	for _, row := range []struct {
		story   string
		on, off wire.ActionKind
		json    string
	}{
		{"elections that come and go", wire.ActionExposeObject, wire.ActionUnexposeObject, `"wanted"`},
		{"streams that come and go", wire.ActionObserveObject, wire.ActionUnobserveObject, `"healthy"`},
	} {
		c := r.dial(t)
		c.event(greeting()...)
		for range few(100_000) {
			c.event(message(1, contracts(act(row.on, row.json, 1))), message(1, contracts(act(row.off, row.json, 0))))
		}
		c.event(message(1, contracts(act(wire.ActionObserveObject, `"healthy"`, 0), act(wire.ActionExposeObject, `"wanted"`, 1))))
		r.pass(row.story)
		c.awaitChannel(wire.ChannelSink, `"wanted"`)
		r.bounded(row.story, 60)
		_ = c.socket.Close()
		r.awaitEnd(c.socket.LocalAddr().String())
	}
}

// TestFlood_MessagesOnChannelsThatNobodyReads sends what nobody takes: states on a sink that was revoked, and names on the router's own
// control channel.
func TestFlood_MessagesOnChannelsThatNobodyReads(t *testing.T) {
	r := startRouter(t, "")
	defer r.watcher.ObserveObject(hakuban.MustObject("wanted")).Close()
	c := r.dial(t)
	sink := r.elected(c, `"wanted"`)
	c.event(message(1, contracts(act(wire.ActionUnexposeObject, `"wanted"`, 0))))
	c.await(func(e *wire.Event) bool { return e.Kind == wire.EventClose })
	data := []byte(strings.Repeat("x", 1000))
	name := wire.Message{Kind: wire.MessageDownstreamControl, Control: []wire.ControlAction{{Kind: wire.ActionSetName, Name: string(data)}}}
	for version := range int64(few(100_000)) {
		c.event(states(sink, patch(version, data)), wire.Event{Kind: wire.EventMessage, Channel: up(1), Message: name})
	}
	c.alive()
	r.pass("200 MB that nobody takes")
	r.bounded("200 MB that nobody takes", 60)
}

// TestFlood_ATagOfManyObjectsThatComesAndGoes has every small message concern very many objects.
func TestFlood_ATagOfManyObjectsThatComesAndGoes(t *testing.T) {
	r := startRouter(t, "")
	observer, exposer := r.dial(t), r.dial(t)
	observer.event(greeting()...)
	observer.observe(few(20_000))
	exposer.event(greeting()...)
	go exposer.drain(nil)
	for range few(200) {
		exposer.event(message(1, contracts(act(wire.ActionExposeTag, `"T"`, 1))), message(1, contracts(act(wire.ActionUnexposeTag, `"T"`, 0))))
	}
	observer.alive()
	_ = exposer.socket.Close()
	r.awaitEnd(exposer.socket.LocalAddr().String())
	r.pass("a tag of 20,000 objects, 200 times")
	r.bounded("a tag of 20,000 objects, 200 times", 500)
}

// TestFlood_ManyObjects has one link observe very many objects that another exposes by tag, and then both go.
func TestFlood_ManyObjects(t *testing.T) {
	r := startRouter(t, "")
	observer, exposer := r.dial(t), r.dial(t)
	objects := few(100_000)
	elected := make(chan struct{}) // for all of them
	opened := -1                   // the control channel is one more
	go observer.drain(nil)
	go exposer.drain(func(kind wire.EventKind) {
		if kind == wire.EventOpen {
			if opened++; opened == objects {
				close(elected)
			}
		}
	})
	exposer.event(greeting()...)
	exposer.event(message(1, contracts(act(wire.ActionExposeTag, `"T"`, 1))))
	observer.event(greeting()...)
	observer.observe(objects)
	select {
	case <-elected:
	case <-time.After(patience):
		t.Fatal("the exposer was not elected for all of them")
	}
	r.pass("100,000 objects")
	r.bounded("100,000 objects", 600)
	for _, c := range []*client{exposer, observer} {
		begin := time.Now()
		_ = c.socket.Close()
		r.awaitEnd(c.socket.LocalAddr().String())
		r.pass("100,000 objects that lost a link")
		t.Logf("recovered from a link with %d objects in %v", objects, time.Since(begin).Round(time.Millisecond))
	}
	r.bounded("100,000 objects that lost their links", 600)
}

// TestFlood_AReaderThatReadsNothing observes an object of which 160 MB are published, as fast as the router takes them in. It must not
// take in what it cannot carry on: what others see would be older and older.
func TestFlood_AReaderThatReadsNothing(t *testing.T) {
	r := startRouter(t, "")
	reader, source := r.dial(t), r.dial(t)
	reader.event(greeting()...)
	reader.event(message(1, contracts(act(wire.ActionObserveObject, `"big"`, 0))))
	observe := r.watcher.ObserveObject(hakuban.MustObject("big"))
	defer observe.Close()
	sink := r.elected(source, `"big"`)
	random := rand.NewChaCha8([32]byte{2})
	data := make([]byte, 1<<20)
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var seen atomic.Int64 // the newest version
	last := make(chan hakuban.State, 1)
	const count = 160
	go func() {
		defer close(last)
		stream, err := observe.Next(limited)
		for err == nil && seen.Load() < count {
			var state hakuban.State
			if state, err = stream.Next(limited); err == nil {
				seen.Store(state.Version()[0])
				if seen.Load() == count {
					last <- state
				}
			}
		}
	}()
	behind := int64(0)
	for version := int64(1); version <= count; version++ {
		_, _ = random.Read(data)
		for i := range data {
			data[i] &^= 0x80 // without the escape a diff is a literal; and nothing in it is like the state before
		}
		source.event(states(sink, patch(version, data)))
		behind = max(behind, version-seen.Load())
	}
	state, arrived := <-last
	if !arrived || !bytes.Equal(state.Data(), data) {
		t.Fatalf("the newest state did not arrive: version %d did, of %d", seen.Load(), count)
	}
	// What the kernel holds of both links is less: 36 MiB of each direction with its defaults.
	const most = 100
	if behind > most {
		t.Errorf("the router took in %d states of 1 MiB of which nobody saw any, expected at most %d", behind, most)
	}
	t.Logf("what was seen was at most %d states behind", behind)
	r.pass("160 MB for a reader that reads nothing")
	r.bounded("160 MB for a reader that reads nothing", 100)
}

// TestFlood_AnExposerFasterThanTheRouter publishes without pause.
func TestFlood_AnExposerFasterThanTheRouter(t *testing.T) {
	r := startRouter(t, "")
	observe := r.watcher.ObserveObject(hakuban.MustObject("fast"))
	defer observe.Close()
	c := r.dial(t)
	sink := r.elected(c, `"fast"`)
	count := int64(0)
	for begin := time.Now(); time.Since(begin) < time.Duration(few(2000))*time.Millisecond; count++ {
		c.event(states(sink, patch(count+1, fmt.Append(nil, count+1))))
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
	t.Logf("%d states", count)
	r.pass("an exposer without pause")
	r.bounded("an exposer without pause", 60)
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
	c.ends("channel")
	r.pass("data doubled by every state")
	r.bounded("data doubled by every state", 500)
}

func TestFlood_ChannelsOpenedAndClosed(t *testing.T) {
	r := startRouter(t, "")
	c := r.dial(t)
	c.event(greeting()...)
	for number := range uint64(few(100_000)) {
		c.event(wire.Event{Kind: wire.EventOpen, Channel: down(number + 2)}, wire.Event{Kind: wire.EventClose, Channel: down(number + 2)})
	}
	c.alive()
	r.pass("100,000 channels opened and closed")
	r.bounded("100,000 channels opened and closed", 60)
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
	c.ends("limit")
	r.pass("a million channels")
	r.bounded("a million channels", 400)
}
