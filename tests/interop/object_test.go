package interop

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// quiet is how long a thing that must not happen is given to happen.
const quiet = 200 * time.Millisecond

var objectScenarios = []scenario{
	{name: "Object_StateReachesObserver", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		observe := observer.ObserveObject(object)
		sink := exposer.ExposeObject(object).Sink()
		sent := sink.Send(NewState("hello", 1))
		observe.Stream().WaitFor(sent)
	}},
	{name: "Object_NoSinkBeforeAnObserver", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		expose := w.Peer("exposer", Left).ExposeObject(object)
		expose.NoSink(quiet)
		observe := w.Peer("observer", Right).ObserveObject(object)
		sent := expose.Sink().Send(NewState("wanted", 1))
		observe.Stream().WaitFor(sent)
	}},
	{name: "Object_EveryUpdateEndsAtTheNewest", trees: AnyTree, run: func(w *World) {
		object := NewObject("counter")
		observe := w.Peer("observer", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		var last State
		for version := range int64(100) {
			last = sink.Send(NewState(string(rune('a'+version%26)), version+1))
		}
		observe.Stream().WaitFor(last)
	}},
	{name: "Object_LateObserverGetsTheHeldState", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		first := w.Peer("first", Right).ObserveObject(object)
		sent := w.Peer("exposer", Left).ExposeObject(object).Sink().Send(NewState("held", 7))
		first.Stream().WaitFor(sent)
		for _, place := range []Place{Top, Left, Right, Middle} {
			w.Peer("late", place).ObserveObject(object).Stream().WaitFor(sent)
		}
	}},
	{name: "Object_SinkFollowsTheObserver", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		expose := exposer.ExposeObject(object)
		for version := range int64(4) {
			observe := observer.ObserveObject(object)
			Deliver(expose, observe, NewState("again", version+1))
			observe.Drop()
			expose.last.WaitRevoked()
		}
	}},
	{name: "Object_OneObserverLeavesTheOtherStays", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		staying := w.Peer("staying", Right).ObserveObject(object)
		leaving := w.Peer("leaving", Left).ObserveObject(object)
		sink := w.Peer("exposer", Middle).ExposeObject(object).Sink()
		sent := sink.Send(NewState("both", 1))
		stays := staying.Stream()
		stays.WaitFor(sent)
		leaves := leaving.Stream()
		leaves.WaitFor(sent)
		leaving.Drop()
		leaves.WaitClosed()
		stays.WaitFor(sink.Send(NewState("one", 2)))
		sink.NotRevoked(quiet)
	}},
	{name: "Object_ReleasedSinkIsOfferedAgain", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		stream := w.Peer("observer", Right).ObserveObject(object)
		expose := w.Peer("exposer", Left).ExposeObject(object)
		sink := expose.Sink()
		first := sink.Send(NewState("first", 1))
		seen := stream.Stream()
		seen.WaitFor(first)
		sink.Drop()
		seen.WaitFor(expose.Sink().Send(NewState("second", 2)))
	}},
	{name: "Object_ExposerDropsItsContract", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		expose := w.Peer("exposer", Left).ExposeObject(object)
		sink := expose.Sink()
		sent := sink.Send(NewState("left behind", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		expose.Drop()
		sink.WaitRevoked()
		stream.WaitLastAt(sent)
		stream.NotClosed(quiet)
	}},
	{name: "Object_ExposerCrashes", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Peer("exposer", Left)
		sent := exposer.ExposeObject(object).Sink().Send(NewState("last words", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		exposer.Kill()
		stream.WaitLastAt(sent)
	}},
	{name: "Object_AnotherExposerTakesOver", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveObject(object)
		first := w.Peer("first", Left)
		sent := first.ExposeObject(object).Sink().Send(NewState("first", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		standby := w.Peer("standby", Left).ExposeObject(object)
		standby.NoSink(quiet)
		first.Kill()
		Deliver(standby, observe, NewState("second", 2))
	}},
	{name: "Object_TakeOverKeepsTheObserversStream", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		first := w.Peer("first", Left).ExposeObject(object)
		stream := observe.Stream()
		stream.WaitFor(first.Sink().Send(NewState("first", 1)))
		second := w.Peer("second", Top).ExposeObject(object)
		first.Drop()
		Deliver(second, observe, NewState("second", 2))
		observe.NoStream(quiet)
	}},
	{name: "Object_OlderVersionIsRefusedAfterTakeOver", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		first := w.Peer("first", Left).ExposeObject(object)
		newer := first.Sink().Send(NewState("newer", 5))
		stream := observe.Stream()
		stream.WaitFor(newer)
		first.Drop()
		second := w.Peer("second", Left).ExposeObject(object)
		older := NewState("older", 3)
		second.Publish(older)
		stream.NeverShows("the older state", quiet, older.SameData)
		Deliver(second, observe, NewState("newest", 6))
	}},
	{name: "Object_EqualVersionKeepsTheFirstData", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		first := w.Peer("first", Left).ExposeObject(object)
		sent := first.Sink().Send(NewState("first", 5))
		stream := observe.Stream()
		stream.WaitFor(sent)
		first.Drop()
		stream.WaitLastAt(sent)
		rival := NewState("rival", 5)
		w.Peer("second", Left).ExposeObject(object).Publish(rival)
		stream.NeverShows("the rival's data", quiet, rival.SameData)
	}},
	{name: "Object_DefaultVersionIsTheClock", trees: OneRouter, referenceOnly: "ours is the successor: Library_DefaultVersionPassesTheOneItSees", run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		ahead := sink.Send(NewState("a clock that was ahead", math.MaxInt64))
		stream := observe.Stream()
		stream.WaitFor(ahead)
		unseen := sink.Send(NewState("by the clock"))
		stream.NeverShows("it", quiet, func(got State) bool { return !got.SameData(ahead) })
		if slices.Compare(unseen.Version, ahead.Version) >= 0 {
			w.Errorf("the default version is %v, after %v", unseen.Version, ahead.Version)
		}
	}},
	{name: "Object_PeerThatObservesAndExposes", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		both, other := w.Peer("both", Left), w.Peer("other", Right)
		own := both.ObserveObject(object)
		expose := both.ExposeObject(object)
		observe := other.ObserveObject(object)
		sink := expose.Sink()
		sent := sink.Send(NewState("mine", 1))
		own.Stream().WaitFor(sent)
		observe.Stream().WaitFor(sent)
		observe.Drop()
		sink.NotRevoked(quiet) // it still observes itself
	}},
	{name: "Object_ObservingRivalsSeeTheElectedOnesStates", trees: AnyTree, run: func(w *World) {
		object := NewObject("leader")
		var streams, candidates []*Contract
		for _, place := range []Place{Left, Right} {
			peer := w.Peer("candidate", place)
			streams = append(streams, peer.ObserveObject(object))
			candidates = append(candidates, peer.ExposeObject(object))
		}
		// Each is elected by its own exchange before the tree knows better. Whoever holds a sink goes on talking;
		// in the end there is one leader, whose word both have.
		last, sinks := make([]State, len(streams)), make([]*Sink, len(streams))
		version := int64(0)
		eventually(w, func() string { return fmt.Sprintf("the candidates see %v", last) }, func() bool {
			for i, candidate := range candidates {
				if e, ok := candidate.peer.take(candidate.is("sink-offered")); ok {
					sinks[i] = candidate.sink(e)
				}
				if sinks[i] != nil {
					version++
					word := NewState(fmt.Sprint("candidate ", i), version)
					if sinks[i].TrySend(&word) != nil {
						sinks[i] = nil // revoked
					}
				}
				for e, ok := candidate.peer.take(streams[i].is("state")); ok; e, ok = candidate.peer.take(streams[i].is("state")) {
					last[i] = e.state()
				}
			}
			return last[0].Version != nil && last[0].SameData(last[1]) && last[0].Now() && last[1].Now()
		})
	}},
	{name: "Object_RevokedSinkWhileKeptByItsOwner", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observer := w.Peer("observer", Right)
		observe := observer.ObserveObject(object)
		expose := w.Peer("exposer", Left).ExposeObject(object, Keep)
		sink := expose.Sink()
		observe.Stream().WaitFor(sink.Send(NewState("first", 1)))
		observe.Drop()
		sink.WaitRevoked()
		again := observer.ObserveObject(object)
		expose.NoSink(quiet) // one sink is out until it is released
		sink.Drop()
		Deliver(expose, again, NewState("second", 2))
	}},
	{name: "Object_ReleasedStreamIsGivenAgain", trees: OneRouter, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("held", 1))
		for range 3 {
			stream := observe.Stream()
			stream.WaitFor(sent)
			stream.Drop()
		}
		observe.Stream().WaitFor(sent)
		sink.NotRevoked(quiet)
	}},
	{name: "Object_SinksAreTakenOneByOne", trees: OneRouter, run: func(w *World) {
		object := NewObject("room")
		stream := w.Peer("observer", Right).ObserveObject(object)
		expose := w.Peer("exposer", Left).ExposeObject(object, ManualTake)
		var seen *Stream
		for version := range int64(3) {
			expose.NoSink(quiet)
			expose.Take(1)
			sent := expose.Sink().Send(NewState("taken", version+1))
			if seen == nil {
				seen = stream.Stream()
			}
			seen.WaitFor(sent)
			expose.last.Drop()
		}
	}},
	{name: "Object_UntakenStreamHasTheNewest", trees: OneRouter, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object, ManualTake)
		watch := w.Peer("watcher", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("first", 1))
		watched := watch.Stream()
		watched.WaitFor(sent)
		last := sink.Send(NewState("second", 2))
		watched.WaitFor(last)
		observe.NoStream(quiet)
		observe.Take(1)
		if got := observe.Stream().Next(); !got.SameData(last) {
			w.Errorf("the first state read is %v, expected %v alone", got, last)
		}
	}},
	{name: "Object_UntakenSinkOutlivesItsElection", trees: OneRouter, referenceOnly: "ours withdraws it: Library_UntakenSinkIsWithdrawn", run: func(w *World) {
		object := NewObject("room")
		observer := w.Peer("observer", Right)
		expose := w.Peer("exposer", Left).ExposeObject(object, ManualTake, Keep)
		observe := observer.ObserveObject(object)
		expose.NoSink(quiet)
		observe.Drop()
		expose.NoSink(quiet)
		expose.Take(1)
		expose.Sink().WaitRevoked()
	}},
	{name: "Object_ManyAtOnce", trees: AnyTree, run: func(w *World) {
		const count = 50
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		observers := make([]*Contract, count)
		for i := range observers {
			object := NewObject(string(rune('一'+i)), "many")
			exposer.ExposeObject(object)
			observers[i] = observer.ObserveObject(object)
		}
		for range observers {
			e := exposer.wait("a sink", func(e event) bool { return e.Event == "sink-offered" })
			sink := Sink{peer: exposer, id: e.Sink}
			sink.Send(NewState("of "+e.JSON, 1))
		}
		for _, observe := range observers {
			stream := observe.Stream()
			stream.WaitFor(NewState("of "+stream.Object.JSON, 1))
		}
	}},
}
