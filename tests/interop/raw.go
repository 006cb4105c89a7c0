package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"hakuban/wire"
	"hakuban/wire/diff"
)

// Raw is one end of a link that a test speaks itself, message by message: it says what no library would, or not just then.
type Raw struct {
	t      testing.TB
	name   string
	socket *websocket.Conn
	origin wire.Origin // of the channels that this end opens
	opened uint64      // how many it has

	mutex sync.Mutex
	heard []wire.Event // in order of arrival, of one action each, without those already waited for
	ended error        // why nothing is heard any more
}

// DialRaw links to a parent, as a child of that name with the load limit, if any.
func DialRaw(t testing.TB, url, name string, limit ...uint32) *Raw {
	t.Helper()
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRaw(t, name, socket, wire.DownstreamOriginated)
	r.open(wire.ChannelType{Kind: wire.ChannelUpstreamControl})
	var points []wire.LoadPoint
	for _, load := range limit {
		points = append(points, wire.LoadPoint{Load: load})
	}
	r.Tell(wire.ControlAction{Kind: wire.ActionSetName, Name: name}, wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: points})
	return r
}

// RawParent accepts links of children.
type RawParent struct {
	URL   string
	t     testing.TB
	links chan *Raw
}

// ListenRaw starts a parent on a free port.
func ListenRaw(t testing.TB) *RawParent {
	p := &RawParent{t: t, links: make(chan *Raw, 1)}
	upgrader := websocket.Upgrader{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		socket, err := upgrader.Upgrade(w, request, nil)
		if err != nil {
			if t.Context().Err() == nil { // or else a child came back when the scenario was over, and was told to end
				t.Errorf("upgrade: %v", err)
			}
			return
		}
		p.links <- newRaw(t, "parent", socket, wire.UpstreamOriginated)
	}))
	t.Cleanup(server.Close)
	p.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	return p
}

// Accept waits for the next link.
func (p *RawParent) Accept() *Raw {
	p.t.Helper()
	var r *Raw
	eventually(p.t, func() string { return "no child has come" }, func() bool {
		select {
		case r = <-p.links:
			return true
		default:
			return false
		}
	})
	r.open(wire.ChannelType{Kind: wire.ChannelDownstreamControl})
	return r
}

func newRaw(t testing.TB, name string, socket *websocket.Conn, origin wire.Origin) *Raw {
	socket.SetPingHandler(func(string) error { return nil }) // it says what the test says, and nothing else
	r := &Raw{t: t, name: name, socket: socket, origin: origin}
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		r.listen()
	}()
	t.Cleanup(func() {
		r.Drop()
		<-listened
	})
	return r
}

// Drop ends the connection without a word.
func (r *Raw) Drop() { _ = r.socket.Close() }

func (r *Raw) listen() {
	for {
		kind, data, err := r.socket.ReadMessage()
		if err == nil && kind != websocket.BinaryMessage {
			continue // a keep-alive
		}
		var event wire.Event
		if err == nil {
			event, err = wire.DecodeEvent(data, nil)
		}
		r.mutex.Lock()
		if err != nil {
			r.ended = err
			r.mutex.Unlock()
			return
		}
		r.heard = append(r.heard, single(event)...)
		r.mutex.Unlock()
	}
}

// single makes of an event one for each of its actions.
func single(event wire.Event) (events []wire.Event) {
	for _, action := range event.Message.Control {
		one := event
		one.Message.Control = []wire.ControlAction{action}
		events = append(events, one)
	}
	for _, action := range event.Message.States {
		one := event
		one.Message.States = []wire.StateAction{action}
		events = append(events, one)
	}
	if events == nil {
		events = []wire.Event{event}
	}
	return events
}

// take returns the first event that matches and was not waited for before, if it has arrived.
func (r *Raw) take(matches func(wire.Event) bool) (wire.Event, bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if i := slices.IndexFunc(r.heard, matches); i >= 0 {
		found := r.heard[i]
		r.heard = slices.Delete(r.heard, i, i+1)
		return found, true
	}
	return wire.Event{}, false
}

// wait returns the first event that matches and was not waited for before.
func (r *Raw) wait(what string, matches func(wire.Event) bool) (found wire.Event) {
	r.t.Helper()
	eventually(r.t, func() string {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		return fmt.Sprintf("%s has not heard %s, but %+v (ended: %v)", r.name, what, r.heard, r.ended)
	}, func() (ok bool) {
		found, ok = r.take(matches)
		return ok
	})
	return found
}

