package interop

import "time"

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
			sink := expose.Sink()
			sent := sink.Send(NewState("again", version+1))
			observe.Stream().WaitFor(sent)
			observe.Drop()
			sink.WaitRevoked()
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
		second := expose.Sink().Send(NewState("second", 2))
		seen.WaitFor(second)
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
		stream.WaitFor(standby.Sink().Send(NewState("second", 2)))
	}},
	{name: "Object_TakeOverKeepsTheObserversStream", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		first := w.Peer("first", Left).ExposeObject(object)
		stream := observe.Stream()
		stream.WaitFor(first.Sink().Send(NewState("first", 1)))
		second := w.Peer("second", Top).ExposeObject(object)
		first.Drop()
		stream.WaitFor(second.Sink().Send(NewState("second", 2)))
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
		sink := w.Peer("second", Left).ExposeObject(object).Sink()
		older := sink.Send(NewState("older", 3))
		stream.NeverShows("the older state", quiet, older.SameData)
		stream.WaitFor(sink.Send(NewState("newest", 6)))
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
		rival := w.Peer("second", Left).ExposeObject(object).Sink().Send(NewState("rival", 5))
		stream.WaitFor(sent) // now again, by the rival's flag
		stream.NeverShows("the rival's data", quiet, rival.SameData)
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
		var streams []*Contract
		var candidates []*Contract
		for _, place := range []Place{Left, Right} {
			peer := w.Peer("candidate", place)
			streams = append(streams, peer.ObserveObject(object))
			candidates = append(candidates, peer.ExposeObject(object))
		}
		// Nearest first: each is elected by its own exchange before the tree knows better, so both may hold a sink for a while.
		sent := candidates[0].Sink().Send(NewState("leader", 10))
		for _, stream := range streams {
			stream.Stream().WaitData(sent)
		}
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
		again.Stream().WaitFor(expose.Sink().Send(NewState("second", 2)))
	}},
	{name: "Object_ManyAtOnce", trees: AnyTree, run: func(w *World) {
		const count = 100
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
