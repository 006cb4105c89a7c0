package impl

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"hakuban/wire"
)

// TestUpstream_WhoAsksForMost: one link below may ask for eight ninths of what upstream may be asked for; whoever comes later and
// asks for little is let in.
func TestUpstream_WhoAsksForMost(t *testing.T) {
	const most = 88 // of 99, as the control channel is one of 100: 8 times the 11 that are left
	name := func(i int) string { return strconv.Itoa(i) }
	for story, send := range map[string]func(r *raw, n int){
		"one after another": func(r *raw, n int) {
			for i := range n {
				r.send(contracts(act(wire.ActionExposeObject, name(i), 1)))
			}
		},
		"in one message": func(r *raw, n int) {
			var all []wire.ControlAction
			for i := range n {
				all = append(all, act(wire.ActionExposeObject, name(i), 1))
			}
			r.send(contracts(all...))
		},
		"objects and tags": func(r *raw, n int) {
			for i := range n {
				kind := wire.ActionObserveObject
				if i%2 == 1 {
					kind = wire.ActionObserveTag
				}
				r.send(contracts(act(kind, name(i), 0)))
			}
		},
	} {
		for _, n := range []int{most, most + 1} {
			x, upstream, hog, modest := between(t, Limits{LinkObjects: 100})
			send(hog, n)
			if (hog.end != nil) != (n > most) {
				t.Errorf("%s, %d objects and tags: %v", story, n, hog.end)
			}
			if n > most && !strings.Contains(hog.end.Error(), errGreedyAsks.Error()) {
				t.Error(hog.end)
			}
			upstream.pull()
			modest.send(contracts(act(wire.ActionObserveObject, `"modest"`, 0), act(wire.ActionObserveTag, `"modest"`, 0)))
			if modest.end != nil || x.links[1] == nil {
				t.Errorf("%s, %d objects and tags: the modest link %v, upstream goes on: %v", story, n, modest.end, x.links[1] != nil)
			}
		}
	}
}

// TestUpstream_WhatIsTakenBackCountsUntilUpstreamIsTold: it is what upstream counts.
func TestUpstream_WhatIsTakenBackCountsUntilUpstreamIsTold(t *testing.T) {
	x, upstream, hog, _ := between(t, Limits{LinkObjects: 100})
	for i := range 60 {
		hog.send(contracts(act(wire.ActionExposeObject, strconv.Itoa(i), 1)))
	}
	upstream.pull()
	for i := range 60 {
		hog.send(contracts(act(wire.ActionUnexposeObject, strconv.Itoa(i), 0)))
	}
	expect(t, "asked of upstream", asked(x), 60)
	for i := range 40 {
		hog.send(contracts(act(wire.ActionExposeObject, strconv.Itoa(100+i), 1)))
	}
	if hog.end == nil {
		t.Error("upstream may be asked for more than it allows")
	}
	upstream.pull()
	expect(t, "asked of upstream when it was told", asked(x), 0)
}

// TestUpstream_Names: few objects may have long names.
func TestUpstream_Names(t *testing.T) {
	_, _, hog, modest := between(t, Limits{LinkBytes: 10000000})
	for i := range 50 { // of 179 kB with its object, 8.75 MB are allowed
		hog.send(contracts(act(wire.ActionObserveObject, strconv.Quote(strconv.Itoa(1000+i)+sized("x", 1000)), 0)))
		if hog.end != nil {
			expect(t, "names let in", i, 43)
			break
		}
	}
	if hog.end == nil || !strings.Contains(hog.end.Error(), errGreedyNames.Error()) {
		t.Errorf("the hog ended: %v", hog.end)
	}
	modest.send(contracts(act(wire.ActionObserveObject, `"modest"`, 0)))
	if modest.end != nil {
		t.Error(modest.end)
	}
}

// TestUpstream_BeforeThereIsAnUpstream the bounds hold if one is expected; else one that would be asked for too much is refused.
func TestUpstream_BeforeThereIsAnUpstream(t *testing.T) {
	for _, expected := range []bool{true, false} {
		x := New(Config{Limits: Limits{LinkObjects: 100}, Upstream: expected})
		for id := range LinkID(2) {
			r := rawPeer(t, x, 2+id, ToDownstream)
			r.send(greeting()...)
			for i := range 60 {
				r.send(contracts(act(wire.ActionExposeObject, strconv.Itoa(int(id)*100+i), 1)))
			}
			if r.end != nil {
				t.Errorf("an upstream is expected: %v; link %d ended: %v", expected, 2+id, r.end)
			}
		}
		expect(t, "links that go on", len(x.links), map[bool]int{true: 1, false: 2}[expected]) // the first has taken most
		refused := false
		for _, effect := range x.Step(Now{}, Input{Kind: InputAttach, Link: 1, Role: ToUpstream}) {
			refused = refused || effect.Kind == EffectRefused && errors.Is(effect.Err, ErrTooLarge)
		}
		expect(t, "upstream refused", refused, !expected)
		if err := x.Check(); err != nil {
			t.Error(err)
		}
		x.Step(Now{}, Input{Kind: InputDetach, Link: 3})
		if !expected {
			x.Step(Now{}, Input{Kind: InputAttach, Link: 1, Role: ToUpstream})
		}
		expect(t, "upstream linked to when less is asked for", x.upstream != nil, true)
	}
}

