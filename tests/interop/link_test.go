package interop

import (
	"fmt"
	"time"
)

// impatient are the parameters of a link that speaks often, and waits long enough for a machine with much other work.
const impatient = "keep-alive=200ms,timeout=2s"

// idleLongEnough is more than two timeouts of an impatient link.
const idleLongEnough = 4500 * time.Millisecond

var linkScenarios = []scenario{
	{name: "Link_KeepAliveHoldsAnIdleOne", trees: OneRouter, router: RouterOptions{Parameters: impatient}, run: func(w *World) {
		idle := w.Peer("idle", Left, impatient, "nodelay=true")
		idle.never("loss of the parent", idleLongEnough, func(e event) bool { return e.Event == "upstream-lost" })
	}},
	{name: "Link_SilentParentIsLeft", trees: OneRouter, run: func(w *World) {
		peer := w.Peer("impatient", Left, "timeout=300ms", "keep-alive=100ms")
		w.Router(Left).Silent(peer.WaitLost)
		peer.WaitConnected()
	}},
	{name: "Link_SilentChildIsCut", trees: OneRouter, router: RouterOptions{Parameters: "timeout=300ms,keep-alive=100ms"}, run: func(w *World) {
		peer := w.Peer("silent", Left, "nodelay=false")
		peer.Silent(func() { time.Sleep(10 * 300 * time.Millisecond) }) // the router has no way to tell us
		peer.WaitLost()
		peer.WaitConnected()
	}},
	{name: "Link_SilentExposersStateIsNoLongerCurrent", trees: OneRouter, router: RouterOptions{Parameters: impatient}, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right, "keep-alive=100ms").ObserveObject(object)
		exposer := w.Peer("silent", Left)
		sent := exposer.ExposeObject(object).Sink().Send(NewState("then silence", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		exposer.Silent(func() { stream.WaitLastAt(sent) })
		exposer.WaitLost()
	}},
	{name: "Link_RouterRestartsUnderItsPeers", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Peer("exposer", Left)
		expose := exposer.ExposeObject(object)
		sent := expose.Sink().Send(NewState("before", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		w.Router(Left).Kill()
		stream.WaitLastAt(sent)
		exposer.WaitLost()
		w.Router(Left).Start()
		exposer.WaitConnected()
		Deliver(expose, observe, NewState("after", 2))
		observe.NoStream(quiet)
	}},
	{name: "Link_ParentRestartsUnderItsRouters", trees: AnyTree[2:], run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Top).ObserveTag(Text("tag"))
		expose := w.Peer("exposer", Left).ExposeObject(object)
		sent := expose.Sink().Send(NewState("before", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		w.Router(Top).Kill()
		stream.WaitClosed() // a tag alone keeps nothing alive
		w.Router(Top).Start()
		Deliver(expose, observe, NewState("after", 2))
	}},
	{name: "Link_PeersBeforeTheirRouter", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		w.Router(Left).Kill()
		observer, exposer := StartPeer(w, "observer"), StartPeer(w, "exposer")
		observe, expose := observer.ObserveObject(object), exposer.ExposeTag(Text("tag"))
		observer.Dial(w.Router(Left).URL)
		exposer.Dial(w.Router(Left).URL)
		w.Router(Left).Start()
		observer.WaitConnected()
		exposer.WaitConnected()
		Deliver(expose, observe, NewState("at last", 1))
	}},
	{name: "Link_PeerMovesToAnotherRouter", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Top).ObserveObject(object)
		exposer := w.Peer("moving", Left)
		expose := exposer.ExposeObject(object)
		stream := observe.Stream()
		for version, place := range []Place{Right, Middle, Left} {
			sent := NewState("here", int64(version)+1)
			Deliver(expose, observe, sent)
			exposer.Disconnect()
			stream.WaitLastAt(sent)
			exposer.Connect(w.Router(place).URL)
		}
		Deliver(expose, observe, NewState("home", 9))
	}},
	{name: "Link_StateMadeWhileApartArrives", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Peer("exposer", Left)
		exposer.ObserveObject(object) // so that it stays elected at home
		sink := exposer.ExposeObject(object).Sink()
		stream := observe.Stream()
		together := sink.Send(NewState("together", 1))
		stream.WaitFor(together)
		exposer.Disconnect()
		stream.WaitLastAt(together) // the reference disconnects a while after it says so: what is sent before may still pass
		apart := sink.Send(NewState("apart", 2))
		exposer.Connect(w.Router(Left).URL)
		stream.WaitFor(apart)
	}},
	{name: "Link_OldStateArrivingAgainChangesTheFlagOnly", trees: AnyTree, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Peer("exposer", Left)
		exposer.ObserveObject(object)
		sent := exposer.ExposeObject(object).Sink().Send(NewState("the same", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		for range 3 {
			exposer.Disconnect()
			stream.WaitLastAt(sent)
			exposer.Connect(w.Router(Left).URL)
			stream.WaitFor(sent)
		}
	}},
	{name: "Link_CrashAmidABigState", trees: AnyTree, run: func(w *World) {
		big, small := NewObject("big"), NewObject("small")
		observer := w.Peer("observer", Right)
		observer.ObserveObject(big)
		observe := observer.ObserveObject(small)
		exposer, crashing := w.Peer("exposer", Left), w.Peer("crashing", Left)
		sink := exposer.ExposeObject(small).Sink()
		crashing.ExposeObject(big).Sink().Send(State{Data: make([]byte, 8<<20), Format: []string{"BYTES"}, Version: []int64{1}})
		crashing.Kill()
		observe.Stream().WaitFor(sink.Send(NewState("unharmed", 1)))
	}},
	{name: "Link_ManyReconnects", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observer, exposer := w.Peer("observer", Right), w.Peer("exposer", Left)
		observe, expose := observer.ObserveObject(object), exposer.ExposeTag(Text("tag"))
		stream := observe.Stream()
		for version := range int64(15) {
			round := NewState(fmt.Sprint("round ", version), version+1)
			Deliver(expose, observe, round)
			if version%2 == 0 {
				exposer.Disconnect()
				exposer.Connect(w.Router(Left).URL)
				continue
			}
			observer.Disconnect()
			stream.WaitLastAt(round)
			observer.Connect(w.Router(Right).URL)
		}
	}},
	{name: "Link_ContractStorm", trees: AnyTree, run: func(w *World) {
		object := NewObject("room", "tag")
		observer, exposer := w.Peer("observer", Right), w.Peer("exposer", Left)
		for range 50 {
			observer.ObserveObject(object).Drop()
			exposer.ExposeObject(object).Drop()
			observer.ObserveTag(Text("tag")).Drop()
			exposer.ExposeTag(Text("tag")).Drop()
		}
		Deliver(exposer.ExposeObject(object), observer.ObserveObject(object), NewState("after the storm", 1))
	}},
}
