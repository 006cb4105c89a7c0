package interop

import (
	"strings"
	"time"

	"hakuban"
	"hakuban/transport"
)

var libraryLinkScenarios = []scenario{
	{name: "Library_FlagOnSinkRelease", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours"), NewObject("theirs")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		theirObserve, ourObserve := them.ObserveObject(ours), us.ObserveObject(theirs)
		ourExpose, theirExpose := us.ExposeObject(ours), them.ExposeObject(theirs)
		ourSink, theirSink := ourExpose.Sink(), theirExpose.Sink()
		state := NewState("held", 1)
		ourSink.Send(state)
		theirSink.Send(state)
		seesOurs, seesTheirs := theirObserve.Stream(), ourObserve.Stream()
		for range 3 {
			seesOurs.WaitFor(state)
			seesTheirs.WaitFor(state)
			ourSink.Release()
			theirSink.Drop()
			seesOurs.WaitLastAt(state)
			seesTheirs.WaitLastAt(state)
			ourSink, theirSink = ourExpose.Sink(), theirExpose.Sink()
			ourSink.Send(state) // the same version makes it current again
			theirSink.Send(state)
		}
	}},
	{name: "Library_FlagOnLinkLoss", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours"), NewObject("theirs")
		us, them, kept := w.Library("us", Left), w.Peer("them", Left), w.Library("kept", Right)
		seesOurs, seesTheirs := kept.ObserveObject(ours), kept.ObserveObject(theirs)
		peerSeesOurs := w.Peer("observer", Right).ObserveObject(ours)
		state := NewState("held", 1)
		us.ExposeObject(ours).Sink().Send(state)
		them.ExposeObject(theirs).Sink().Send(state)
		ourStream, theirStream, peerStream := seesOurs.Stream(), seesTheirs.Stream(), peerSeesOurs.Stream()
		ourStream.WaitFor(state)
		theirStream.WaitFor(state)
		peerStream.WaitFor(state)
		us.Disconnect()
		them.Kill()
		ourStream.WaitLastAt(state)
		theirStream.WaitLastAt(state)
		peerStream.WaitLastAt(state)
		kept.never("a stream", quiet, theirStream.Done())
	}},
	{name: "Library_FlagOfAnObserverThatLosesItsRouter", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observer := w.Library("observer", Right)
		observe := observer.ObserveObject(object)
		state := w.Peer("exposer", Left).ExposeObject(object).Sink().Send(NewState("held", 1))
		stream := observe.Stream()
		stream.WaitFor(state)
		w.Router(Right).Kill()
		stream.WaitLastAt(state)
		observer.WaitLost()
		latest, ok := stream.Latest()
		if !ok || latest.Synchronized().Now() || latest.Synchronized().Ago() > Deadline {
			w.Errorf("holds %q, %v, synchronized %v, expected the state, current a moment ago", latest.Data(), ok, latest.Synchronized())
		}
		observer.never("a stream", quiet, stream.Done())
	}},
	{name: "Library_RouterRestarts", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		peerObserve := w.Peer("observer", Right).ObserveObject(object)
		observe := w.Library("observer", Left).ObserveObject(object)
		exposer := w.Library("exposer", Left)
		text := func(data string) State { return State{Data: []byte(data), Format: []string{"TEXT"}} } // versions are the default ones
		producer := exposer.ExposeTag(Text("tag")).Produce(text("before"))
		is := func(data string) func(State) bool {
			return func(state State) bool { return string(state.Data) == data && state.Now() }
		}
		stream, peerStream := observe.Stream(), peerObserve.Stream()
		stream.Wait("the state before", is("before"))
		peerStream.Wait("the state before", is("before"))
		for _, data := range []string{"after", "after the second"} {
			before := exposer.WaitConnected()
			w.Router(Left).Kill()
			stream.Wait("it is no longer current", func(state State) bool { return !state.Now() })
			w.Router(Left).Start()
			exposer.WaitConnected(before)
			producer.Set(text(data))
			stream.Wait(data, is(data)) // on the same stream: versions continue
			peerObserve.peer.wait(data, func(e event) bool { return peerObserve.is("state")(e) && is(data)(e.state()) })
		}
		observe.NoStream(quiet)
	}},
	{name: "Library_StateMadeWhileApartArrives", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Library("exposer", Left)
		exposer.ObserveObject(object) // so that it stays elected at home
		sink := exposer.ExposeObject(object).Sink()
		together := sink.Send(NewState("together", 1))
		stream := observe.Stream()
		stream.WaitFor(together)
		for version := range int64(3) {
			exposer.Disconnect()
			stream.WaitLastAt(together)
			together = sink.Send(NewState("apart", version+2))
			exposer.Connect(w.Router(Left).URL)
			stream.WaitFor(together)
		}
		exposer.never("the sink", 0, sink.Done())
	}},
	{name: "Library_MovesToAnotherRouter", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Top).ObserveObject(object)
		exposer := w.Library("moving", Left)
		producer := exposer.ExposeObject(object).Produce(NewState("here", 1))
		stream := observe.Stream()
		for version, place := range []Place{Right, Middle, Left} {
			sent := producer.Set(NewState("here", int64(version)+2))
			stream.WaitFor(sent)
			exposer.Disconnect()
			stream.WaitLastAt(sent)
			exposer.Connect(w.Router(place).URL)
		}
		stream.WaitFor(producer.Set(NewState("home", 9)))
	}},
	{name: "Library_IsThereBeforeItsRouter", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		w.Router(Left).Kill()
		us := NewLibrary(w, "us", hakuban.Options{})
		observe := us.ObserveTag(Text("tag"))
		us.Dial(w.Router(Left).URL)
		w.Router(Left).Start()
		us.WaitConnected()
		them := w.Peer("them", Left)
		expose := them.ExposeObject(object)
		observe.Follow(expose, NewState("at last", 1))
	}},
	{name: "Library_LeavesASilentParent", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		us := w.Library("impatient", Left, "timeout=300ms", "keep-alive=100ms")
		w.Router(Left).Silent(us.WaitLost)
		us.WaitConnected()
	}},
	{name: "Library_StaysWithAParentThatOnlyAnswers", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		us := w.Library("impatient", Left, impatient) // its parent's keep-alive is a minute
		before := us.WaitConnected()
		time.Sleep(idleLongEnough)
		if now := us.connector.Snapshot().Connection; now == nil || now.Link != before.Link {
			w.Errorf("linked as %+v, expected still %+v", now, before)
		}
	}},
	{name: "Library_StaysWithAParentThatSpeaks", trees: OneRouter, router: RouterOptions{Parameters: impatient}, referenceOnly: inProcess, run: func(w *World) {
		us := w.Library("idle", Left, impatient)
		before := us.WaitConnected()
		time.Sleep(idleLongEnough)
		if now := us.connector.Snapshot().Connection; now == nil || now.Link != before.Link {
			w.Errorf("linked as %+v, expected still %+v", now, before)
		}
	}},
	{name: "Library_CutsASilentChild", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		parent := NewLibrary(w, "parent", hakuban.Options{})
		listener := parent.Listen("ws://127.0.0.1:0#timeout=300ms,keep-alive=100ms")
		object := NewObject("room")
		observe := parent.ObserveObject(object)
		silent := StartPeer(w, "silent")
		expose := silent.ExposeObject(object)
		silent.Connect(bare(listener.URL()), "keep-alive=1m")
		state := NewState("then silence", 1)
		stream := observe.Follow(expose, state)
		silent.Silent(func() { stream.WaitLastAt(state) })
		silent.WaitLost()
		silent.WaitConnected()
	}},
	{name: "Library_NamesInTheMonitor", trees: OneRouter, referenceOnly: inProcess, router: monitored, run: func(w *World) {
		w.Library("by its URL", Left, "name=bob")
		w.Library("without a name", Left)
		NewLibrary(w, "by an option", hakuban.Options{}).Dial(w.Router(Left).URL, transport.Options{Name: "bób, 🦀"})
		watch := watchMonitor[listenerMonitor](w.Peer("watcher", Right), "monitor", MonitorListener)
		watch.wait("three links", func(m listenerMonitor) bool {
			return m.named("bob") != nil && m.named("go-client") != nil && m.named("bób, 🦀") != nil
		})
	}},
	{name: "Library_KnowsItsParentsName", trees: OneRouter, router: RouterOptions{Parameters: "name=upstairs"}, referenceOnly: inProcess, run: func(w *World) {
		us := w.Library("us", Left, "name=downstairs")
		eventually(w, func() string { return "the parent has no name" }, func() bool { return us.WaitConnected().HasRemoteName })
		if link := us.WaitConnected(); link.RemoteName != "upstairs" || link.LocalName != "downstairs" || !strings.HasSuffix(strings.TrimSuffix(w.Router(Top).URL, "/"), link.RemoteAddress) {
			w.Errorf("link %+v, expected one to upstairs as downstairs at %s", link, w.Router(Top).URL)
		}
	}},
}

// bare is a listener's URL without its parameters.
func bare(url string) string {
	url, _, _ = strings.Cut(url, "#")
	return url
}
