package interop

import "fmt"

var tagScenarios = []scenario{
	{name: "Tag_ExposerServesAnObservedObject", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		expose := w.Peer("exposer", Left).ExposeTag(Text("tag"))
		observe := w.Peer("observer", Right).ObserveObject(object)
		sent := expose.SinkOf(object).Send(NewState("by tag", 1))
		observe.Stream().WaitFor(sent)
	}},
	{name: "Tag_ObserverSeesAnExposedObject", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveTag(Text("tag"))
		expose := w.Peer("exposer", Left).ExposeObject(object)
		sent := expose.Sink().Send(NewState("to tag", 1))
		observe.StreamOf(object).WaitFor(sent)
	}},
	{name: "Tag_AloneKeepsNothingAlive", trees: AnyTree, run: func(w *World) {
		observe := w.Peer("observer", Right).ObserveTag(Text("tag"))
		expose := w.Peer("exposer", Left).ExposeTag(Text("tag"))
		expose.NoSink(quiet)
		observe.NoStream(0)
	}},
	{name: "Tag_ObserverAndExposerMeetOverALiveObject", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		watch := w.Peer("watcher", Right).ObserveTag(Text("tag"))
		expose := w.Peer("exposer", Left).ExposeTag(Text("tag"))
		observe := w.Peer("observer", Middle).ObserveObject(object)
		sent := expose.SinkOf(object).Send(NewState("live", 1))
		observe.Stream().WaitFor(sent)
		watch.StreamOf(object).WaitFor(sent)
	}},
	{name: "Tag_ExposerServesManyObjects", trees: AnyTree, run: func(w *World) {
		const count = 25
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		expose := exposer.ExposeTag(Text("many"))
		streams := make(map[string]*Contract, count)
		for i := range count {
			object := NewObject(fmt.Sprint("object ", i), "many")
			streams[object.JSON] = observer.ObserveObject(object)
		}
		for range count {
			sink := expose.Sink()
			sent := sink.Send(NewState(sink.Object.JSON, 1))
			streams[sink.Object.JSON].Stream().WaitFor(sent)
		}
	}},
	{name: "Tag_ObjectWithTwoTagsReachesObserversOfEither", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "blue", "red")
		blue := w.Peer("blue", Right).ObserveTag(Text("blue"))
		red := w.Peer("red", Left).ObserveTag(Text("red"))
		sink := w.Peer("exposer", Middle).ExposeObject(object).Sink()
		sent := sink.Send(NewState("both", 1))
		blueStream := blue.StreamOf(object)
		blueStream.WaitFor(sent)
		redStream := red.StreamOf(object)
		redStream.WaitFor(sent)
		blue.Drop()
		redStream.WaitFor(sink.Send(NewState("red only", 2)))
	}},
	{name: "Tag_OneObserverOfTwoTagsGetsAStreamForEach", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "blue", "red")
		observer := w.Peer("observer", Right)
		blue, red := observer.ObserveTag(Text("blue")), observer.ObserveTag(Text("red"))
		sent := w.Peer("exposer", Left).ExposeObject(object).Sink().Send(NewState("both", 1))
		blue.StreamOf(object).WaitFor(sent)
		red.StreamOf(object).WaitFor(sent)
	}},
	{name: "Tag_ObserversStreamEndsWithTheObject", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveTag(Text("tag"))
		exposer := w.Peer("exposer", Left)
		for version := range int64(3) {
			expose := exposer.ExposeObject(object)
			stream := Deliver(expose, observe, NewState("alive", version+1))
			expose.Drop()
			stream.WaitClosed()
		}
	}},
	{name: "Tag_ObserverLeavesAndTheSinkGoes", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observer := w.Peer("observer", Right)
		expose := w.Peer("exposer", Left).ExposeObject(object)
		for version := range int64(3) {
			observe := observer.ObserveTag(Text("tag"))
			Deliver(expose, observe, NewState("wanted", version+1))
			observe.Drop()
			expose.last.WaitRevoked()
		}
	}},
	{name: "Tag_ExposerDropsItsContract", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Peer("exposer", Left)
		expose := exposer.ExposeTag(Text("tag"))
		sink := expose.SinkOf(object)
		sent := sink.Send(NewState("first", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		expose.Drop()
		sink.WaitRevoked()
		stream.WaitLastAt(sent)
		Deliver(exposer.ExposeTag(Text("tag")), observe, NewState("second", 2))
	}},
	{name: "Tag_LateObserverGetsTheHeldState", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		first := w.Peer("first", Right).ObserveTag(Text("tag"))
		sent := w.Peer("exposer", Left).ExposeObject(object).Sink().Send(NewState("held", 1))
		first.StreamOf(object).WaitFor(sent)
		w.Peer("late", Left).ObserveTag(Text("tag")).StreamOf(object).WaitFor(sent)
		w.Peer("later", Top).ObserveTag(Text("tag")).StreamOf(object).WaitFor(sent)
	}},
	{name: "Tag_ObjectWithoutTheTagIsLeftAlone", trees: AnyTree, run: func(w *World) {
		bare, tagged := NewObject("room"), NewObject("room", "tag")
		expose := w.Peer("exposer", Left).ExposeTag(Text("tag"))
		observer := w.Peer("observer", Right)
		observer.ObserveObject(bare)
		observer.ObserveObject(tagged)
		expose.SinkOf(tagged)
		expose.NoSink(quiet)
	}},
}
