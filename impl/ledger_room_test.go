package impl

import (
	"testing"

	"hakuban/internal/plant"
	"hakuban/wire"
)

// TestUpstream_WhatGrowsCountsAsMuchAsItGrows: a state that grows is withheld, as upstream has no room until it has closed what a link
// sent that ended since. The link that brought the state leaves enough to others then, and goes on.
func TestUpstream_WhatGrowsCountsAsMuchAsItGrows(t *testing.T) {
	x, upstream, hog, modest := between(t, Limits{LinkBytes: 1_000_000})
	leaver := rawPeer(t, x, 4, ToDownstream)
	leaver.send(greeting()...)
	for i, row := range []struct {
		who  *raw
		size int // in hundreds of bytes
	}{{hog, 4000}, {modest, 2800}, {leaver, 1200}} {
		name := string(rune('0' + i))
		row.who.send(contracts(act(wire.ActionExposeObject, name, 1)))
		upstream.send(initialize(up(uint64(2+i)), wire.ChannelSink, object1(name))...)
		row.who.pull()
		row.who.send(states(up(2), patch(1, sized("x", row.size), 0)))
		expect(t, "states sent up", len(sent(upstream.pull())), 1)
	}
	leaver.step(Input{Kind: InputDetach, Link: 4})
	upstream.pull()
	hog.send(states(up(2), patch(2, sized("y", 5000), 0)))
	told := sent(upstream.pull())
	if len(told) != 1 || told[0].Kind != wire.StateSetSynchronized {
		t.Fatalf("upstream has room for it: %+v", told)
	}
	expect(t, "outlets withheld", x.links[1].withheld.length, 1)
	if hog.end != nil || x.links[2] == nil || x.links[3] == nil {
		t.Fatalf("the hog ended: %v", hog.end)
	}
	upstream.send(closing(up(4)))
	told = sent(upstream.pull())
	if len(told) != 1 || told[0].Kind != wire.StatePatch {
		t.Errorf("when there was room, upstream was sent %+v", told)
	}
}

// TestHollow_OurOwnSinkHasIt: our own elected exposer has sent what a link brought, so that nothing becomes hollow when the link goes.
func TestHollow_OurOwnSinkHasIt(t *testing.T) {
	x := New(Config{Limits: Limits{LinkBytes: 27_000}})
	observer, exposer := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	observer.send(then(greeting(), contracts(act(wire.ActionObserveObject, `0`, 0)))...)
	leave(observer)
	exposer.send(then(greeting(), contracts(act(wire.ActionExposeObject, `0`, 1)))...)
	exposer.pull()
	data := sized("5", 250)
	exposer.send(states(up(2), patch(5, data, 0)))
	observer.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeObject, Descriptor: object1(`0`), Capacity: 1})
	sink := x.Step(observer.now, Input{Kind: InputTake, Contract: 1})[0].Offer
	observer.step(Input{Kind: InputPublish, Offer: sink, Synchronized: Synchronized{Now: true},
		State: &State{Version: []int64{5}, Format: []string{"JSON"}, Data: []byte(data)}})
	exposer.step(Input{Kind: InputDetach, Link: 2})
	o := x.objects[object1(`0`).Key]
	expect(t, "hollow", o.hollow, false)
	expect(t, "now", o.flag.Now, true)
	expect(t, "bytes that the keeper keeps", x.links[1].sums[left].bytes, stateOf(sized("l", 20)))
}

// TestReceive_ALoadLimitReplacesTheOneBefore it.
func TestReceive_ALoadLimitReplacesTheOneBefore(t *testing.T) {
	r := downstream(t)
	limit := func(load uint32) wire.Event {
		return contracts(wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: []wire.LoadPoint{{Load: load}}})
	}
	r.send(then(greeting(), limit(5), limit(3))...)
	s, _ := r.x.SnapshotLink(r.now, r.link)
	expect(t, "load limit", s.LoadLimit, 3)
	r.send(contracts(wire.ControlAction{Kind: wire.ActionSetLoadLimit}))
	s, _ = r.x.SnapshotLink(r.now, r.link)
	expect(t, "a load limit", s.HasLoadLimit, false)
}

// plants are bugs that seeds find late or never, and that the tests of this package must find. sim/plants_ledger_test.go has the others.
var plants = []plant.Plant{
	{Name: "a hollow state is not filled again from a local sink", Tests: "TestHollow_", CI: true, Changes: []plant.Change{{
		File: "propagation.go", Old: "			put(f.last, nil)", New: "			put(nil, nil)"}}},
	{Name: "a lifter's growth counted whole", Tests: "TestUpstream_", CI: true, Changes: []plant.Change{{
		File: "ledger.go", Old: "			if c.lifter.books != lifter {\n				more = c.up.bytes + grows\n			}", New: "			more = c.up.bytes + grows"}}},
	{Name: "doomed not counted", Tests: "TestUpstream_", CI: true, Changes: []plant.Change{{
		File: "ledger.go", Old: "		soon := now.bytes + x.doomed() - grows", New: "		soon := now.bytes - grows"}}},
	{Name: "whoever asks last ends", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "ledger.go", Old: "			x.end(x.greediest(asks), errGreedyAsks)", New: "			x.end(l, errGreedyAsks)"}}},
	{Name: "our own states wait for others", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "withheld.go", Old: "	return now.bytes >= more || now.bytes+x.lifts() < more", New: "	return now.bytes >= more"}}},
	{Name: "the second load limit is ignored", Tests: "TestReceive_", Changes: []plant.Change{{
		File: "receive.go", Old: "		x.limitLoad(l, newLoadLimit(", New: "		if l.limit != nil {\n			return nil\n		}\n		x.limitLoad(l, newLoadLimit("}}},
	{Name: "a message is taken whole", Tests: "TestSlice_", CI: true, Changes: []plant.Change{{
		File: "slice.go", Old: "min(t.next+x.config.Slice, last)", New: "last"}}},
	{Name: "a message comes in between the slices of another", Tests: "TestSlice_", Changes: []plant.Change{{
		File: "receive.go", Old: "	if l.taking.arrival != nil {", New: "	if l.taking.arrival != nil && len(input.Data) == 0 {"}}},
	{Name: "removals are not sent last", Tests: "TestUpstream_", CI: true, Changes: []plant.Change{{
		File: "pull.go", Old: "return removal(a.Kind) - removal(b.Kind)", New: "return 0"}}},
	{Name: "the format is left out after a base was forgotten", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "propagation.go", Old: "c.last == nil || len(c.last.Format) == 0 || !slices.Equal", New: "c.last == nil || !slices.Equal"}}},
}

// Each plant has its place in the code.
func TestPlants_HaveTheirPlace(t *testing.T) { plant.Placed(t, plants) }
