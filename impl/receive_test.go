package impl

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"hakuban/wire"
)

func act(kind wire.ActionKind, json string, capacity uint32, tags ...string) wire.ControlAction {
	return wire.ControlAction{Kind: kind, JSON: json, Capacity: capacity, Tags: tags}
}

// greeting is how a downstream end begins.
func greeting() []wire.Event {
	return append(initialize(down(1), wire.ChannelUpstreamControl, wire.Descriptor{}), contracts(wire.ControlAction{Kind: wire.ActionSetName, Name: "raw"}))
}

func upstreamGreeting() []wire.Event {
	return append(initialize(up(1), wire.ChannelDownstreamControl, wire.Descriptor{}), fromUpstream(wire.ControlAction{Kind: wire.ActionSetName, Name: "raw"}))
}

func fromUpstream(actions ...wire.ControlAction) wire.Event {
	return controls(wire.MessageDownstreamControl, up(1), actions...)
}

func then(first []wire.Event, more ...wire.Event) []wire.Event { return append(first, more...) }

func types(id wire.ChannelID, list ...wire.ChannelType) wire.Event {
	return wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: wire.MessageUninitialized, Initialize: list}}
}

// exposer makes a raw downstream peer elected for the thing, its sink being up(2).
func exposer(t *testing.T) *raw {
	x := New(Config{})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...)))...)
	r.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	r.pull()
	return r
}

func observing(t *testing.T) *raw { r, _ := observerOf(t); return r }

func downstream(t *testing.T) *raw { return rawPeer(t, New(Config{}), 1, ToDownstream) }
func upstream(t *testing.T) *raw   { return rawPeer(t, New(Config{}), 1, ToUpstream) }

// bytesOf is a diff of literal bytes.
func diffed(version int64, diff ...byte) wire.StateAction {
	action := patch(version, "", 0)
	action.Diff = diff
	return action
}

