package interop

import "time"

// electionDoubts are about who is elected, and about contracts that change.
var electionDoubts = []doubt{
	{"Capacity_RisesFromZero", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a := s.child("a")
		s.ObserveObject(object)
		a.Tell(exposing(object, 0))
		s.answers(a)
		s.isElected(object, "nobody")
		a.Tell(resizing(object, 1))
		if kind == Go {
			a.Sink(object)
			return
		}
		s.answers(a)
		s.isElected(object, "nobody") // and nothing is under way
		a.NoSink(object)
		s.child("b").Tell(exposing(object, 0)) // any change of a contract elects
		a.Sink(object)
	}},
	{"Capacity_ZeroDoesNotDrain", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, true)
		a, b := s.child("a"), s.child("b")
		s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		sink := a.Sink(object)
		b.Tell(exposing(object, 1))
		s.answers(b)
		a.Tell(resizing(object, 0))
		s.answers(a)
		s.staysElected(object, "a")
		sink.NotClosed()
		a.Tell(unexposing(object))
		sink.WaitClosed()
		b.Sink(object)
	}},
	{"Capacity_ZeroBelowStarvesAbove", func(w *World, _ Kind) {
		object := NewObject("room")
		r, b := startParent(w, false), startParent(w, true)
		expose := r.ExposeObject(object)
		b.Connect(r.url, "name=b")
		a := b.child("a")
		a.Tell(exposing(object, 0))
		b.answers(a)
		observe := b.ObserveObject(object)
		eventually(w, func() string { return "r has not heard of a" }, func() bool {
			links := r.seen(object).DownstreamLinks
			return len(links) == 1 && links[0].Observer && links[0].Exposer
		})
		b.staysElected(object, "nobody")
		r.isElected(object, "nobody")
		a.Tell(unexposing(object))
		Deliver(expose, observe, NewState("at last", 1))
	}},
	{"Contract_NeverTakesItsSink", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, true)
		lazy := StartPeer(w, "lazy")
		lazy.Connect(s.url, "name=lazy")
		expose := lazy.ExposeObject(object, ManualTake)
		observe := s.ObserveObject(object)
		s.waitElected(object, "lazy")
		b := s.child("b")
		b.Tell(exposing(object, 1))
		s.answers(b)
		s.staysElected(object, "lazy")
		b.NoSink(object)
		expose.Take(1)
		Deliver(expose, observe, NewState("at last", 1))
	}},
	{"Contract_ObservesAndExposes", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		a.Tell(observing(object), exposing(object, 1))
		s.answers(a)
		s.isElected(object, "nobody") // it serves itself
		a.NoSink(object)
		a.NoStream(object)
		b.Tell(observing(object))
		sink, stream := a.Sink(object), b.Stream(object)
		stream.WaitFor(sink.Send(NewState("of a", 1)))
		s.answers(a)
		a.NoStream(object)
		b.Tell(exposing(object, 1))
		s.answers(b)
		s.isElected(object, "a")
		a.Tell(unexposing(object))
		sink.WaitClosed()
		stream.WaitClosed()
		sink, stream = b.Sink(object), a.Stream(object)
		stream.WaitFor(sink.Send(NewState("of b", 2)))
		a.Tell(unobserving(object))
		sink.WaitClosed()
		s.isElected(object, "nobody")
	}},
	{"Contract_ReplacedInOneMessage", func(w *World, kind Kind) {
		object := NewObject("room", "tag")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		b.Tell(observing(object))
		a.Tell(exposing(object, 1))
		sink, stream := a.Sink(object), b.Stream(object)
		sent := sink.Send(NewState("first", 1))
		stream.WaitFor(sent)
		stream.WaitFor(sink.Send(sent.LastAt(time.Second)))
		b.Tell(unobserving(object), observingTag(Text("tag")))
		if kind == Rust {
			sink.WaitClosed()
			stream.WaitClosed()
			sink, stream = a.Sink(object), b.Stream(object)
		}
		s.answers(b)
		s.answers(a)
		sink.NotClosed()
		stream.NotClosed()
		if erased := s.seen(object).DataState == nil; erased != (kind == Rust) {
			w.Errorf("the state is erased: %v", erased)
		}
		stream.WaitFor(sink.Send(NewState("second", 2)))
	}},
	{"Tag_OneOfTwoWithdrawn", func(w *World, _ Kind) {
		object, t, u := NewObject("room", "t", "u"), Text("t"), Text("u")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		observe := s.ObserveObject(object)
		a.Tell(exposingTag(t, 2))
		sink := a.Sink(object)
		a.Tell(exposingTag(u, 3))
		a.Tell(unexposingTag(t))
		b.Tell(observingTag(t), observingTag(u))
		stream := b.Stream(object)
		b.Tell(unobservingTag(t))
		s.answers(a)
		s.answers(b)
		s.isElected(object, "a")
		s.hasLoad("a", 0.5) // as it was elected with
		sink.NotClosed()
		stream.NotClosed()
		b.NoStream(object)
		stream.WaitFor(sink.Send(NewState("through both", 1)))
		b.Tell(unobservingTag(u))
		stream.WaitClosed()
		a.Tell(unexposingTag(u))
		sink.WaitClosed()
		s.isElected(object, "nobody")
		s.hasLoad("a", 0)
		observe.Drop()
	}},
	{"Rebalance_CrossesUnexpose", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, true)
		a, b := s.child("a"), s.child("b")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		left := a.Sink(object)
		first := left.Send(NewState("first", 1))
		stream := observe.Stream()
		stream.WaitFor(first)
		b.Tell(exposing(object, 100))
		taken := b.Sink(object) // moved, by the time that b says
		b.Tell(unexposing(object))
		if kind == Rust {
			taken.WaitClosed() // what is under way meanwhile the reference takes or drops, as its tasks happen to run
		}
		taken.Send(NewState("late, of b", 9))
		left.WaitClosed()
		left.Send(NewState("late, of a", 8))
		back := a.Sink(object)
		s.answers(a)
		s.answers(b)
		s.isElected(object, "a")
		s.hasLoad("a", 1)
		s.hasLoad("b", 0)
		last := back.Send(NewState("second", 2))
		stream.Wait("the second state, and none that came late", func(got State) bool {
			if !got.SameData(first) && !got.SameData(last) {
				w.Errorf("the observer sees %v", got)
			}
			return got.SameData(last)
		})
	}},
}
