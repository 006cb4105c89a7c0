package interop

import "time"

var directScenarios = []scenario{
	{name: "Direct_PeerIsTheParent", trees: NoRouter, run: func(w *World) {
		object := NewObject("room")
		parent, child := StartPeer(w, "parent"), StartPeer(w, "child")
		child.Connect(parent.Listen(0, 0))
		observe := parent.ObserveObject(object)
		sent := child.ExposeObject(object).Sink().Send(NewState("up", 1))
		observe.Stream().WaitFor(sent)
		below := NewObject("below")
		observeBelow := child.ObserveObject(below)
		sentBelow := parent.ExposeObject(below).Sink().Send(NewState("down", 1))
		observeBelow.Stream().WaitFor(sentBelow)
	}},
	{name: "Direct_ParentsOwnContractBeatsItsLinks", trees: NoRouter, run: func(w *World) {
		object := NewObject("room")
		parent, child, observer := StartPeer(w, "parent"), StartPeer(w, "child"), StartPeer(w, "observer")
		url := parent.Listen(time.Second, 0.1)
		child.Connect(url)
		observer.Connect(url)
		observe := observer.ObserveObject(object)
		childSink := child.ExposeObject(object).Sink()
		stream := observe.Stream()
		stream.WaitFor(childSink.Send(NewState("child", 1)))
		own := parent.ExposeObject(object)
		stream.WaitFor(own.Sink().Send(NewState("parent", 2)))
		childSink.WaitRevoked()
	}},
	{name: "Direct_NoMoreChildren", trees: NoRouter, referenceOnly: "our listener's links end with it", run: func(w *World) {
		object := NewObject("room")
		parent, child := StartPeer(w, "parent"), StartPeer(w, "child")
		child.Connect(parent.Listen(0, 0))
		parent.Unlisten()
		observe := parent.ObserveObject(object)
		sent := child.ExposeObject(object).Sink().Send(NewState("still linked", 1))
		observe.Stream().WaitFor(sent)
	}},
	{name: "Direct_LibraryBelowARouter", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		middle := w.Peer("middle", Left)
		url := middle.Listen(time.Second, 0.1)
		exposer, below := StartPeer(w, "exposer"), StartPeer(w, "below")
		exposer.Connect(url)
		below.Connect(url)
		observe := w.Peer("observer", Right).ObserveObject(object)
		near := below.ObserveTag(Text("tag"))
		own := middle.ObserveObject(object)
		sink := exposer.ExposeTag(Text("tag")).Sink()
		sent := sink.Send(NewState("through a library", 1))
		observe.Stream().WaitFor(sent)
		near.StreamOf(object).WaitFor(sent)
		own.Stream().WaitFor(sent)
	}},
}