// TestUpstream_OurOwnProcess is told when it asks for more than there is, and keeps what it has.
func TestUpstream_OurOwnProcess(t *testing.T) {
	x := New(Config{Limits: Limits{LinkObjects: 3, LinkBytes: 1000000}})
	r := rawPeer(t, x, 1, ToUpstream)
	for i, row := range []struct {
		kind    ContractKind
		name    string
		refused bool
	}{
		{ExposeObject, `1`, false}, {ObserveObject, `1`, false}, {ObserveTag, `1`, false}, {ExposeTag, `1`, false},
		{ObserveObject, `2`, true}, {ExposeTag, `2`, true}, {ObserveObject, `1`, false},
	} {
		effects := x.Step(r.now, Input{Kind: InputOpen, Contract: ContractID(i + 1), ContractKind: row.kind, Descriptor: object1(row.name)})
		refused := len(effects) > 0 && effects[0].Kind == EffectRefused && errors.Is(effects[0].Err, ErrTooLarge)
		if refused != row.refused {
			t.Errorf("contract %d: %+v", i+1, effects)
		}
		if err := x.Check(); err != nil {
			t.Error(err)
		}
	}
	x = New(Config{Limits: Limits{LinkBytes: 500000}, Upstream: true})
	for i, refused := range []bool{false, true} {
		effects := x.Step(r.now, Input{Kind: InputOpen, Contract: ContractID(i + 1), ContractKind: ObserveObject, Descriptor: object1(strconv.Quote(strconv.Itoa(i) + sized("x", 1500)))})
		expect(t, "refused", effects[0].Kind == EffectRefused, refused)
	}
}

// sending is a core whose upstream has a sink open for each of n objects, 0 to n-1, all exposed by the hog but the last.
func sending(t *testing.T, n uint64) (x *Exchange, upstream, hog, modest *raw) {
	x, upstream, hog, modest = between(t, Limits{LinkBytes: 1000000})
	for i := range n {
		name, exposer := strconv.FormatUint(i, 10), hog
		if i == n-1 {
			exposer = modest
		}
		exposer.send(contracts(act(wire.ActionExposeObject, name, 1)))
		upstream.send(initialize(up(2+i), wire.ChannelSink, object1(name))...)
	}
	hog.pull()
	modest.pull()
	upstream.pull()
	return x, upstream, hog, modest
}

// TestUpstream_WhoSendsMost: states that upstream has no room for are not sent there, and who brought them ends. What others send goes on.
func TestUpstream_WhoSendsMost(t *testing.T) {
	x, upstream, hog, modest := sending(t, 6)
	modest.send(states(up(2), patch(1, sized("m", 500), 0)))
	expect(t, "states sent up", len(sent(upstream.pull())), 1)
	state := sized("x", 1700)
	for i := range uint64(4) {
		hog.send(states(up(2+i), patch(1, state, 0)))
		expect(t, "states sent up", len(sent(upstream.pull())), 1)
	}
	expect(t, "bytes that the hog lifts", x.links[2].sums[lifted].bytes, 4*stateOf(sized("x", 1700)))
	for i := range uint64(4) { // a change that makes nothing grow is let in
		hog.send(states(up(2+i), patch(2, state, 0)))
	}
	expect(t, "changed states sent up", len(sent(upstream.pull())), 4)
	hog.send(states(up(2+4), patch(1, sized("x", 1500), 0))) // 7/8 of the limit less names and what is lifted is less
	if len(sent(upstream.pull())) != 0 || x.links[2] != nil {
		t.Fatalf("a state that does not fit: the hog goes on: %v", x.links[2] != nil)
	}
	expect(t, "states sent up for one that has gone", len(sent(upstream.pull())), 4) // the flags of the others
	expect(t, "outlets withheld", x.links[1].withheld.length+x.links[1].leftover.length, 1)
	modest.send(states(up(2), patch(2, sized("m", 550), 0)))
	expect(t, "states of the modest link sent up", len(sent(upstream.pull())), 1)
	for i := range uint64(5) {
		upstream.send(closing(up(2 + i)))
	}
	expect(t, "outlets withheld", x.links[1].withheld.length+x.links[1].leftover.length, 0)
	expect(t, "bytes lifted", x.links[1].sums[lifted].bytes, stateOf(sized("m", 550)))
	if upstream.end != nil || modest.end != nil {
		t.Errorf("upstream %v, modest %v", upstream.end, modest.end)
	}
}

