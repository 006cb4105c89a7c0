package impl

import (
	"strconv"
	"strings"
	"testing"

	"hakuban/wire"
	"hakuban/wire/diff"
)

func TestLimits_OfOneLink(t *testing.T) {
	x := New(Config{Limits: Limits{LinkObjects: 3}})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(then(greeting(), contracts(act(wire.ActionExposeObject, `1`, 1), act(wire.ActionObserveTag, `2`, 0)))...)
	if r.end != nil {
		t.Fatal(r.end)
	}
	r.send(contracts(act(wire.ActionExposeObject, `3`, 1)))
	if r.end == nil {
		t.Error("a fourth contract or channel was let in")
	}

	all := channelOf(`2`) + channelOf(`3`) + stateOf("123456") + stateOf("1234")
	x = New(Config{Limits: Limits{LinkBytes: all / 2}}) // upstream may twice
	r = rawPeer(t, x, 1, ToUpstream)
	r.send(then(upstreamGreeting(), then(initialize(up(2), wire.ChannelStream, object1(`2`)), initialize(up(3), wire.ChannelStream, object1(`3`))...)...)...)
	r.send(states(up(2), patch(1, "123456", 0)), states(up(3), patch(1, "1234", 0)), states(up(2), patch(2, "654321", 0)))
	if r.end != nil {
		t.Fatal(r.end)
	}
	r.send(states(up(3), patch(2, "12345", 0)))
	if r.end == nil {
		t.Error("an eleventh byte was let in")
	}
}

func TestLimits_OthersObjectsAreNotHeldAgainstATagContract(t *testing.T) {
	x := New(Config{Limits: Limits{LinkObjects: 10}})
	observer, exposer := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	observer.send(then(greeting(), contracts(act(wire.ActionObserveTag, `"T"`, 0)))...)
	exposer.send(greeting()...)
	for i := range 9 {
		exposer.send(contracts(act(wire.ActionExposeObject, strconv.Itoa(i), 1, `"T"`)))
	}
	observer.send(contracts(act(wire.ActionObserveObject, `"own"`, 0)))
	if observer.end != nil || exposer.end != nil {
		t.Fatalf("observer %v, exposer %v", observer.end, exposer.end)
	}
	exposer.send(contracts(act(wire.ActionObserveObject, `0`, 0, `"T"`))) // a second contract on one object
	if exposer.end != nil {
		t.Fatal(exposer.end)
	}
	exposer.send(contracts(act(wire.ActionExposeObject, `9`, 1)))
	if exposer.end == nil {
		t.Error("an eleventh was let in")
	}
}

func TestLimits_ADescriptorInWholeIsBounded(t *testing.T) {
	r := downstream(t)
	tag := `"` + strings.Repeat("t", 1<<19)
	r.send(then(greeting(), contracts(act(wire.ActionObserveObject, `1`, 0, tag+`1"`, tag+`2"`, tag+`3"`)))...)
	if r.end == nil {
		t.Error("tags of 1.5 MiB in all were let in")
	}
}

func TestLimits_StatesThatOneMessageMakes(t *testing.T) {
	r := exposer(t)
	r.x.config.Limits.Wire.State = 1 << 20
	r.send(states(up(2), patch(1, strings.Repeat("x", 1<<20), 0)))
	if r.end != nil {
		t.Fatal(r.end)
	}
	same := diffed(2, 0xff, 0x80, 253, 0, 0x10, 0, 0) // all of old
	r.send(states(up(2), same, same, same))
	if r.end == nil {
		t.Error("a message of 60 bytes made 3 MiB")
	}
}

func TestLimits_ChannelsOfOneObject(t *testing.T) {
	r := observing(t)
	for i := range uint64(maxObjectChannels) {
		r.send(initialize(up(3+i), wire.ChannelStream, thing)...)
	}
	if r.end == nil {
		t.Error("65 streams of one object were let in")
	}
}