// unheard fails if a matching event has arrived: it is for when what would have caused it has been answered.
func (r *Raw) unheard(what string, matches func(wire.Event) bool) {
	r.t.Helper()
	if event, ok := r.take(matches); ok {
		r.t.Fatalf("%s has heard %s, expected not to: %+v", r.name, what, event)
	}
}

// WaitEnded waits until the other end has ended the link.
func (r *Raw) WaitEnded() {
	r.t.Helper()
	eventually(r.t, func() string { return "the link of " + r.name + " has not ended" }, r.Ended)
}

// Ended says whether the other end has ended the link.
func (r *Raw) Ended() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.ended != nil
}

func (r *Raw) say(event wire.Event) {
	r.t.Helper()
	if err := r.socket.WriteMessage(websocket.BinaryMessage, wire.AppendEvent(nil, &event)); err != nil {
		r.t.Fatalf("%s: %v", r.name, err)
	}
}

// open opens a channel of this end's.
func (r *Raw) open(kind wire.ChannelType) wire.ChannelID {
	r.t.Helper()
	r.opened++
	id := wire.ChannelID{Origin: r.origin, Number: r.opened}
	r.say(wire.Event{Kind: wire.EventOpen, Channel: id})
	r.say(wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: wire.MessageUninitialized, Initialize: []wire.ChannelType{kind}}})
	return id
}

// Tell sends one control message to the parent.
func (r *Raw) Tell(actions ...wire.ControlAction) {
	r.t.Helper()
	r.say(wire.Event{
		Kind: wire.EventMessage, Channel: wire.ChannelID{Origin: r.origin, Number: 1},
		Message: wire.Message{Kind: wire.MessageUpstreamControl, Control: actions},
	})
}

// What a child may tell of an object, or of a tag given as JSON text.
func observing(o Object) wire.ControlAction          { return action(wire.ActionObserveObject, o, 0) }
func unobserving(o Object) wire.ControlAction        { return action(wire.ActionUnobserveObject, o, 0) }
func exposing(o Object, c uint32) wire.ControlAction { return action(wire.ActionExposeObject, o, c) }
func unexposing(o Object) wire.ControlAction         { return action(wire.ActionUnexposeObject, o, 0) }
func resizing(o Object, c uint32) wire.ControlAction {
	return action(wire.ActionSetObjectCapacity, o, c)
}
func observingTag(tag string) wire.ControlAction   { return tagAction(wire.ActionObserveTag, tag, 0) }
func unobservingTag(tag string) wire.ControlAction { return tagAction(wire.ActionUnobserveTag, tag, 0) }
func exposingTag(tag string, c uint32) wire.ControlAction {
	return tagAction(wire.ActionExposeTag, tag, c)
}
func unexposingTag(tag string) wire.ControlAction { return tagAction(wire.ActionUnexposeTag, tag, 0) }
func resizingTag(tag string, c uint32) wire.ControlAction {
	return tagAction(wire.ActionSetTagCapacity, tag, c)
}

func action(kind wire.ActionKind, o Object, capacity uint32) wire.ControlAction {
	return wire.ControlAction{Kind: kind, Tags: o.Tags, JSON: o.JSON, Capacity: capacity}
}

func tagAction(kind wire.ActionKind, tag string, capacity uint32) wire.ControlAction {
	return wire.ControlAction{Kind: kind, JSON: tag, Capacity: capacity}
}

// WaitTold waits until the child has told the action.
func (r *Raw) WaitTold(want wire.ControlAction) {
	r.t.Helper()
	r.wait(fmt.Sprint("an action like ", want), func(e wire.Event) bool {
		actions := e.Message.Control
		return len(actions) == 1 && actions[0].Kind == want.Kind && actions[0].JSON == want.JSON && actions[0].Capacity == want.Capacity
	})
}

// RawChannel is a state channel.
type RawChannel struct {
	raw  *Raw
	id   wire.ChannelID
	last State // that was sent or received
}