// TestReceive_WhatEndsALink states for each fault of a peer, with the link in
// each of its situations, that the link ends and why.
func TestReceive_WhatEndsALink(t *testing.T) {
	open := func(id wire.ChannelID) wire.Event { return wire.Event{Kind: wire.EventOpen, Channel: id} }
	for _, row := range []struct {
		story  string
		peer   func(*testing.T) *raw
		events []wire.Event
		reason string
	}{
		// Channels.
		{"a downstream end opens a channel of ours", downstream, []wire.Event{open(up(5))}, "which this end numbers"},
		{"an upstream end opens a channel of ours", upstream, []wire.Event{open(down(5))}, "which this end numbers"},
		{"a channel is opened twice", downstream, []wire.Event{open(down(1)), open(down(1))}, "which is open"},
		{"the control channel is opened again", downstream, then(greeting(), open(down(1))), "which is open"},
		{"a state channel is opened twice", observing, []wire.Event{open(up(2))}, "which is open"},
		{"a close of a channel never opened", downstream, []wire.Event{closing(down(7))}, "not open"},
		{"a close twice", observing, []wire.Event{closing(up(2)), closing(up(2))}, "not open"},
		{"a close of our control channel", downstream, []wire.Event{closing(up(1))}, "which this end opens"},
		{"a close of our sink channel", exposer, []wire.Event{closing(up(2))}, "which this end opens"},
		{"a close of the control channel by downstream", downstream, then(greeting(), closing(down(1))), "close of control channel"},
		{"a close of the control channel by upstream", upstream, then(upstreamGreeting(), closing(up(1))), "close of control channel"},
		{"a message before its open", downstream, []wire.Event{contracts()}, "not open"},
		{"a message on a channel never opened", observing, []wire.Event{states(up(9), patch(1, "", 0))}, "not open"},
		{"a message on a channel the peer closed", observing, []wire.Event{closing(up(2)), states(up(2), patch(1, "", 0))}, "not open"},
		{"a message on a channel of ours never opened", exposer, []wire.Event{states(up(3), patch(1, "", 0))}, "never opened"},
		{"a message on the greatest channel number", exposer, []wire.Event{states(up(math.MaxUint64), patch(1, "", 0))}, "never opened"},
		// Initialize.
		{"a first message that is not Initialize", downstream, []wire.Event{open(down(1)), contracts()}, "does not take it"},
		{"a first message of states", upstream, []wire.Event{open(up(1)), states(up(1), patch(1, "", 0))}, "does not take it"},
		{"an empty Initialize", downstream, []wire.Event{open(down(1)), types(down(1))}, "0 types"},
		{"two types", downstream, []wire.Event{open(down(1)), types(down(1), wire.ChannelType{}, wire.ChannelType{})}, "2 types"},
		{"a second Initialize", downstream, then(greeting(), types(down(1), wire.ChannelType{})), "does not take it"},
		{"a downstream end opens a downstream control", downstream, initialize(down(1), wire.ChannelDownstreamControl, wire.Descriptor{}), "does not take"},
		{"an upstream end opens an upstream control", upstream, initialize(up(1), wire.ChannelUpstreamControl, wire.Descriptor{}), "does not take"},
		{"a downstream end opens a sink", downstream, initialize(down(1), wire.ChannelSink, thing), "does not take"},
		{"a downstream end opens a stream", downstream, initialize(down(1), wire.ChannelStream, thing), "does not take"},
		{"a stream of an object that is no JSON", upstream, initialize(up(1), wire.ChannelStream, wire.Descriptor{JSON: `{`}), "json"},
		{"a sink of an object whose tag is no JSON", upstream, initialize(up(1), wire.ChannelSink, wire.Descriptor{JSON: `1`, Tags: []string{`nul`}}), "tag 0"},
		{"a stream of an object of no text", upstream, initialize(up(1), wire.ChannelStream, wire.Descriptor{}), "json"},
		// Kinds of message.
		{"states on the upstream control channel", downstream, then(greeting(), states(down(1), patch(1, "", 0))), "does not take it"},
		{"states on the downstream control channel", upstream, then(upstreamGreeting(), states(up(1), patch(1, "", 0))), "does not take it"},
		{"names for the wrong end", downstream, then(greeting(), controls(wire.MessageDownstreamControl, down(1))), "does not take it"},
		{"contracts from upstream", upstream, then(upstreamGreeting(), controls(wire.MessageUpstreamControl, up(1), act(wire.ActionObserveTag, `1`, 0))), "does not take it"},
		{"contracts on a sink", exposer, []wire.Event{controls(wire.MessageUpstreamControl, up(2))}, "does not take it"},
		{"contracts on a source", observing, []wire.Event{controls(wire.MessageUpstreamControl, up(2))}, "does not take it"},
		{"an Initialize on a sink of ours", exposer, []wire.Event{types(up(2), wire.ChannelType{})}, "does not take it"},
		{"states on our control channel", downstream, []wire.Event{states(up(1), patch(1, "", 0))}, "control channel"},
		{"contracts on our control channel", downstream, []wire.Event{controls(wire.MessageUpstreamControl, up(1))}, "control channel"},
		{"an Initialize on our control channel", upstream, []wire.Event{types(down(1), wire.ChannelType{})}, "control channel"},
		{"a load limit from upstream", upstream, then(upstreamGreeting(), fromUpstream(wire.ControlAction{Kind: wire.ActionSetLoadLimit})), "from the upstream end"},
		// Contracts.
		{"an object observed twice", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `1`, 0), act(wire.ActionObserveObject, `1`, 0))), "does already"},
		{"an object observed twice in two spellings", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `{"a":1,"b":2}`, 0), act(wire.ActionObserveObject, ` {"b":2,"a":1}`, 0))), "does already"},
		{"an object exposed twice", downstream, then(greeting(), contracts(act(wire.ActionExposeObject, `1`, 1), act(wire.ActionExposeObject, `1`, 2))), "does already"},
		{"a tag observed twice", downstream, then(greeting(), contracts(act(wire.ActionObserveTag, `1`, 0), act(wire.ActionObserveTag, `1`, 0))), "does already"},
		{"a tag exposed twice", downstream, then(greeting(), contracts(act(wire.ActionExposeTag, `1`, 1), act(wire.ActionExposeTag, `1`, 1))), "does already"},
		{"unobserve of what is only exposed", downstream, then(greeting(), contracts(act(wire.ActionExposeObject, `1`, 1), act(wire.ActionUnobserveObject, `1`, 0))), "does not observe"},
		{"unexpose of what is only observed", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `1`, 0), act(wire.ActionUnexposeObject, `1`, 0))), "does not expose"},
		{"capacity of what is only observed", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `1`, 0), act(wire.ActionSetObjectCapacity, `1`, 3))), "does not expose"},
		{"unobserve of a tag only exposed", downstream, then(greeting(), contracts(act(wire.ActionExposeTag, `1`, 1), act(wire.ActionUnobserveTag, `1`, 0))), "does not observe"},
		{"unexpose of a tag only observed", downstream, then(greeting(), contracts(act(wire.ActionObserveTag, `1`, 0), act(wire.ActionUnexposeTag, `1`, 0))), "does not expose"},
		{"capacity of a tag only observed", downstream, then(greeting(), contracts(act(wire.ActionObserveTag, `1`, 0), act(wire.ActionSetTagCapacity, `1`, 3))), "does not expose"},
		{"an object that is no JSON", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `{"a"`, 0))), "json"},
		{"an object whose tag is no JSON", downstream, then(greeting(), contracts(act(wire.ActionExposeObject, `1`, 1, `"a`))), "tag 0"},
		{"a tag that is no JSON", downstream, then(greeting(), contracts(act(wire.ActionObserveTag, `tru`, 0))), "observe tag"},
		{"an object nested too deep", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, strings.Repeat("[", 128)+strings.Repeat("]", 128), 0))), "json"},
		{"an object that overflows", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `1e400`, 0))), "json"},
		{"unobserve of no JSON", downstream, then(greeting(), contracts(act(wire.ActionUnobserveObject, `-`, 0))), "json"},
		{"unobserve of a tag of no JSON", downstream, then(greeting(), contracts(act(wire.ActionUnobserveTag, `-`, 0))), "unobserve tag"},
		// States.
		{"a first state without a format", exposer, []wire.Event{states(up(2), wire.StateAction{Kind: wire.StatePatch, Version: []int64{1}})}, "no format"},
		{"a first state without a format from upstream", observing, []wire.Event{states(up(2), wire.StateAction{Kind: wire.StatePatch, Version: []int64{1}})}, "no format"},
		{"a diff that ends after the escape", exposer, []wire.Event{states(up(2), diffed(1, 0xff))}, "channel 2"},
		{"a diff that ends inside a position", exposer, []wire.Event{states(up(2), diffed(1, 0xff, 0xfe, 1))}, "channel 2"},
		{"a diff that ends inside a length", exposer, []wire.Event{states(up(2), diffed(1, 'a', 0xff, 1))}, "channel 2"},
		{"a copy from the output before its start", exposer, []wire.Event{states(up(2), diffed(1, 'a', 0xff, 2, 1))}, "channel 2"},
		{"a copy from old where there is none", exposer, []wire.Event{states(up(2), diffed(1, 0xff, 0x80, 1))}, "channel 2"},
		{"a copy past the end of old", exposer, []wire.Event{states(up(2), patch(1, "ab", 0), diffed(2, 0xff, 0x80, 3))}, "channel 2"},
		{"a diff that grows beyond the limit", exposer, []wire.Event{states(up(2), diffed(1, 'a', 0xff, 1, 253, 0xff, 0xff, 0xff, 0xff))}, "channel 2"},
		{"many references that grow beyond it together", exposer, []wire.Event{states(up(2), diffed(1, 'a', 0xff, 1, 253, 2, 0, 0, 0, 0xff, 1, 253, 2, 0, 0, 0))}, "channel 2"},
		{"states on our stream", func(t *testing.T) *raw {
			r := downstream(t)
			r.send(then(greeting(), contracts(act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...)))...)
			r.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeObject, Descriptor: thing, Capacity: 1})
			r.pull()
			return r
		}, []wire.Event{states(up(2), patch(1, "", 0))}, "does not take it"},
		{"states on an outlet", func(t *testing.T) *raw {
			r := upstream(t)
			r.send(then(upstreamGreeting(), initialize(up(2), wire.ChannelSink, thing)...)...)
			return r
		}, []wire.Event{states(up(2), patch(1, "", 0))}, "does not take it"},
	} {
		t.Run(row.story, func(t *testing.T) {
			r := row.peer(t)
			for _, event := range row.events {
				if r.end != nil {
					t.Fatalf("ended before its last event: %v", r.end)
				}
				r.send(event)
			}
			var fault *ProtocolError
			if !errors.As(r.end, &fault) || fault.Link != r.link || !strings.Contains(fault.Reason, row.reason) {
				t.Fatalf("ended with %v, want a reason with %q", r.end, row.reason)
			}
			if r.x.links[r.link] != nil {
				t.Fatal("the link is still there")
			}
		})
	}
}