// TestLimits_DescriptorsCount: what a link asks for counts as long as it asks.
func TestLimits_DescriptorsCount(t *testing.T) {
	big := func(c string) string { return `"` + strings.Repeat(c, 1000) + `"` }
	for _, row := range []struct {
		story              string
		role               Role
		begin              []wire.Event
		first, less, again []wire.Event
	}{
		{"objects", ToDownstream, greeting(), []wire.Event{contracts(act(wire.ActionObserveObject, big("a"), 0))},
			[]wire.Event{contracts(act(wire.ActionUnobserveObject, big("a"), 0))}, []wire.Event{contracts(act(wire.ActionExposeObject, big("b"), 1))}},
		{"an object's tags", ToDownstream, greeting(), []wire.Event{contracts(act(wire.ActionObserveObject, `1`, 0, big("a")))},
			[]wire.Event{contracts(act(wire.ActionUnobserveObject, `1`, 0, big("a")))}, []wire.Event{contracts(act(wire.ActionObserveObject, `2`, 0, big("a")))}},
		{"tags", ToDownstream, greeting(), []wire.Event{contracts(act(wire.ActionObserveTag, big("a"), 0))},
			[]wire.Event{contracts(act(wire.ActionUnobserveTag, big("a"), 0))}, []wire.Event{contracts(act(wire.ActionExposeTag, big("b"), 1))}},
		{"channels", ToUpstream, upstreamGreeting(), initialize(up(2), wire.ChannelStream, object1(big("a"))),
			[]wire.Event{closing(up(2))}, initialize(up(3), wire.ChannelSink, object1(big("b")))},
	} {
		for _, roomy := range []bool{true, false} {
			limits := Limits{LinkBytes: 5000}
			if row.role == ToUpstream {
				limits.LinkBytes /= 2
			}
			r := rawPeer(t, New(Config{Limits: limits}), 1, row.role)
			r.send(row.begin...)
			r.send(row.first...)
			if roomy {
				r.send(row.less...)
			}
			if r.end != nil {
				t.Fatalf("%s: %v", row.story, r.end)
			}
			r.send(row.again...)
			if ended := r.end != nil; ended == roomy {
				t.Errorf("%s, the first ones taken back: %v; the link ended: %v", row.story, roomy, r.end)
			}
		}
	}
}

// TestLimits_WhatIsKeptOfExposersThatLeftCounts: exposers that come, send and leave fill the exchange at the cost of the link that
// keeps their objects. Nobody is ended for that: the state that is too much becomes hollow.
func TestLimits_WhatIsKeptOfExposersThatLeftCounts(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 1000000}})
	keeper, other := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	keeper.send(greeting()...)
	other.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	for i := range 5 {
		name := strconv.Itoa(i)
		keeper.send(contracts(act(wire.ActionObserveObject, name, 0)))
		exposer := rawPeer(t, x, LinkID(10+i), ToDownstream)
		exposer.send(then(greeting(), contracts(act(wire.ActionExposeObject, name, 1)))...)
		exposer.pull()
		exposer.send(states(up(2), patch(1, sized("x", 2000), 0)))
		keeper.pull()
		before := x.links[1].sums[left].bytes
		exposer.step(Input{Kind: InputDetach, Link: exposer.link})
		more := stateOf(sized("x", 2000))
		if i == 4 {
			more = 0
		}
		expect(t, "bytes that the keeper keeps more", x.links[1].sums[left].bytes-before, more)
		expect(t, "hollow", x.objects[object1(name).Key].hollow, i == 4)
	}
	keeper.step(Input{Kind: InputDetach, Link: 1})
	expect(t, "objects left", len(x.objects), 1)
	expect(t, "bytes of the other one who observes that", x.links[2].sums[left].bytes, stateOf(sized("x", 2000)))
	other.send(contracts(act(wire.ActionUnobserveObject, `0`, 0)))
	expect(t, "bytes when nothing is asked for", x.links[2].own()+x.links[2].sums[left].bytes, 0)
}

// leave has an exposer leave a small state to a keeper.
func leave(keeper *raw) {
	exposer := rawPeer(keeper.t, keeper.x, 9, ToDownstream)
	keeper.send(contracts(act(wire.ActionObserveObject, `1`, 0)))
	exposer.send(then(greeting(), contracts(act(wire.ActionExposeObject, `1`, 1)))...)
	exposer.pull()
	exposer.send(states(up(2), patch(1, sized("l", 20), 0)))
	exposer.step(Input{Kind: InputDetach, Link: 9})
}