// Sink waits until the parent has opened the next sink of the object.
func (r *Raw) Sink(object Object) *RawChannel {
	r.t.Helper()
	return &RawChannel{raw: r, id: r.wait("a sink of "+object.JSON, opens(wire.ChannelSink, object)).Channel}
}

// Stream waits until the parent has opened the next stream of the object.
func (r *Raw) Stream(object Object) *RawChannel {
	r.t.Helper()
	return &RawChannel{raw: r, id: r.wait("a stream of "+object.JSON, opens(wire.ChannelStream, object)).Channel}
}

// NoSink fails if a sink of the object has been opened.
func (r *Raw) NoSink(object Object) {
	r.t.Helper()
	r.unheard("a sink of "+object.JSON, opens(wire.ChannelSink, object))
}

// NoStream fails if a stream of the object has been opened.
func (r *Raw) NoStream(object Object) {
	r.t.Helper()
	r.unheard("a stream of "+object.JSON, opens(wire.ChannelStream, object))
}

func opens(kind wire.ChannelKind, object Object) func(wire.Event) bool {
	return func(e wire.Event) bool {
		types := e.Message.Initialize
		return len(types) == 1 && types[0].Kind == kind && types[0].JSON == object.JSON
	}
}

// OpenSink opens a sink of the object at the child.
func (r *Raw) OpenSink(object Object) *RawChannel {
	r.t.Helper()
	return &RawChannel{raw: r, id: r.open(wire.ChannelType{Kind: wire.ChannelSink, Tags: object.Tags, JSON: object.JSON})}
}

// OpenStream opens a stream of the object at the child.
func (r *Raw) OpenStream(object Object) *RawChannel {
	r.t.Helper()
	return &RawChannel{raw: r, id: r.open(wire.ChannelType{Kind: wire.ChannelStream, Tags: object.Tags, JSON: object.JSON})}
}

// Send sends a state, or its flag alone where the channel carried the state last.
func (c *RawChannel) Send(state State) State {
	c.raw.t.Helper()
	action := wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: state.SynchronizedMicros}
	if !state.SameData(c.last) {
		action = wire.StateAction{
			Kind: wire.StatePatch, Version: state.Version, HasFormat: true, Format: state.Format,
			Diff: new(diff.Encoder).Append(nil, c.last.Data, state.Data), Synchronized: state.SynchronizedMicros,
		}
	}
	c.last = state
	c.raw.say(wire.Event{
		Kind: wire.EventMessage, Channel: c.id,
		Message: wire.Message{Kind: wire.MessageStateStream, States: []wire.StateAction{action}},
	})
	return state
}

// Next waits for the next state, or flag of the last one.
func (c *RawChannel) Next() State {
	c.raw.t.Helper()
	action := c.raw.wait(fmt.Sprint("a state on ", c.id), c.carries).Message.States[0]
	if action.Kind == wire.StatePatch {
		data, err := diff.Patch(c.last.Data, action.Diff, 1<<20)
		if err != nil {
			c.raw.t.Fatalf("%s: a diff: %v", c.raw.name, err)
		}
		c.last.Data, c.last.Version = data, action.Version
		if action.HasFormat {
			c.last.Format = action.Format
		}
	}
	c.last.SynchronizedMicros = action.Synchronized
	return c.last
}

// WaitFor reads until the state is there, with its flag.
func (c *RawChannel) WaitFor(want State) {
	c.raw.t.Helper()
	for got := c.Next(); !got.SameData(want) || got.Now() != want.Now(); got = c.Next() {
	}
}

func (c *RawChannel) carries(e wire.Event) bool {
	return e.Channel == c.id && len(e.Message.States) == 1
}
func (c *RawChannel) closes(e wire.Event) bool { return e.Channel == c.id && e.Kind == wire.EventClose }

// WaitClosed waits until the parent has closed the channel.
func (c *RawChannel) WaitClosed() {
	c.raw.t.Helper()
	c.raw.wait(fmt.Sprint("the end of ", c.id), c.closes)
}

// NotClosed fails if the parent has closed the channel.
func (c *RawChannel) NotClosed() {
	c.raw.t.Helper()
	c.raw.unheard(fmt.Sprint("the end of ", c.id), c.closes)
}

// Close closes a channel of this end's.
func (c *RawChannel) Close() {
	c.raw.t.Helper()
	c.raw.say(wire.Event{Kind: wire.EventClose, Channel: c.id})
}
