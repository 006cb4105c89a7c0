package impl

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"hakuban/wire"
)

// raw is a peer that is only bytes: the test says what it sends.
type raw struct {
	t    *testing.T
	x    *Exchange
	now  Now
	link LinkID
	got  []wire.Event
	end  error
}

func rawPeer(t *testing.T, x *Exchange, id LinkID, role Role) *raw {
	r := &raw{t: t, x: x, now: Now{Mono: 1e9, Wall: 1e18}, link: id}
	r.step(Input{Kind: InputAttach, Link: id, Role: role, Name: "core"})
	r.pull()
	return r
}

func (r *raw) step(input Input) {
	r.t.Helper()
	for _, e := range r.x.Step(r.now, input) {
		switch e.Kind {
		case EffectWrite:
			event, err := wire.DecodeEvent(e.Message.Bytes(), nil)
			if err != nil {
				r.t.Fatalf("the core wrote what does not decode: %v", err)
			}
			r.got = append(r.got, event)
		case EffectEnd:
			if e.Link == r.link {
				r.end = e.Err
			}
		}
	}
	if err := r.x.Check(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) pull() []wire.Event {
	r.t.Helper()
	r.got = nil
	r.step(Input{Kind: InputPull, Link: r.link, Budget: 1 << 20})
	return r.got
}

func (r *raw) send(events ...wire.Event) {
	r.t.Helper()
	for i := range events {
		r.step(Input{Kind: InputReceive, Link: r.link, Data: wire.AppendEvent(nil, &events[i])})
		for r.x.Taking(r.link) {
			r.step(Input{Kind: InputContinue, Link: r.link})
		}
	}
}

func up(n uint64) wire.ChannelID { return wire.ChannelID{Origin: wire.UpstreamOriginated, Number: n} }
func down(n uint64) wire.ChannelID {
	return wire.ChannelID{Origin: wire.DownstreamOriginated, Number: n}
}

func initialize(id wire.ChannelID, kind wire.ChannelKind, d wire.Descriptor) []wire.Event {
	return []wire.Event{{Kind: wire.EventOpen, Channel: id}, {Kind: wire.EventMessage, Channel: id,
		Message: wire.Message{Kind: wire.MessageUninitialized, Initialize: []wire.ChannelType{{Kind: kind, Tags: d.Tags, JSON: d.JSON}}}}}
}

func closing(id wire.ChannelID) wire.Event { return wire.Event{Kind: wire.EventClose, Channel: id} }

func states(id wire.ChannelID, actions ...wire.StateAction) wire.Event {
	return wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: wire.MessageStateStream, States: actions}}
}

// patch is a state made from nothing, so that it replaces whatever was before.
func patch(version int64, data string, synchronized uint64) wire.StateAction {
	return wire.StateAction{Kind: wire.StatePatch, Version: []int64{version}, HasFormat: true, Format: []string{"JSON"}, Diff: []byte(data), Synchronized: synchronized}
}

func flagOnly(synchronized uint64) wire.StateAction {
	return wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: synchronized}
}

func controls(kind wire.MessageKind, id wire.ChannelID, actions ...wire.ControlAction) wire.Event {
	return wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: kind, Control: actions}}
}

func contracts(actions ...wire.ControlAction) wire.Event {
	return controls(wire.MessageUpstreamControl, down(1), actions...)
}