// hollowed is a core that holds a hollow state of version 5. Link 1 observes and has seen version 4 only; link 3 observes and has seen
// it; whoever brought it has gone, and link 4 is elected, which has sent nothing.
func hollowed(t *testing.T) (x *Exchange, behind, witness, exposer *raw) {
	x = New(Config{Limits: Limits{LinkBytes: 27_000}})
	behind, witness, exposer = rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 3, ToDownstream), rawPeer(t, x, 4, ToDownstream)
	first := rawPeer(t, x, 2, ToDownstream)
	for _, r := range []*raw{behind, witness} {
		r.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	}
	for _, r := range []*raw{first, exposer} {
		r.send(then(greeting(), contracts(act(wire.ActionExposeObject, `0`, 1)))...)
		r.pull()
	}
	first.send(states(up(2), patch(4, "four", 0)))
	behind.pull()
	leave(behind)
	first.send(states(up(2), patch(5, sized("5", 250), 0)))
	witness.pull()
	first.step(Input{Kind: InputDetach, Link: 2})
	exposer.pull()
	expect(t, "bytes that the keeper keeps", x.links[1].sums[left].bytes, stateOf(sized("l", 20)))
	expect(t, "hollow", x.objects[object1(`0`).Key].hollow, true)
	return x, behind, witness, exposer
}

// sent is the state actions of what a peer was sent.
func sent(events []wire.Event) (actions []wire.StateAction) {
	for i := range events {
		actions = append(actions, events[i].Message.States...)
	}
	return actions
}

// TestHollow_WhoHasNotSeenItSeesNothing: but that what came before is not current.
func TestHollow_WhoHasNotSeenItSeesNothing(t *testing.T) {
	x, behind, witness, _ := hollowed(t)
	late := rawPeer(t, x, 5, ToDownstream)
	late.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	expect(t, "states to one who comes late", len(sent(late.pull())), 0)
	for _, row := range []struct {
		who        string
		peer       *raw
		atLeast    uint64
		orLessThan uint64
	}{
		{"who has an older one", behind, 1 << 50, 1 << 63},
		{"who has seen it", witness, 1, 1000},
	} {
		told := sent(row.peer.pull())
		if len(told) != 1 || told[0].Kind != wire.StateSetSynchronized || told[0].Synchronized < row.atLeast || told[0].Synchronized >= row.orLessThan {
			t.Errorf("%s was told %+v", row.who, told)
		}
		expect(t, "states to "+row.who+" after that", len(sent(row.peer.pull())), 0)
	}
}

// TestHollow_OurOwnObserver sees what it has seen, and a new one nothing.
func TestHollow_OurOwnObserver(t *testing.T) {
	x, r, _, exposer := hollowed(t)
	open := func(id ContractID) (stream OfferID) {
		r.step(Input{Kind: InputOpen, Contract: id, ContractKind: ObserveObject, Descriptor: object1(`0`)})
		return x.Step(r.now, Input{Kind: InputTake, Contract: id})[0].Offer
	}
	read := func(stream OfferID) (string, bool) {
		answer := x.Step(r.now, Input{Kind: InputRead, Offer: stream})[0]
		if answer.State == nil {
			return "", answer.Synchronized.Now
		}
		return string(answer.State.Data), answer.Synchronized.Now
	}
	stream := open(1)
	if data, now := read(stream); data != "" || now {
		t.Errorf("a hollow state was read as %q, now %v", data, now)
	}
	exposer.send(states(up(2), patch(6, "six", 0)))
	if data, now := read(stream); data != "six" || !now {
		t.Errorf("the next one was read as %q, now %v", data, now)
	}
}

// TestHollow_UntilOneIsAsNew: an older state is refused, one of the same version fills it.
func TestHollow_UntilOneIsAsNew(t *testing.T) {
	for _, version := range []int64{4, 5, 6} {
		x, behind, witness, exposer := hollowed(t)
		behind.pull()
		witness.pull()
		exposer.send(states(up(2), patch(version, "data", 0)))
		expect(t, "hollow", x.objects[object1(`0`).Key].hollow, version == 4)
		told := sent(behind.pull())
		switch {
		case version == 4 && len(told) != 0:
			t.Errorf("an older state went on: %+v", told)
		case version > 4 && (len(told) != 1 || told[0].Kind != wire.StatePatch || told[0].Synchronized != 0):
			t.Errorf("version %d went on as %+v", version, told)
		}
		if told := sent(witness.pull()); version == 5 && (len(told) != 1 || told[0].Kind != wire.StateSetSynchronized || told[0].Synchronized != 0) {
			t.Errorf("who has seen version 5 was told %+v", told)
		}
	}
}