// TestUpstream_WhatIsWithheldIsSentWhenThereIsRoom, if somebody still has it.
func TestUpstream_WhatIsWithheldIsSentWhenThereIsRoom(t *testing.T) {
	x, upstream, hog, modest := sending(t, 5)
	for i := range uint64(4) {
		hog.send(states(up(2+i), patch(1, sized("x", 1800), 0)))
	}
	modest.send(contracts(act(wire.ActionExposeObject, `3`, 1))) // where it is not elected as long as the hog is there
	expect(t, "states sent up", len(sent(upstream.pull())), 4)
	hog.send(states(up(2+3), patch(2, sized("y", 3500), 0)))
	told := sent(upstream.pull())
	if len(told) != 1 || told[0].Kind != wire.StateSetSynchronized || told[0].Synchronized == 0 {
		t.Errorf("of the older state, which is not current any more, upstream was told %+v", told)
	}
	expect(t, "flags sent up when the hog has gone", len(sent(upstream.pull())), 3)
	if x.links[2] != nil || x.links[1].withheld.length+x.links[1].leftover.length != 1 {
		t.Fatalf("the hog goes on: %v; %d states are withheld", x.links[2] != nil, x.links[1].withheld.length+x.links[1].leftover.length)
	}
	upstream.send(closing(up(2)), closing(up(3)), closing(up(4)))
	told = sent(upstream.pull())
	if len(told) != 1 || told[0].Kind != wire.StatePatch || told[0].Version[0] != 2 {
		t.Errorf("when there was room, upstream was sent %d actions", len(told))
	}
	expect(t, "withheld", x.links[1].withheld.length+x.links[1].leftover.length, 0)
}

// TestUpstream_OurOwnStatesComeFirst: the link below that takes most ends for them, and they are sent when upstream has room. If there is
// none, upstream says what is too much.
func TestUpstream_OurOwnStatesComeFirst(t *testing.T) {
	for _, alone := range []bool{false, true} {
		x, upstream, hog, _ := sending(t, 5)
		if !alone {
			for i := range uint64(4) {
				hog.send(states(up(2+i), patch(1, sized("x", 1800), 0)))
			}
			upstream.pull()
		}
		upstream.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeObject, Descriptor: object1(`"own"`), Capacity: 1})
		upstream.send(initialize(up(10), wire.ChannelSink, object1(`"own"`))...)
		sink := x.Step(upstream.now, Input{Kind: InputTake, Contract: 1})[0].Offer
		size := 2000 * 100 * 8 / 9
		if alone {
			size = 2_000_000
		}
		upstream.step(Input{Kind: InputPublish, Offer: sink, State: &State{Data: make([]byte, size)}})
		expect(t, "states sent up", len(sent(upstream.pull())), map[bool]int{false: 0, true: 1}[alone])
		expect(t, "the hog goes on", x.links[2] != nil, alone)
		if !alone {
			for i := range uint64(4) {
				upstream.send(closing(up(2 + i)))
			}
			told := sent(upstream.pull())
			if len(told) != 1 || told[0].Kind != wire.StatePatch {
				t.Errorf("when there was room, upstream was sent %d actions", len(told))
			}
		}
	}
}

// TestUpstream_WhatOthersHaveLeft counts against nobody, and leaves half of the room to those who are here.
func TestUpstream_WhatOthersHaveLeft(t *testing.T) {
	x, upstream, hog, modest := between(t, Limits{LinkBytes: 1000000})
	name := func(i uint64) string { return strconv.FormatUint(i, 10) }
	for i := range uint64(4) {
		modest.send(contracts(act(wire.ActionObserveObject, name(i), 0)))
		hog.send(contracts(act(wire.ActionExposeObject, name(i), 1)))
		hog.pull()
		hog.send(states(up(2+i), patch(1, sized("x", 1800), 0)))
	}
	hog.step(Input{Kind: InputDetach, Link: 2})
	heir := rawPeer(t, x, 4, ToDownstream)
	heir.send(greeting()...)
	for i := range uint64(4) {
		heir.send(contracts(act(wire.ActionExposeObject, name(i), 1)))
		upstream.send(initialize(up(2+i), wire.ChannelSink, object1(name(i)))...)
	}
	expect(t, "states of who has gone, sent up", len(sent(upstream.pull())), 2) // two times 1,828 of 8,750
	modest.send(contracts(act(wire.ActionExposeObject, `"modest"`, 1)))
	upstream.send(initialize(up(10), wire.ChannelSink, object1(`"modest"`))...)
	sinks := modest.pull()
	modest.send(states(sinks[len(sinks)-1].Channel, patch(1, sized("m", 3000), 0)))
	expect(t, "states of who is here, sent up", len(sent(upstream.pull())), 1)
	if modest.end != nil || x.links[3] == nil {
		t.Error("the modest link ended")
	}
}

