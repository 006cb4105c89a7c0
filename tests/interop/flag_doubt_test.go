package interop

import (
	"time"
)

// isNow checks the state that the exchange holds, and its flag.
func (p *Peer) isNow(object Object, want bool, version ...int64) {
	p.t.Helper()
	state := p.seen(object).DataState
	if state == nil || len(state.Version) != 1 || state.Version[0] != version[0] || (state.Synchronized == 0) != want {
		p.t.Fatalf("%s holds %+v, expected version %v, now: %v", p.name, state, version, want)
	}
}

// flagDoubts are about states, versions and their flags.
var flagDoubts = []doubt{
	{"Flag_OlderStateMarkedNow", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		newer := a.Sink(object).Send(NewState("newer", 5))
		stream := observe.Stream()
		stream.WaitFor(newer)
		a.Tell(unexposing(object))
		stream.WaitLastAt(newer)
		b.Tell(exposing(object, 1))
		sink := b.Sink(object)
		sink.Send(NewState("older", 3))
		if kind == Rust {
			stream.WaitFor(newer) // "now", which only the sender of the older state says
			return
		}
		s.answers(b)
		s.isNow(object, false, 5)
		newest := sink.Send(NewState("newest", 6))
		if got := stream.Next(); !got.SameData(newest) {
			w.Errorf("%v after the older state, expected %v", got, newest)
		}
	}},
	{"Flag_OlderStateFromAbove", func(w *World, kind Kind) {
		object, other := NewObject("room"), NewObject("other")
		parent, child := ListenRaw(w), StartPeer(w, "child")
		observe, expose := child.ObserveObject(object), child.ExposeObject(object)
		child.ObserveObject(other)
		newer := NewState("newer", 5)
		sink := expose.Sink()
		stream := observe.Stream()
		stream.WaitFor(sink.Send(newer.LastAt(time.Second)))
		child.Dial(parent.URL)
		up := parent.Accept()
		up.WaitTold(observing(object))
		up.WaitTold(observing(other))
		up.OpenStream(object).Send(NewState("older", 3))
		sink.WaitRevoked()
		if kind == Rust {
			stream.WaitFor(newer)
			return
		}
		up.OpenStream(other).Send(NewState("after it", 1))
		eventually(w, func() string { return "the child does not hold what was sent last" }, func() bool { return child.seen(other).DataState != nil })
		child.isNow(object, false, 5)
	}},
	{"Flag_ClockGoesBack", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a := s.child("a")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		sink := a.Sink(object)
		before := sink.Send(NewState("before", 100))
		stream := observe.Stream()
		stream.WaitFor(before)
		sink.Send(NewState("after the clock went back", 50))
		if kind == Go {
			stream.WaitLastAt(before)
		}
		last := sink.Send(NewState("after the clock caught up", 101))
		if got := stream.Next(); !got.SameData(last) {
			w.Errorf("%v, expected the observer to take the first state for current until %v", got, last)
		}
	}},
	{"Flag_EqualVersionFromAnother", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		first := a.Sink(object).Send(NewState("first", 5))
		stream := observe.Stream()
		stream.WaitFor(first)
		a.Tell(unexposing(object))
		stream.WaitLastAt(first)
		b.Tell(exposing(object, 1))
		b.Sink(object).Send(NewState("second", 5))
		stream.WaitFor(first) // with the flag that the second one's sender sent
	}},
	{"Flag_EqualVersionsApart", func(w *World, _ Kind) {
		object := NewObject("room")
		s, child := startParent(w, false), StartPeer(w, "child")
		above, below := s.ObserveObject(object), child.ObserveObject(object)
		expose, sinkBelow := s.ExposeObject(object), child.ExposeObject(object).Sink()
		sinkAbove := expose.Sink()
		sentAbove, sentBelow := sinkAbove.Send(NewState("above", 1)), sinkBelow.Send(NewState("below", 1))
		streamAbove, streamBelow := above.Stream(), below.Stream()
		streamAbove.WaitFor(sentAbove)
		streamBelow.WaitFor(sentBelow)
		child.Connect(s.url)
		sinkBelow.WaitRevoked()
		child.waitElected(object, "upstream")
		eventually(w, func() string { return "the child does not take its own data for current" }, func() bool {
			state := child.seen(object).DataState
			return state != nil && state.Version[0] == 1 && state.Synchronized == 0
		})
		last := sinkAbove.Send(NewState("newer", 2))
		streamAbove.WaitFor(last)
		streamBelow.Wait("the newer state, and nothing else's data before", func(got State) bool {
			if !got.SameData(last) && !got.SameData(sentBelow) {
				w.Errorf("the child sees %v", got)
			}
			return got.SameData(last)
		})
	}},
	{"Flag_RevokedSinkCounts", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		stream := s.ObserveObject(object)
		expose := s.ExposeObject(object, Keep)
		sink := expose.Sink()
		sent := sink.Send(NewState("first", 1))
		seen := stream.Stream()
		seen.WaitFor(sent)
		expose.Drop()
		sink.WaitRevoked()
		s.isElected(object, "nobody")
		s.isNow(object, kind == Rust, 1)
		late := NewState("of a revoked sink", 2)
		err := sink.TrySend(&late)
		if kind == Go {
			seen.WaitLastAt(sent)
			if err == nil {
				w.Error("a revoked sink takes a state")
			}
			return
		}
		if err != nil {
			w.Error(err)
		}
		seen.WaitFor(late)
		sink.Drop()
		seen.WaitLastAt(late)
	}},
	{"Flag_RevokedSinkOutlivesItsObserver", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		observe := s.ObserveObject(object)
		sink := s.ExposeObject(object, Keep).Sink()
		sent := sink.Send(NewState("first", 1))
		observe.Stream().WaitFor(sent)
		observe.Drop()
		sink.WaitRevoked()
		s.isElected(object, "nobody")
		if kind == Rust {
			s.ObserveObject(object).Stream().WaitFor(sent) // as current, of a sink that has ended
		} else if state := s.seen(object).DataState; state != nil {
			w.Errorf("%+v is held, which nobody needs", *state)
		}
	}},
	{"Flag_SinkThatSaidLastAtGoes", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		observe := s.ObserveObject(object)
		expose := s.ExposeObject(object)
		sink := expose.Sink()
		sent := sink.Send(NewState("old", 1).LastAt(time.Hour))
		observe.Stream().WaitFor(sent)
		sink.Drop()
		expose.Sink() // the next one is given when the first is gone
		age := time.Duration(s.seen(object).DataState.Synchronized) * time.Microsecond
		if stamped := age < time.Hour; stamped != (kind == Rust) {
			w.Errorf("a state that was last current an hour ago is so %v ago", age)
		}
	}},
	{"Flag_ProducerGoesWhileAnotherSaysNow", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		observe := s.ObserveObject(object)
		first := s.ExposeObject(object, Keep)
		kept := first.Sink()
		sent := kept.Send(NewState("first", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		first.Drop()
		kept.WaitRevoked()
		second := s.ExposeObject(object)
		sink := second.Sink()
		old := sink.Send(NewState("second", 2).LastAt(time.Hour))
		stream.WaitFor(old)
		sink.Drop()
		second.Sink()
		s.isNow(object, kind == Rust, 2) // what nobody ever said of it
	}},
	{"Flag_LastAtMovesBack", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a := s.child("a")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		sink := a.Sink(object)
		sent := sink.Send(NewState("seen as current", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		sink.Send(sent.LastAt(time.Hour))
		got := stream.WaitLastAt(sent)
		if back := got.SynchronizedMicros >= uint64(time.Hour.Microseconds()); back != (kind == Rust) {
			w.Errorf("%v, after it was seen as current now", got)
		}
	}},
	{"Flag_StreamEndsWithItsState", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a := s.child("a")
		observe, expose := s.ObserveObject(object), s.ExposeObject(object)
		a.Tell(observing(object), exposing(object, 1))
		sink := expose.Sink()
		sent := sink.Send(NewState("first", 1))
		stream := a.Stream(object)
		stream.WaitFor(sent)
		observe.Drop()
		sink.WaitRevoked()
		stream.WaitClosed()
		s.ObserveObject(object)
		again := a.Stream(object)
		last := expose.Sink().Send(NewState("second", 2))
		for got := again.Next(); !got.SameData(last); got = again.Next() {
			if got.Now() {
				w.Errorf("%v is said to be current, and nobody stands for it", got)
			}
		}
	}},
}