// TestReceive_WhatIsTolerated states what looks odd and harms nobody, as with
// the reference.
func TestReceive_WhatIsTolerated(t *testing.T) {
	for _, row := range []struct {
		story  string
		peer   func(*testing.T) *raw
		events []wire.Event
	}{
		{"a channel opened, closed and opened again", observing, then([]wire.Event{closing(up(2))}, initialize(up(2), wire.ChannelStream, thing)...)},
		{"a channel closed before it was initialized", downstream, []wire.Event{{Kind: wire.EventOpen, Channel: down(4)}, closing(down(4))}},
		{"a second control channel", downstream, then(greeting(), initialize(down(2), wire.ChannelUpstreamControl, wire.Descriptor{})...)},
		{"contracts on the second one", downstream, then(then(greeting(), initialize(down(2), wire.ChannelUpstreamControl, wire.Descriptor{})...),
			controls(wire.MessageUpstreamControl, down(2), act(wire.ActionObserveTag, `1`, 0)))},
		{"no actions", downstream, then(greeting(), contracts())},
		{"no names", upstream, then(upstreamGreeting(), fromUpstream())},
		{"no states", exposer, []wire.Event{states(up(2))}},
		{"unobserve of nothing", downstream, then(greeting(), contracts(act(wire.ActionUnobserveObject, `1`, 0), act(wire.ActionUnobserveTag, `1`, 0)))},
		{"unexpose of nothing", downstream, then(greeting(), contracts(act(wire.ActionUnexposeObject, `1`, 0), act(wire.ActionUnexposeTag, `1`, 0)))},
		{"capacity of nothing", downstream, then(greeting(), contracts(act(wire.ActionSetObjectCapacity, `1`, 5), act(wire.ActionSetTagCapacity, `1`, 5)))},
		{"a load limit on the control channel's twin", downstream, then(greeting(), controls(wire.MessageDownstreamControl, up(1), wire.ControlAction{Kind: wire.ActionSetLoadLimit}))},
		{"a flag before any state", exposer, []wire.Event{states(up(2), flagOnly(0), flagOnly(7))}},
		{"a flag as old as can be", exposer, []wire.Event{states(up(2), patch(1, "x", math.MaxUint64))}},
		{"an empty version", exposer, []wire.Event{states(up(2), wire.StateAction{Kind: wire.StatePatch, HasFormat: true})}},
		{"an empty format and no data", exposer, []wire.Event{states(up(2), patch(1, "", 0))}},
		{"capacities that sum beyond 32 bits", downstream, then(greeting(), contracts(act(wire.ActionExposeObject, `1`, math.MaxUint32, `"T"`, `"U"`), act(wire.ActionExposeTag, `"T"`, math.MaxUint32), act(wire.ActionExposeTag, `"U"`, math.MaxUint32)))},
		{"two names", downstream, then(greeting(), contracts(wire.ControlAction{Kind: wire.ActionSetName, Name: ""}))},
		{"the greatest channel number", downstream, []wire.Event{{Kind: wire.EventOpen, Channel: down(math.MaxUint64)}}},
		{"several streams of one object", observing, initialize(up(3), wire.ChannelStream, thing)},
		{"a stream and a sink of one object", observing, initialize(up(3), wire.ChannelSink, thing)},
		{"duplicate keys: the last wins", downstream, then(greeting(), contracts(act(wire.ActionObserveObject, `{"a":1,"a":2}`, 0)))},
		{"a load limit far in the future", downstream, then(greeting(), contracts(wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: []wire.LoadPoint{{Seconds: 9e18, Load: math.MaxUint32}}}))},
	} {
		t.Run(row.story, func(t *testing.T) {
			r := row.peer(t)
			r.send(row.events...)
			if r.end != nil {
				t.Fatal(r.end)
			}
			r.step(Input{Kind: InputReceive, Link: r.link}) // an empty message
			r.pull()
			if r.end != nil || r.x.links[r.link] == nil {
				t.Fatalf("ended: %v", r.end)
			}
		})
	}
}

