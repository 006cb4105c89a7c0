package hostile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban/wire"
)

// client is a websocket connection to misbehave on.
type client struct {
	t      *testing.T
	socket *websocket.Conn
}

func (r *router) dial(t *testing.T) *client {
	t.Helper()
	socket, _, err := websocket.DefaultDialer.Dial(r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	r.stranger(socket.NetConn())
	return &client{t, socket}
}

// send sends a message. The router may have ended the link already: what it says is read elsewhere.
func (c *client) send(data []byte) { _ = c.socket.WriteMessage(websocket.BinaryMessage, data) }

func (c *client) event(events ...wire.Event) {
	for i := range events {
		c.send(wire.AppendEvent(nil, &events[i]))
	}
}

// await reads until an event matches.
func (c *client) await(matches func(*wire.Event) bool) wire.Event {
	c.t.Helper()
	_ = c.socket.SetReadDeadline(time.Now().Add(patience))
	for {
		kind, data, err := c.socket.ReadMessage()
		if err != nil {
			c.t.Fatal(err)
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		event, err := wire.DecodeEvent(data, nil)
		if err != nil {
			c.t.Fatalf("the router sent what does not decode: %v", err)
		}
		if matches(&event) {
			return event
		}
	}
}

// end reads until the link ends, and returns the router's code and reason.
func (c *client) end() (code int, reason string) {
	c.t.Helper()
	_ = c.socket.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := c.socket.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				c.t.Fatalf("the link ended with %v, without a reason", err)
			}
			return closed.Code, closed.Text
		}
	}
}

// ends checks that the link ends as broken by this peer, with a reason that contains the one given.
func (c *client) ends(reason string) {
	c.t.Helper()
	if code, got := c.end(); code != protocol || !strings.Contains(got, reason) {
		c.t.Errorf("ended with %d %q, expected %d and %q in it", code, got, protocol, reason)
	}
}

// alive checks that the link has not ended: a contract made after all that was sent is answered.
func (c *client) alive() {
	c.t.Helper()
	c.event(message(1, contracts(act(wire.ActionObserveObject, `"healthy"`, 0))))
	c.awaitChannel(wire.ChannelStream, `"healthy"`)
}

// observe makes contracts on that many objects of the tag "T".
func (c *client) observe(objects int) {
	const together = 500
	for i := 0; i < objects; i += together {
		var actions []wire.ControlAction
		for j := i; j < min(i+together, objects); j++ {
			actions = append(actions, wire.ControlAction{Kind: wire.ActionObserveObject, Tags: []string{`"T"`}, JSON: fmt.Sprint(j)})
		}
		c.event(message(1, contracts(actions...)))
	}
}

// drain reads what the router says until the connection ends.
func (c *client) drain(heard func(wire.EventKind)) {
	for {
		_, data, err := c.socket.ReadMessage()
		if err != nil {
			return
		}
		if heard != nil && len(data) > 0 {
			heard(wire.EventKind(data[0]))
		}
	}
}

func down(number uint64) wire.ChannelID {
	return wire.ChannelID{Origin: wire.DownstreamOriginated, Number: number}
}
func up(number uint64) wire.ChannelID {
	return wire.ChannelID{Origin: wire.UpstreamOriginated, Number: number}
}

func message(number uint64, m wire.Message) wire.Event {
	return wire.Event{Kind: wire.EventMessage, Channel: down(number), Message: m}
}

func act(kind wire.ActionKind, json string, capacity uint32) wire.ControlAction {
	return wire.ControlAction{Kind: kind, JSON: json, Capacity: capacity}
}

func contracts(actions ...wire.ControlAction) wire.Message {
	return wire.Message{Kind: wire.MessageUpstreamControl, Control: actions}
}

// greeting is how a child begins.
func greeting() []wire.Event {
	return []wire.Event{
		{Kind: wire.EventOpen, Channel: down(1)},
		message(1, wire.Message{Kind: wire.MessageUninitialized, Initialize: []wire.ChannelType{{Kind: wire.ChannelUpstreamControl}}}),
		message(1, contracts(wire.ControlAction{Kind: wire.ActionSetName, Name: "hostile"})),
	}
}

// elected makes the client the producer of an object that the healthy observer wants, and returns the sink's number.
func (r *router) elected(c *client, json string) uint64 {
	c.t.Helper()
	c.event(greeting()...)
	c.event(message(1, contracts(act(wire.ActionExposeObject, json, 1))))
	return c.awaitChannel(wire.ChannelSink, json)
}

// awaitChannel reads until the router has opened a channel of that kind for an object, and returns its number.
func (c *client) awaitChannel(kind wire.ChannelKind, json string) uint64 {
	c.t.Helper()
	return c.await(func(e *wire.Event) bool {
		types := e.Message.Initialize
		return e.Message.Kind == wire.MessageUninitialized && len(types) == 1 && types[0].Kind == kind && types[0].JSON == json
	}).Channel.Number
}

func states(sink uint64, actions ...wire.StateAction) wire.Event {
	return wire.Event{Kind: wire.EventMessage, Channel: up(sink), Message: wire.Message{Kind: wire.MessageStateStream, States: actions}}
}

func patch(version int64, diff []byte) wire.StateAction {
	return wire.StateAction{Kind: wire.StatePatch, Version: []int64{version}, HasFormat: true, Format: []string{"BYTES"}, Diff: diff}
}