// TestHollow_OneThatIsAsNewIsThere: the one elected has sent the same version, so that the state is current all the time.
func TestHollow_OneThatIsAsNewIsThere(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 27_000}})
	observer, first, second := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream), rawPeer(t, x, 3, ToDownstream)
	observer.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	leave(observer)
	for _, r := range []*raw{first, second} {
		r.send(then(greeting(), contracts(act(wire.ActionExposeObject, `0`, 1)))...)
		r.pull()
	}
	first.send(states(up(2), patch(5, sized("5", 250), 0)))
	first.send(contracts(act(wire.ActionUnexposeObject, `0`, 0))) // its sink is closed when it pulls
	second.pull()
	second.send(states(up(2), patch(5, "five", 0)))
	first.pull()
	o := x.objects[object1(`0`).Key]
	expect(t, "hollow", o.hollow, false)
	expect(t, "now", o.flag.Now, true)
	told := sent(observer.pull())
	if len(told) != 1 || told[0].Kind != wire.StatePatch || string(o.held.Data) != "five" {
		t.Errorf("%q is held, the observer was told %+v", o.held.Data, told)
	}
}

// TestHollow_NotWhatWeObserveOurselves: what an observe contract of our own process is on is ours to keep.
func TestHollow_NotWhatWeObserveOurselves(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 27_000}})
	observer, exposer := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	observer.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	leave(observer)
	observer.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: object1(`0`)})
	exposer.send(then(greeting(), contracts(act(wire.ActionExposeObject, `0`, 1)))...)
	exposer.pull()
	exposer.send(states(up(2), patch(5, sized("5", 250), 0)))
	exposer.step(Input{Kind: InputDetach, Link: 2})
	expect(t, "hollow while we observe it", x.objects[object1(`0`).Key].hollow, false)
	observer.step(Input{Kind: InputClose, Contract: 1})
	expect(t, "hollow when a link alone does", x.objects[object1(`0`).Key].hollow, true)
}

// TestLimits_NothingIsKeptOfWhatIsReplaced: a state counts once, against who brought it, as soon as somebody does again.
func TestLimits_NothingIsKeptOfWhatIsReplaced(t *testing.T) {
	x := New(Config{})
	keeper := rawPeer(t, x, 1, ToDownstream)
	keeper.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	asks := x.links[1].own()
	for i := range int64(3) {
		exposer := rawPeer(t, x, LinkID(10+i), ToDownstream)
		exposer.send(then(greeting(), contracts(act(wire.ActionExposeObject, `0`, 1)))...)
		exposer.pull()
		exposer.send(states(up(2), patch(i, "a state", 0)))
		expect(t, "bytes of the keeper while somebody exposes", x.links[1].own(), asks)
		exposer.send(states(up(2), patch(i-1, "an older one", 0)))
		expect(t, "bytes of the keeper when the channel went back", x.links[1].own(), asks)
		expect(t, "bytes of the exposer then", x.links[exposer.link].own(), nameOf(`0`)+stateOf("a state")+stateOf("an older one"))
		exposer.send(contracts(act(wire.ActionUnexposeObject, `0`, 0)))
		exposer.pull()
		expect(t, "bytes that it keeps when nobody exposes", x.links[1].sums[left].bytes, stateOf("a state"))
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLimits_WhoGoesBackToSmallStatesPays: a channel's last state is a small one, but the large one before it is held, at the cost
// of whoever sent it.
func TestLimits_WhoGoesBackToSmallStatesPays(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 1000000}})
	observer, exposer := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	observer.send(greeting()...)
	exposer.send(greeting()...)
	for i := range uint64(6) {
		name := strconv.FormatUint(i, 10)
		observer.send(contracts(act(wire.ActionObserveObject, name, 0)))
		if exposer.end != nil {
			break
		}
		exposer.send(contracts(act(wire.ActionExposeObject, name, 1)))
		exposer.pull()
		exposer.send(states(up(2+i), patch(5, sized("x", 2000), 0)), states(up(2+i), patch(4, "x", 0)))
	}
	if exposer.end == nil || x.links[1] == nil {
		t.Errorf("exposer %v; the observer goes on: %v", exposer.end, x.links[1] != nil)
	}
	if err := x.Check(); err != nil {
		t.Error(err)
	}
}