func TestReceive_BytesThatDoNotDecodeEndTheLink(t *testing.T) {
	for _, data := range []string{"\x03", "\x00", "\x00\x01\x00", "\x01\x01\x01\x09", "\xff\xff\xff\xff"} {
		r := downstream(t)
		r.step(Input{Kind: InputReceive, Link: r.link, Data: []byte(data)})
		if r.end == nil {
			t.Errorf("%x did not end the link", data)
		}
	}
}

// TestReceive_AReasonDoesNotRepeatAPeersLongName keeps the log from being filled by a megabyte of each fault.
func TestReceive_AReasonDoesNotRepeatAPeersLongName(t *testing.T) {
	long := `"` + strings.Repeat("é", 1<<18) + `"`
	for _, kind := range []wire.ActionKind{wire.ActionObserveObject, wire.ActionObserveTag} {
		r := downstream(t)
		r.send(then(greeting(), contracts(act(kind, long, 0), act(kind, long, 0)))...)
		if r.end == nil || len(r.end.Error()) > 300 || !strings.Contains(r.end.Error(), "é…, which the link does already") {
			t.Errorf("ended with %.300v", r.end)
		}
	}
}

func TestReceive_AFaultHarmsNoOtherLink(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	observe := c["o"].open(ObserveObject, thing, 0)
	expose := c["a"].open(ExposeObject, thing, 1)
	w.settle()
	sink, stream := c["a"].takeOffer(expose), c["o"].takeOffer(observe)
	root.step(Input{Kind: InputAttach, Link: 99, Role: ToDownstream, Name: "root"})
	for _, event := range then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, math.MaxUint32, thing.Tags...), act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...))) {
		root.step(Input{Kind: InputReceive, Link: 99, Data: wire.AppendEvent(nil, &event)})
	}
	root.step(Input{Kind: InputReceive, Link: 99, Data: []byte{7}})
	if root.ended[99] == nil {
		t.Fatal("the hostile link did not end")
	}
	if err := c["a"].publish(sink, "still here"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "seen", c["o"].seen(stream), "still here now")
}