// observerOf is a core with upstream streaming the thing to a local stream.
func observerOf(t *testing.T) (r *raw, seen func() string) {
	x := New(Config{})
	x.Step(Now{}, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	stream := x.Step(Now{}, Input{Kind: InputTake, Contract: 1})[0].Offer
	r = rawPeer(t, x, 7, ToUpstream)
	r.send(initialize(up(1), wire.ChannelDownstreamControl, wire.Descriptor{})...)
	r.send(initialize(up(2), wire.ChannelStream, thing)...)
	return r, func() string {
		for _, e := range x.Step(r.now, Input{Kind: InputRead, Offer: stream}) {
			if e.Kind == EffectState && e.State != nil {
				flag := "now"
				if !e.Synchronized.Now {
					flag = fmt.Sprintf("%d us ago", (r.now.Mono-e.Synchronized.Mono)/1000)
				}
				return fmt.Sprintf("%v %s %s", e.State.Version, e.State.Data, flag)
			}
		}
		return "nothing"
	}
}

func TestState_GreaterVersionIsTakenLowerIsNot(t *testing.T) {
	r, seen := observerOf(t)
	r.send(states(up(2), patch(5, "five", 0)))
	expect(t, "first", seen(), "[5] five now")
	r.send(states(up(2), patch(6, "six", 0)))
	expect(t, "newer", seen(), "[6] six now")
	r.now.Mono += 1e6
	r.send(states(up(2), patch(4, "four", 0)))
	expect(t, "a stale state never makes the flag now, and its sender no longer upholds the one held", seen(), "[6] six 0 us ago")
	r.send(states(up(2), flagOnly(0)))
	expect(t, "nor does its flag", seen(), "[6] six 0 us ago")
	r.send(states(up(2), patch(6, "another six", 0)))
	expect(t, "an equal version counts for the flag, the first data stays", seen(), "[6] six now")
}

func TestState_AStaleStateIsStillTheBaseOfTheNextDiff(t *testing.T) {
	r, seen := observerOf(t)
	r.send(states(up(2), patch(5, "abcdefgh", 0), patch(4, "stale", 0)))
	next := patch(7, "", 0)
	next.HasFormat, next.Format = false, nil
	next.Diff = []byte{0xff, 0x80, 5} // copy 5 bytes of the base from where we are
	r.send(states(up(2), next))
	expect(t, "seen", seen(), "[7] stale now")
}

func TestState_LongerVersionWithEqualPrefixIsGreater(t *testing.T) {
	r, seen := observerOf(t)
	long := patch(5, "long", 0)
	long.Version = []int64{5, math.MinInt64}
	r.send(states(up(2), patch(5, "short", 0), long))
	expect(t, "seen", seen(), "[5 -9223372036854775808] long now")
}

func TestFlag_LastAtNeverMovesBackWhileTheVersionStays(t *testing.T) {
	r, seen := observerOf(t)
	r.send(states(up(2), patch(5, "five", 100)))
	expect(t, "at first", seen(), "[5] five 100 us ago")
	r.send(states(up(2), flagOnly(200)))
	expect(t, "an older time", seen(), "[5] five 100 us ago")
	r.send(states(up(2), flagOnly(50)))
	expect(t, "a newer time", seen(), "[5] five 50 us ago")
	r.send(states(up(2), flagOnly(0)))
	r.now.Mono += 1e6
	r.send(states(up(2), flagOnly(5000)))
	expect(t, "it was now 1 ms ago", seen(), "[5] five 1000 us ago")
	r.send(states(up(2), patch(6, "six", 5000)))
	expect(t, "a new version brings its own", seen(), "[6] six 5000 us ago")
	r.send(states(up(2), flagOnly(math.MaxUint64)))
	expect(t, "a time before all times", seen(), "[6] six 5000 us ago")
}

func TestFlag_TheLastNowSourceToGoStampsTheMoment(t *testing.T) {
	r, seen := observerOf(t)
	r.send(states(up(2), patch(5, "five", 0)))
	r.send(initialize(up(3), wire.ChannelStream, thing)...)
	r.send(states(up(3), patch(5, "five", 0)))
	r.now.Mono += 1e6
	r.send(closing(up(2)))
	expect(t, "another source still says now", seen(), "[5] five now")
	r.send(states(up(3), flagOnly(0)))
	r.send(closing(up(3)))
	r.now.Mono += 1e6
	expect(t, "the last one went", seen(), "[5] five 1000 us ago")
}

func TestFlag_BeforeAnyStateCountsForNothing(t *testing.T) {
	r, seen := observerOf(t)
	r.send(states(up(2), flagOnly(0)))
	expect(t, "seen", seen(), "nothing")
	if r.end != nil {
		t.Fatal(r.end)
	}
}

func TestVersion_DefaultIsTheClockOrTheSuccessorOfTheNewestKnown(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeObject, thing, 1)
	n.open(ObserveObject, thing, 0)
	sink := n.takeOffer(expose)
	held := func() []int64 { return n.x.objects[thing.Key].held.Version }
	if err := n.publish(sink, "clock"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(held(), []int64{0, w.now.Wall / 1e9, w.now.Wall % 1e9}) {
		t.Errorf("version %v", held())
	}
	w.now.Wall -= 3600e9
	before := held()
	if err := n.publish(sink, "the clock went back"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(held(), []int64{0, before[1], before[2] + 1}) {
		t.Errorf("version %v after %v", held(), before)
	}
	if err := n.publish(sink, "hostile", math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	if err := n.publish(sink, "and on"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(held(), []int64{math.MaxInt64, 0}) {
		t.Errorf("version %v", held())
	}
	expect(t, "an older explicit version", n.publish(sink, "old", 7), ErrStale)
	expect(t, "the version held with other data", n.publish(sink, "other", math.MaxInt64, 0), ErrStale)
	expect(t, "the version held with the same data", n.publish(sink, "and on", math.MaxInt64, 0), nil)
}

func TestSuccessor(t *testing.T) {
	for _, row := range [][2][]int64{
		{{}, {0}}, {{0}, {1}}, {{-1}, {0}}, {{1, math.MaxInt64}, {1, math.MaxInt64, 0}}, {{math.MaxInt64, 3}, {math.MaxInt64, 4}},
	} {
		if got := Successor(row[0]); !slices.Equal(got, row[1]) || slices.Compare(got, row[0]) <= 0 {
			t.Errorf("successor of %v is %v, want %v", row[0], got, row[1])
		}
	}
}

func TestConflation_ASlowLinkGetsTheNewestStateOnly(t *testing.T) {
	w := newWorld(t)
	a, o := w.node("a", Config{}), w.node("o", Config{})
	_, link := w.connect(o, a)
	expose := a.open(ExposeObject, thing, 1)
	o.open(ObserveObject, thing, 0)
	w.settle()
	sink := a.takeOffer(expose)
	a.peers[link].held = true
	for i := range 1000 {
		if err := a.publish(sink, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	a.peers[link].held = false
	before := len(a.peers[link].queue)
	a.step(Input{Kind: InputPull, Link: link, Budget: 1 << 20})
	expect(t, "messages for a thousand states", len(a.peers[link].queue)-before, 1)
	w.settle()
	expect(t, "held", string(o.x.objects[thing.Key].held.Data), "999")
}

func TestConflation_WhatBecameMootIsNeverSent(t *testing.T) {
	w := newWorld(t)
	a, o := w.node("a", Config{}), w.node("o", Config{})
	down, _ := w.connect(o, a)
	w.settle()
	o.peers[down].held = true
	for range 100 {
		o.close(o.open(ObserveObject, thing, 0))
	}
	l := o.x.links[down]
	expect(t, "told entries kept", len(l.told)+len(l.toldTags), 0)
	o.peers[down].held = false
	w.settle()
	expect(t, "objects ever made at a", a.x.lastObject, 0)
}

func TestDelta_OneIsSharedByAllLinksAndDroppedAfterTheLast(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "c")
	expose := root.open(ExposeObject, thing, 1)
	for _, name := range []string{"a", "b", "c"} {
		c[name].open(ObserveObject, thing, 0)
	}
	w.settle()
	sink := root.takeOffer(expose)
	if err := root.publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	o := root.x.objects[thing.Key]
	root.step(Input{Kind: InputPull, Link: o.links[0].link.id, Budget: 1000})
	first := o.deltas.entries[0].delta
	if first == nil {
		t.Fatal("no delta is kept though two more links wait for it")
	}
	for _, link := range o.links[1:] {
		effects := root.step(Input{Kind: InputPull, Link: link.link.id, Budget: 1000})
		at := slices.IndexFunc(effects, func(e Effect) bool { return e.Message.Delta() != nil })
		if at < 0 || effects[at].Message.Delta() != first {
			t.Errorf("link %d does not share the first one's delta", link.link.id)
		}
	}
	expect(t, "dropped", o.deltas.empty(), true)
}

func TestPull_StopsAtTheBudgetAndGoesOn(t *testing.T) {
	x := New(Config{})
	for i := range 100 {
		x.Step(Now{}, Input{Kind: InputOpen, Contract: ContractID(i + 1), ContractKind: ObserveObject, Descriptor: object1(fmt.Sprint(i))})
	}
	x.Step(Now{}, Input{Kind: InputAttach, Link: 1, Role: ToUpstream, Name: "n"})
	pulls, actions := 0, 0
	for drained := false; !drained; pulls++ {
		size := 0
		for _, e := range x.Step(Now{}, Input{Kind: InputPull, Link: 1, Budget: 300, Buffer: make([]byte, 0, 64)}) {
			drained = drained || e.Kind == EffectDrained
			if e.Kind == EffectWrite {
				size += len(e.Message.Bytes())
				event, err := wire.DecodeEvent(e.Message.Bytes(), nil)
				if err != nil {
					t.Fatal(err)
				}
				actions += len(event.Message.Control)
			}
		}
		if size > 700 {
			t.Fatalf("a pull with budget 300 wrote %d bytes", size)
		}
	}
	expect(t, "actions: name, limit and a hundred contracts", actions, 102)
	if pulls < 3 {
		t.Errorf("%d pulls", pulls)
	}
}

func TestPull_LeavesWhatTheBufferHeld(t *testing.T) {
	x := New(Config{})
	x.Step(Now{}, Input{Kind: InputAttach, Link: 1, Role: ToDownstream, Name: "n"})
	buffer := append(make([]byte, 0, 4096), "before"...)
	effects := x.Step(Now{}, Input{Kind: InputPull, Link: 1, Budget: 1000, Buffer: buffer})
	expect(t, "before", string(buffer), "before")
	expect(t, "first message follows", bytes.Equal(effects[0].Message.Bytes(), buffer[:9][6:9]), true)
}

func TestSink_StatesInFlightAtARevocationAreDropped(t *testing.T) {
	x := New(Config{})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(initialize(down(1), wire.ChannelUpstreamControl, wire.Descriptor{})...)
	r.send(contracts(wire.ControlAction{Kind: wire.ActionExposeObject, Tags: thing.Tags, JSON: thing.JSON, Capacity: 1}))
	x.Step(r.now, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	r.pull()
	r.send(states(up(2), patch(1, "one", 0)))
	x.Step(r.now, Input{Kind: InputOpen, Contract: 2, ContractKind: ExposeObject, Descriptor: thing, Capacity: 1})
	r.send(states(up(2), patch(2, "revoked, its close not yet sent", 0)))
	expect(t, "held", string(x.objects[thing.Key].held.Data), "one")
	expect(t, "flag", x.objects[thing.Key].flag.Now, false)
	events := r.pull()
	expect(t, "closed by the pull", events[0].Kind, wire.EventClose)
	r.send(states(up(2), patch(3, "closed, in flight", 0)))
	expect(t, "held", string(x.objects[thing.Key].held.Data), "one")
	if r.end != nil {
		t.Fatal(r.end)
	}
	x.Step(r.now, Input{Kind: InputClose, Contract: 2})
	events = r.pull()
	expect(t, "a new election opens a new channel", events[0].Channel, up(3))
}

// A stream that is open when nobody needs the data any more, and is wanted again
// before the pull that would have closed it, never says that the state ended. So
// the state stays until the stream is closed (spec/findings.md, 1).
func TestState_IsKeptWhileAStreamToDownstreamIsOpen(t *testing.T) {
	w := newWorld(t)
	r, a := w.node("r", Config{}), w.node("a", Config{})
	_, link := w.connect(a, r)
	expose := r.open(ExposeObject, thing, 1)
	observe := r.open(ObserveObject, thing, 0)
	a.open(ExposeObject, thing, 1)
	stream := a.takeOffer(a.open(ObserveObject, thing, 0))
	w.settle()
	sink := r.takeOffer(expose)
	if err := r.publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "seen below", a.seen(stream), "x now")
	r.peers[link].held = true
	r.close(observe)
	expect(t, "kept", r.x.objects[thing.Key].held != nil, true)
	r.open(ObserveObject, thing, 0)
	r.peers[link].held = false
	w.settle()
	expect(t, "seen below, nobody having published since", a.seen(stream), "x last")
}

func TestState_IsErasedWhenNobodyNeedsIt(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeObject, thing, 1)
	observe := n.open(ObserveObject, thing, 0)
	sink := n.takeOffer(expose)
	if err := n.publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	n.close(observe)
	expect(t, "object kept by its exposer", len(n.x.objects), 1)
	expect(t, "state erased", n.x.objects[thing.Key].held == nil, true)
	n.step(Input{Kind: InputRelease, Offer: sink})
}