// TestLimits_WhatOnlyAStreamKeepsCounts: nobody asks for the objects any more, and their exposers have gone; a link that does not
// take the end of its streams keeps the states, up to the limit.
func TestLimits_WhatOnlyAStreamKeepsCounts(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 1000000}})
	slow, exposer := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	slow.send(then(greeting(), contracts(act(wire.ActionObserveTag, `"t"`, 0)))...)
	exposer.send(greeting()...)
	name := func(i uint64) string { return strconv.FormatUint(i, 10) }
	for i := range uint64(5) {
		exposer.send(contracts(act(wire.ActionExposeObject, name(i), 1, `"t"`)))
	}
	exposer.pull()
	slow.pull() // and no more
	for i := range uint64(5) {
		exposer.send(states(up(2+i), patch(1, sized("x", 2000), 0)))
		exposer.send(contracts(act(wire.ActionUnexposeObject, name(i), 0, `"t"`)))
		exposer.pull()
	}
	if x.links[1] == nil || exposer.end != nil {
		t.Errorf("the slow link goes on: %v; exposer %v", x.links[1] != nil, exposer.end)
	}
	expect(t, "bytes that the slow link keeps", x.links[1].sums[left].bytes, 4*(stateOf(sized("x", 2000))))
	expect(t, "hollow", x.objects[`["t"]4`].hollow, true)
	slow.pull()
	expect(t, "objects left", len(x.objects), 0)
}