func TestReceive_AnElectedLinksFaultMovesItsElections(t *testing.T) {
	r := exposer(t)
	r.step(Input{Kind: InputAttach, Link: 2, Role: ToDownstream, Name: "core"})
	for _, event := range then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...))) {
		r.step(Input{Kind: InputReceive, Link: 2, Data: wire.AppendEvent(nil, &event)})
	}
	expect(t, "elected before", r.x.objects[thing.Key].elected.Link, 1)
	r.send(states(up(2), diffed(1, 0xff)))
	if r.end == nil {
		t.Fatal("the malformed diff did not end the link")
	}
	expect(t, "elected after", r.x.objects[thing.Key].elected.Link, 2)
}

// A message that changes a tag many times walks the tag's objects once: had it
// walked them at each, a small message could keep the exchange busy for hours.
func TestReceive_ATagChangedOftenInOneMessageIsSettledOnce(t *testing.T) {
	x := New(Config{Slice: 1 << 20})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	actions := []wire.ControlAction{act(wire.ActionExposeTag, `"T"`, 1)}
	for i := range 2000 {
		actions = append(actions, act(wire.ActionExposeObject, strconv.Itoa(i), 1, `"T"`))
	}
	for i := range 20_000 {
		actions = append(actions, act(wire.ActionSetTagCapacity, `"T"`, uint32(i)))
	}
	r.send(contracts(append(actions, act(wire.ActionUnexposeTag, `"T"`, 0), act(wire.ActionExposeTag, `"T"`, 5))...))
	if r.end != nil {
		t.Fatal(r.end)
	}
	expect(t, "capacity", x.objects[object1(`7`, `"T"`).Key].part(x.links[r.link]).capacity, 6)
	r.send(contracts(act(wire.ActionExposeTag, `"U"`, 1), act(wire.ActionUnexposeTag, `"U"`, 0), act(wire.ActionUnexposeTag, `"U"`, 0)))
	expect(t, "tags", len(x.tags), 1)
}

func TestMisuse_InputsFromAFile(t *testing.T) {
	x := New(Config{})
	for _, input := range []Input{
		{Kind: InputAttach, Link: 1, Role: ToUpstream, LoadLimit: []wire.LoadPoint{{Seconds: float32(math.NaN())}}},
		{Kind: InputAttach, Link: 1, Role: ToUpstream, LoadLimit: []wire.LoadPoint{{Seconds: -1}}},
		{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject},
		{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: wire.Descriptor{Key: `["T"]1`, JSON: `1`}},
		{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: wire.Descriptor{Key: "[]\"\xff\"", JSON: "\"\xff\""}},
		{Kind: InputOpen, Contract: 1, ContractKind: ObserveTag, Descriptor: thing},
	} {
		if effects := x.Step(Now{}, input); len(effects) != 1 || effects[0].Kind != EffectRefused {
			t.Errorf("%+v: %+v", input, effects)
		}
	}
}
