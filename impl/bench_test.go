package impl

import (
	"bytes"
	"fmt"
	"testing"

	"hakuban/wire"
)

// BenchmarkStep_Publish is one state of 64 KiB with one edit, published to a
// local sink and pulled by every observing link.
func BenchmarkStep_Publish(b *testing.B) {
	for _, links := range []int{1, 100, 1000} {
		for _, size := range []int{100, 64 << 10} {
			b.Run(fmt.Sprintf("links=%d/bytes=%d", links, size), func(b *testing.B) { benchmarkPublish(b, links, size) })
		}
	}
}

func benchmarkPublish(b *testing.B, links, size int) {
	x := New(Config{})
	now := Now{Mono: 1, Wall: 1}
	step := func(input Input) []Effect {
		now.Mono++
		return x.Step(now, input)
	}
	step(Input{Kind: InputOpen, Contract: 1, ContractKind: ExposeObject, Descriptor: thing, Capacity: 1})
	buffer := make([]byte, 0, 1<<17)
	pull := func(link LinkID) { step(Input{Kind: InputPull, Link: link, Buffer: buffer[:0], Budget: 1 << 16}) }
	for link := LinkID(1); link <= LinkID(links); link++ {
		step(Input{Kind: InputAttach, Link: link, Role: ToDownstream, Name: "bench"})
		for _, event := range then(greeting(), contracts(act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...))) {
			step(Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &event)})
		}
		pull(link)
	}
	sink := step(Input{Kind: InputTake, Contract: 1})[0].Offer
	versions := [2]*State{}
	for i := range versions {
		data := bytes.Repeat([]byte(`{"key":"value"},`), size/16+1)[:size]
		data[size/2] = byte('0' + i)
		versions[i] = &State{Format: []string{"JSON"}, Data: data}
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		step(Input{Kind: InputPublish, Offer: sink, State: versions[n%2], Synchronized: Synchronized{Now: true}})
		for link := LinkID(1); link <= LinkID(links); link++ {
			pull(link)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*links), "ns/link")
}

// BenchmarkStep_Receive is one small state that arrives from a source.
func BenchmarkStep_Receive(b *testing.B) {
	x := New(Config{})
	x.Step(Now{}, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	x.Step(Now{}, Input{Kind: InputAttach, Link: 1, Role: ToUpstream, Name: "bench"})
	send := func(event wire.Event) {
		x.Step(Now{}, Input{Kind: InputReceive, Link: 1, Data: wire.AppendEvent(nil, &event)})
	}
	for _, event := range initialize(up(1), wire.ChannelStream, thing) {
		send(event)
	}
	messages := make([][]byte, 2)
	version := int64(0)
	send(states(up(1), patch(version, `{"some":"state"}`, 0)))
	b.ReportAllocs()
	for b.Loop() {
		version++
		event := states(up(1), patch(version, `{"some":"state"}`, 0))
		messages[0] = wire.AppendEvent(messages[0][:0], &event)
		x.Step(Now{}, Input{Kind: InputReceive, Link: 1, Data: messages[0]})
	}
}

// BenchmarkStep_Relay is one small state that arrives from the elected link, the
// youngest of all, and is pulled by every observing link.
func BenchmarkStep_Relay(b *testing.B) {
	const links = 1000
	x := New(Config{})
	buffer := make([]byte, 0, 1<<10)
	send := func(link LinkID, events ...wire.Event) {
		for i := range events {
			x.Step(Now{Mono: 1}, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &events[i])})
		}
	}
	pull := func(link LinkID) {
		x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: link, Buffer: buffer[:0], Budget: 1 << 16})
	}
	for link := LinkID(1); link <= links+1; link++ {
		action := act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...)
		if link > links {
			action = act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...)
		}
		x.Step(Now{Mono: 1}, Input{Kind: InputAttach, Link: link, Role: ToDownstream, Name: "bench"})
		send(link, then(greeting(), contracts(action))...)
		pull(link)
	}
	version := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		version++
		send(links+1, states(up(2), patch(version, `{"some":"state"}`, 0)))
		for link := LinkID(1); link <= links; link++ {
			pull(link)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(version*links), "ns/link")
}

// BenchmarkStep_Join is one link that takes its observing of an object back and
// observes it again, among others that do.
func BenchmarkStep_Join(b *testing.B) {
	for _, links := range []LinkID{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("links=%d", links), func(b *testing.B) {
			x := New(Config{Rebalance: true})
			buffer := make([]byte, 0, 1<<10)
			send := func(link LinkID, events ...wire.Event) {
				for i := range events {
					x.Step(Now{Mono: 1}, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &events[i])})
				}
				x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: link, Buffer: buffer[:0], Budget: 1 << 16})
			}
			x.Step(Now{Mono: 1}, Input{Kind: InputAttach, Link: links + 1, Role: ToUpstream, Name: "bench"})
			for link := LinkID(1); link <= links; link++ {
				x.Step(Now{Mono: 1}, Input{Kind: InputAttach, Link: link, Role: ToDownstream, Name: "bench"})
				send(link, greeting()...)
				send(link, contracts(act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...)))
			}
			b.ReportAllocs()
			for b.Loop() {
				send(links, contracts(act(wire.ActionUnobserveObject, thing.JSON, 0, thing.Tags...)))
				send(links, contracts(act(wire.ActionObserveObject, thing.JSON, 0, thing.Tags...)))
			}
		})
	}
}