// TestLimits_WhatASlowLinkPins: a link that does not take what is new keeps the states that it was sent last, up to the limit. Of the
// others it is sent the next one whole, which it can read as it could a change.
func TestLimits_WhatASlowLinkPins(t *testing.T) {
	const size, limit = 2000 * 10 * 8 / 9, 100_000
	x := New(Config{Limits: Limits{LinkBytes: limit}})
	slow := rawPeer(t, x, 1, ToDownstream)
	slow.send(then(greeting(), contracts(act(wire.ActionObserveTag, `"t"`, 0)))...)
	x.Step(slow.now, Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeTag, Descriptor: object1(`"t"`), Capacity: 1})
	var sinks []OfferID
	for i := range 8 {
		name, err := wire.NewDescriptor([]string{`"t"`}, strconv.Itoa(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		x.Step(slow.now, Input{Kind: InputOpen, Contract: ContractID(2 + i), ContractKind: ObserveObject, Descriptor: name})
		sinks = append(sinks, x.Step(slow.now, Input{Kind: InputTake, Contract: 1})[0].Offer)
	}
	old := strings.Repeat("x", size)
	publish := func(data string, version int64) {
		for _, sink := range sinks {
			slow.step(Input{Kind: InputPublish, Offer: sink, State: &State{Version: []int64{version}, Data: []byte(data)}, Synchronized: Synchronized{Now: true}})
		}
	}
	publish(old, 1)
	slow.pull()
	expect(t, "bytes pinned by a link that has what is held", x.links[1].sums[pinned].bytes, 0)
	publish(old+"y", 2)
	pins, forgotten := (&State{Version: []int64{1}, Data: []byte(old)}).size(), (&State{Version: []int64{1}}).size()
	expect(t, "bytes pinned by one that has not", x.links[1].sums[pinned].bytes, limit/pins*pins+(8-limit/pins)*forgotten)
	whole := 0
	for _, event := range slow.pull() {
		for _, action := range event.Message.States {
			data, err := diff.Patch([]byte(old), action.Diff, 2*size)
			if err != nil || string(data) != old+"y" {
				t.Errorf("%d bytes of %d arrived: %v", len(data), size+1, err)
			}
			if data, err := diff.Patch(nil, action.Diff, 2*size); err == nil && string(data) == old+"y" {
				whole++
			}
		}
	}
	expect(t, "states that were sent whole", whole, 8-limit/pins)
	expect(t, "bytes pinned in the end", x.links[1].sums[pinned].bytes, 0)
}

// between is a core with an upstream (link 1) and two links below (2 and 3).
func between(t *testing.T, limits Limits) (x *Exchange, upstream, hog, modest *raw) {
	x = New(Config{Limits: limits})
	upstream = rawPeer(t, x, 1, ToUpstream)
	upstream.send(upstreamGreeting()...)
	hog, modest = rawPeer(t, x, 2, ToDownstream), rawPeer(t, x, 3, ToDownstream)
	hog.send(greeting()...)
	modest.send(greeting()...)
	return x, upstream, hog, modest
}

// TestLimits_WhoAsksForUpstreamsStatesAnswersForThem: a link below observes more than a link may make us hold. It is the one that
// ends, not the link to upstream that all share; what is still on its way from there harms nobody.
func TestLimits_WhoAsksForUpstreamsStatesAnswersForThem(t *testing.T) {
	name := nameOf(`0`) // counts once for the contract, once for upstream's channel
	for _, story := range []struct {
		name string
		asks func(name string) wire.ControlAction
	}{
		{"objects", func(name string) wire.ControlAction { return act(wire.ActionObserveObject, name, 0, `"t"`) }},
		{"a tag", func(string) wire.ControlAction { return act(wire.ActionObserveTag, `"t"`, 0) }},
	} {
		x, upstream, hog, modest := between(t, Limits{LinkBytes: 1000000})
		modest.send(contracts(act(wire.ActionObserveObject, `0`, 0)))
		upstream.send(then(initialize(up(2), wire.ChannelStream, object1(`0`)), states(up(2), patch(1, "a state", 0)))...)
		expect(t, story.name+": bytes that count against the modest link", x.links[3].own(), 2*name+upstreamBytes+stateOf("a state"))
		state := sized("x", 2000)
		opened := uint64(0)
		for i := range uint64(5) {
			name := strconv.FormatUint(i+1, 10)
			if i == 0 || story.name == "objects" {
				hog.send(contracts(story.asks(name)))
			}
			o, err := wire.NewDescriptor([]string{`"t"`}, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			upstream.send(then(initialize(up(3+i), wire.ChannelStream, o), states(up(3+i), patch(1, state, 0)))...)
			opened++
			if x.links[2] == nil {
				break
			}
		}
		expect(t, story.name+": channels until the hog ended", opened, 5)
		if x.links[2] != nil || upstream.end != nil || x.links[3] == nil {
			t.Fatalf("%s: the hog goes on: %v; upstream %v; the modest link goes on: %v", story.name, x.links[2] != nil, upstream.end, x.links[3] != nil)
		}
		for i := range opened { // on their way before upstream knows
			upstream.send(states(up(3+i), patch(2, state, 0)))
		}
		upstream.send(states(up(2), patch(2, "another", 0)))
		for i := range opened {
			upstream.send(closing(up(3 + i)))
		}
		expect(t, story.name+": what is left counts against the modest link", x.links[3].own(), 2*name+upstreamBytes+stateOf("a state"))
		expect(t, story.name+": and is passed on", x.links[1].sums[letIn].bytes, name+upstreamBytes+stateOf("a state"))
		expect(t, story.name+": objects left", len(x.objects), 1)
		if upstream.end != nil {
			t.Errorf("%s: upstream ended: %v", story.name, upstream.end)
		}
	}
}

// TestLimits_WhatUpstreamSendsUnasked is bounded.
func TestLimits_WhatUpstreamSendsUnasked(t *testing.T) {
	_, upstream, _, _ := between(t, Limits{LinkBytes: 1000000})
	for i := range uint64(10) {
		upstream.send(then(initialize(up(2+i), wire.ChannelStream, object1(strconv.FormatUint(i, 10))), states(up(2+i), patch(1, sized("x", 2000), 0)))...)
		if (upstream.end != nil) != (i == 9) {
			t.Fatalf("after %d states that nobody asked for: %v", i+1, upstream.end)
		}
	}
}

// TestLimits_WhoAsksForUpstreamsObjectsAnswersForThem: a tag may have more objects upstream than a link may make us hold. Who
// observes or exposes it ends; upstream, which opens a channel for each, does not, unless nobody asked it to.
func TestLimits_WhoAsksForUpstreamsObjectsAnswersForThem(t *testing.T) {
	for _, row := range []struct {
		story   string
		asks    wire.ActionKind
		channel wire.ChannelKind
	}{
		{"observed", wire.ActionObserveTag, wire.ChannelStream},
		{"exposed", wire.ActionExposeTag, wire.ChannelSink},
	} {
		x, upstream, hog, modest := between(t, Limits{LinkObjects: 20})
		modest.send(contracts(act(wire.ActionObserveObject, `"modest"`, 0)))
		hog.send(contracts(act(row.asks, `"t"`, 1)))
		opened := uint64(0)
		for x.links[2] != nil && upstream.end == nil {
			upstream.send(initialize(up(2+opened), row.channel, object1(strconv.FormatUint(opened, 10), `"t"`))...)
			opened++
		}
		expect(t, row.story+": channels until the hog ended", opened, 21)
		for range 38 { // on their way before upstream knows; it has a control channel besides
			upstream.send(initialize(up(2+opened), row.channel, object1(strconv.FormatUint(opened, 10), `"t"`))...)
			opened++
		}
		upstream.send(initialize(up(100), wire.ChannelStream, object1(`"modest"`))...)
		if upstream.end != nil || x.links[3] == nil {
			t.Errorf("%s: upstream %v; the modest link goes on: %v", row.story, upstream.end, x.links[3] != nil)
		}
		for upstream.end == nil && opened < 100 {
			upstream.send(initialize(up(2+opened), row.channel, object1(strconv.FormatUint(opened, 10), `"t"`))...)
			opened++
		}
		if expect(t, row.story+": channels that nobody answers for, with the one too many", opened-21, 40); upstream.end == nil {
			t.Error("upstream may open what it likes")
		}
	}
}

// TestLimits_SeveralThatLeaveTogether: upstream does not know yet that what it has open is not wanted any more.
func TestLimits_SeveralThatLeaveTogether(t *testing.T) {
	x, upstream, hog, modest := between(t, Limits{LinkBytes: 1000000})
	hogs, opened := []*raw{hog, rawPeer(t, x, 4, ToDownstream), rawPeer(t, x, 5, ToDownstream)}, uint64(2)
	hogs[1].send(greeting()...)
	hogs[2].send(greeting()...)
	for k, r := range hogs {
		for i := range 4 {
			name := strconv.Itoa(100*k + i)
			r.send(contracts(act(wire.ActionObserveObject, name, 0)))
			upstream.send(then(initialize(up(opened), wire.ChannelStream, object1(name)), states(up(opened), patch(1, sized("s", 2300), 0)))...)
			opened++
		}
	}
	modest.send(contracts(act(wire.ActionObserveObject, `"modest"`, 0)))
	for _, r := range hogs {
		r.step(Input{Kind: InputDetach, Link: r.link})
	}
	upstream.send(then(initialize(up(opened), wire.ChannelStream, object1(`"modest"`)), states(up(opened), patch(1, "a state", 0)))...)
	for channel := uint64(2); channel < opened; channel++ {
		upstream.send(states(up(channel), patch(2, sized("s", 2300), 0)), closing(up(channel)))
	}
	if upstream.end != nil || x.links[3] == nil {
		t.Fatalf("upstream %v; the modest link goes on: %v", upstream.end, x.links[3] != nil)
	}
	expect(t, "bytes let in for the modest link", x.links[1].sums[letIn].bytes, channelOf(`"modest"`)+stateOf("a state"))
}

// TestLimits_OlderStatesOfUpstreamCountAsWell: a newer state is held, which upstream does not know.
func TestLimits_OlderStatesOfUpstreamCountAsWell(t *testing.T) {
	x, upstream, hog, exposer := between(t, Limits{LinkBytes: 1000000})
	for i := range uint64(5) {
		name := strconv.FormatUint(i, 10)
		hog.send(contracts(act(wire.ActionObserveObject, name, 0)))
		exposer.send(contracts(act(wire.ActionExposeObject, name, 1)))
		exposer.pull()
		exposer.send(states(up(2+i), patch(1000, "x", 0)), contracts(act(wire.ActionUnexposeObject, name, 0)))
		exposer.pull()
		upstream.send(then(initialize(up(2+i), wire.ChannelStream, object1(name)), states(up(2+i), patch(1, sized("y", 2200), 0)))...)
	}
	if x.links[2] != nil || upstream.end != nil || exposer.end != nil {
		t.Errorf("the hog goes on: %v; upstream %v, exposer %v", x.links[2] != nil, upstream.end, exposer.end)
	}
}
