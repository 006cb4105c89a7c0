package impl

import (
	"strconv"
	"testing"

	"hakuban/wire"
)

// asking is a message of many actions, of one kind, each on an object of its own.
func asking(kind wire.ActionKind, objects int, tags ...string) wire.Event {
	var actions []wire.ControlAction
	for i := range objects {
		actions = append(actions, act(kind, strconv.Itoa(i), 1, tags...))
	}
	return contracts(actions...)
}

// takeFirst has the core take the first slice of a message.
func (r *raw) takeFirst(event wire.Event) {
	r.t.Helper()
	r.step(Input{Kind: InputReceive, Link: r.link, Data: wire.AppendEvent(nil, &event)})
}

// nothingLeft checks that an exchange is as if nobody had ever been there.
func nothingLeft(t *testing.T, x *Exchange) {
	t.Helper()
	expect(t, "objects", len(x.objects), 0)
	expect(t, "tags", len(x.tags), 0)
	expect(t, "links", len(x.links), 0)
	expect(t, "what upstream should be asked for", x.sums, [accounts]sum{})
	_, due := x.Deadline()
	expect(t, "a deadline", due, false)
}

func TestSlice_OthersComeInBetweenTheSlicesOfAMessage(t *testing.T) {
	x := New(Config{})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	r.takeFirst(asking(wire.ActionExposeObject, 3*DefaultSlice))
	expect(t, "objects after the first slice", len(x.objects), DefaultSlice)
	expect(t, "there is more", x.Taking(1), true)
	x.Step(r.now, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: object1(`7`)})
	expect(t, "an observer in between gets its exposer", x.objects[object1(`7`).Key].elected, Elected{Kind: ElectedLink, Link: 1})
	for n := 2; x.Taking(1); n++ {
		r.step(Input{Kind: InputContinue, Link: 1})
		expect(t, "objects after a slice", len(x.objects), n*DefaultSlice)
	}
	expect(t, "objects", len(x.objects), 3*DefaultSlice)
	r.step(Input{Kind: InputContinue, Link: 1}) // of nothing
	expect(t, "objects", len(x.objects), 3*DefaultSlice)
}

func TestSlice_TheNextMessageWaitsForTheLastSlice(t *testing.T) {
	x := New(Config{Slice: 2})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	r.takeFirst(asking(wire.ActionExposeObject, 3))
	event := contracts(act(wire.ActionUnexposeObject, `2`, 0))
	effects := x.Step(r.now, Input{Kind: InputReceive, Link: 1, Data: wire.AppendEvent(nil, &event)})
	if len(effects) != 1 || effects[0].Kind != EffectRefused {
		t.Fatalf("the next message came in between: %+v", effects)
	}
	r.step(Input{Kind: InputContinue, Link: 1})
	expect(t, "objects", len(x.objects), 3)
	r.send(event)
	expect(t, "objects", len(x.objects), 2)
}

func TestSlice_WhoLeavesHalfWayLeavesNothingBehind(t *testing.T) {
	for slices := range 4 {
		x := New(Config{Slice: 10})
		r := rawPeer(t, x, 1, ToDownstream)
		r.send(greeting()...)
		r.send(contracts(act(wire.ActionObserveTag, `"T"`, 0)))
		r.takeFirst(asking(wire.ActionExposeObject, 40, `"T"`))
		for range slices {
			r.step(Input{Kind: InputContinue, Link: 1})
		}
		r.pull()
		r.step(Input{Kind: InputDetach, Link: 1})
		expect(t, "there is more", x.Taking(1), false)
		r.step(Input{Kind: InputContinue, Link: 1})
		nothingLeft(t, x)
	}
}

func TestSlice_AFaultInALaterSliceEndsTheLink(t *testing.T) {
	x := New(Config{Slice: 2})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	r.takeFirst(contracts(act(wire.ActionExposeObject, `1`, 1), act(wire.ActionExposeObject, `2`, 1), act(wire.ActionExposeObject, `{`, 1)))
	if r.end != nil {
		t.Fatal(r.end)
	}
	r.step(Input{Kind: InputContinue, Link: 1})
	if r.end == nil {
		t.Error("the link goes on")
	}
	nothingLeft(t, x)
}

// An exposer that goes on over the cut of a message keeps its age only within a slice: a message that is cut is two.
func TestSlice_OneSliceCountsAsAWhole(t *testing.T) {
	x := New(Config{Slice: 2})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	r.send(contracts(act(wire.ActionExposeObject, `1`, 1)))
	begun := func() uint64 { return x.links[1].objects[object1(`1`).Key].begun }
	was := begun()
	r.send(contracts(act(wire.ActionUnexposeObject, `1`, 0), act(wire.ActionExposeObject, `1`, 2)))
	expect(t, "within a slice: goes on since", begun(), was)
	r.send(contracts(act(wire.ActionExposeObject, `2`, 1), act(wire.ActionUnexposeObject, `1`, 0), act(wire.ActionExposeObject, `1`, 2)))
	if begun() <= was {
		t.Errorf("taken back in one slice and asked for in the next: it goes on since %d", begun())
	}
}

// No step looks at many things, however much it is asked for.
func TestSlice_NoStepLooksAtMuch(t *testing.T) {
	const objects, most = 20 * DefaultSlice, 10 * DefaultSlice
	x := New(Config{Rebalance: true})
	now := Now{Mono: 1e9, Wall: 1e18}
	step := func(what string, input Input) []Effect {
		effects := x.Step(now, input)
		if x.work > most {
			t.Errorf("%s: a step looks at %d things, at most %d were expected", what, x.work, most)
		}
		return effects
	}
	pull := func(link LinkID) {
		for drained := false; !drained; {
			effects := step("a pull", Input{Kind: InputPull, Link: link, Budget: 1 << 20})
			drained = effects[len(effects)-1].Kind == EffectDrained
		}
	}
	send := func(what string, link LinkID, events ...wire.Event) {
		for i := range events {
			step(what, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &events[i])})
			for x.Taking(link) {
				step(what, Input{Kind: InputContinue, Link: link})
			}
		}
		for _, id := range sortedKeys(x.links) {
			pull(id)
		}
	}
	for link := LinkID(1); link <= 3; link++ {
		step("attach", Input{Kind: InputAttach, Link: link, Role: ToDownstream})
		send("a greeting", link, greeting()...)
	}
	send("exposes", 1, asking(wire.ActionExposeObject, objects, `"T"`))
	send("exposes the same", 2, asking(wire.ActionExposeObject, objects, `"T"`))
	send("observes", 3, asking(wire.ActionObserveObject, objects, `"T"`))
	send("observes by the tag", 3, contracts(act(wire.ActionObserveTag, `"U"`, 0)))
	looked := 0
	for at, due := x.Deadline(); due; at, due = x.Deadline() {
		now.Mono = max(now.Mono, at)
		step("a tick", Input{Kind: InputTick})
		looked += x.work
	}
	if looked < objects {
		t.Errorf("ticks looked at %d things, there are %d objects that could move", looked, objects)
	}
	for _, id := range sortedKeys(x.links) {
		pull(id)
	}
	send("observes no more", 3, asking(wire.ActionUnobserveObject, objects, `"T"`))
	send("exposes no more", 1, asking(wire.ActionUnexposeObject, objects, `"T"`))
}