// TestUpstream_OneEndsForOneMessage: however much a message asks for, it ends one link, and then there is room.
func TestUpstream_OneEndsForOneMessage(t *testing.T) {
	x, upstream, hog, modest := between(t, Limits{LinkObjects: 100})
	third := rawPeer(t, x, 4, ToDownstream)
	third.send(greeting()...)
	ask := func(r *raw, from, n int) {
		var all []wire.ControlAction
		for i := range n {
			all = append(all, act(wire.ActionObserveObject, strconv.Itoa(from+i), 0))
		}
		r.send(contracts(all...))
	}
	ask(hog, 0, 60)
	ask(third, 100, 25)
	upstream.pull()
	ask(modest, 200, 14) // with the last ones of which 0 are left of 99, fewer than an eighth of what it takes
	expect(t, "the one who takes most goes on", x.links[2] != nil, false)
	expect(t, "the one who takes less goes on", x.links[4] != nil, true)
	if modest.end != nil {
		t.Errorf("who asked last ended: %v", modest.end)
	}
}

// asked is how many objects and tags upstream is asked for.
func asked(x *Exchange) int { return x.upstream.sums[names].count }

// sized is data that is charged with about so many hundred bytes.
func sized(of string, n int) string { return strings.Repeat(of, n*100*8/9) }

// stateOf is what a state of a version and one format is charged with.
func stateOf(data string) int {
	return (&State{Version: []int64{1}, Format: []string{"JSON"}, Data: []byte(data)}).size()
}

// nameOf is what an object without tags is charged with, and channelOf what a channel
// of upstream on it is.
func nameOf(json string) int {
	d := object1(json)
	return objectSize(&d)
}

func channelOf(json string) int { return upstreamBytes + nameOf(json) }

// TestUpstream_RemovalsComeLast: a reference parent carries out the actions of a message one by one. It must not end what a contract
// in the same message is about to go on with.
func TestUpstream_RemovalsComeLast(t *testing.T) {
	_, upstream, hog, _ := between(t, Limits{})
	hog.send(contracts(act(wire.ActionObserveObject, `1`, 0, `"t"`), act(wire.ActionExposeTag, `"u"`, 1)))
	upstream.pull()
	hog.send(contracts(act(wire.ActionUnobserveObject, `1`, 0, `"t"`), act(wire.ActionUnexposeTag, `"u"`, 0)),
		contracts(act(wire.ActionObserveTag, `"t"`, 0), act(wire.ActionExposeObject, `2`, 1)))
	var kinds []wire.ActionKind
	for _, event := range upstream.pull() {
		for _, action := range event.Message.Control {
			kinds = append(kinds, action.Kind)
		}
	}
	removals := 0
	for i, kind := range kinds {
		if removal(kind) == 1 {
			removals++
		} else if removals > 0 {
			t.Errorf("action %d, %v, comes after a removal: %v", i, kind, kinds)
		}
	}
	expect(t, "removals", removals, 2)
	expect(t, "actions", len(kinds), 4)
}

// TestUpstream_FormatAfterAForgottenBase: a link that pins too much is sent the next state whole, with its format, though that is none.
func TestUpstream_FormatAfterAForgottenBase(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 5000}})
	slow := rawPeer(t, x, 1, ToDownstream)
	slow.send(then(greeting(), contracts(act(wire.ActionObserveObject, `1`, 0)))...)
	slow.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeObject, Descriptor: object1(`1`), Capacity: 1})
	sink := x.Step(slow.now, Input{Kind: InputTake, Contract: 1})[0].Offer
	publish := func(state State) []wire.StateAction {
		slow.step(Input{Kind: InputPublish, Offer: sink, State: &state, Synchronized: Synchronized{Now: true}})
		return sent(slow.pull())
	}
	publish(State{Version: []int64{1}, Format: []string{"JSON"}, Data: make([]byte, 6000)})
	told := publish(State{Version: []int64{2}, Format: []string{}, Data: []byte("y")})
	if len(told) != 1 || told[0].Kind != wire.StatePatch || !told[0].HasFormat || len(told[0].Format) != 0 {
		t.Errorf("told %+v", told)
	}
}
