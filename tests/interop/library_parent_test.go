package interop

import (
	"errors"
	"fmt"
	"time"

	"hakuban"
	"hakuban/transport"
)

// rebalancing are the options of a parent that does what routers do.
var rebalancing = hakuban.Options{Rebalance: true, RebalanceThreshold: hakuban.DefaultRebalanceThreshold}

// parentOf makes a library that listens, and the URL that its children dial.
func parentOf(w *World, options hakuban.Options) (parent *Library, listener *transport.Listener, url string) {
	w.Helper()
	parent = NewLibrary(w, "parent", options)
	listener = parent.Listen("ws://127.0.0.1:0", transport.Options{Name: "the parent"})
	return parent, listener, bare(listener.URL())
}

// child starts a peer of the reference below a library.
func child(w *World, name, url string, parameters ...string) *Peer {
	w.Helper()
	p := StartPeer(w, name)
	p.Connect(url, append(parameters, "name="+name)...)
	return p
}

var libraryParentScenarios = []scenario{
	{name: "Library_IsTheParent", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		up, down, tagged := NewObject("up"), NewObject("down"), NewObject("tagged", "tag")
		parent, _, url := parentOf(w, hakuban.Options{})
		below := child(w, "child", url)
		seesUp, seesDown, seesTagged := parent.ObserveObject(up), below.ObserveObject(down), below.ObserveObject(tagged)
		upSink, downSink := below.ExposeObject(up).Sink(), parent.ExposeObject(down).Sink()
		state := NewState("state", 1)
		upSink.Send(state)
		downSink.Send(state)
		upStream, downStream := seesUp.Stream(), seesDown.Stream()
		upStream.WaitFor(state)
		downStream.WaitFor(state)
		seesTagged.Stream().WaitFor(parent.ExposeTag(Text("tag")).Sink().Send(state))
		downSink.Release()
		upSink.Drop()
		upStream.WaitLastAt(state)
		downStream.WaitLastAt(state)
		seesUp.Close()
		upStream.WaitEnd(hakuban.ErrClosed)
	}},
	{name: "Library_ParentOfSiblings", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		_, _, url := parentOf(w, hakuban.Options{})
		observe := child(w, "observer", url).ObserveObject(object)
		watch := child(w, "watcher", url).ObserveTag(Text("tag"))
		exposer := child(w, "exposer", url)
		expose := exposer.ExposeTag(Text("tag"))
		sink := expose.Sink()
		sent := sink.Send(NewState("state", 1))
		stream, watched := observe.Stream(), watch.Stream()
		stream.WaitFor(sent)
		watched.WaitFor(sent)
		exposer.Kill()
		stream.WaitLastAt(sent)
		watched.WaitClosed() // nobody is elected: there is nothing to stream, and a tag alone keeps nothing alive
		again := child(w, "exposer again", url).ExposeTag(Text("tag")).Sink().Send(NewState("again", 2))
		stream.WaitFor(again)
		watched = watch.Stream()
		watched.WaitFor(again)
		observe.Drop()
		watched.WaitClosed()
	}},
	{name: "Library_ParentWithoutRebalance", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		_, _, url := parentOf(w, hakuban.Options{})
		first := holdTag(child(w, "first", url))
		observeShared(child(w, "observer", url), 4)
		waitCounts(w, []*holder{first}, 4)
		newcomer := child(w, "newcomer", url)
		stayCounts(w, []*holder{first, holdTag(newcomer)}, passes, 4, 0)
	}},
	{name: "Library_ParentWithRebalance", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		_, _, url := parentOf(w, rebalancing)
		first := holdTag(child(w, "first", url))
		observeShared(child(w, "observer", url), 4)
		waitCounts(w, []*holder{first}, 4)
		holders := []*holder{first, holdTag(child(w, "newcomer", url))}
		waitCounts(w, holders, 2, 2)
		stayCounts(w, holders, passes, 2, 2)
	}},
	{name: "Library_ParentHeedsItsThreshold", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		_, _, url := parentOf(w, hakuban.Options{Rebalance: true, RebalanceThreshold: 100})
		first := holdTag(child(w, "first", url))
		observeShared(child(w, "observer", url), 4)
		waitCounts(w, []*holder{first}, 4)
		newcomer := child(w, "newcomer", url)
		stayCounts(w, []*holder{first, holdTag(newcomer)}, passes, 4, 0)
	}},
	{name: "Library_ParentKeepsLoadLimits", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		parent, listener, url := parentOf(w, rebalancing)
		holders := []*holder{holdTag(child(w, "limited", url, "load-limit=2"), Capacity(2)), holdTag(child(w, "free", url))}
		for i := range 7 {
			parent.ObserveObject(NewObject(fmt.Sprint(i), "shared"))
		}
		waitCounts(w, holders, 4, 3)
		stayCounts(w, holders, passes, 4, 3)
		links := parent.WaitChildren(listener, "limited", "free")
		if limited, free := links["limited"], links["free"]; limited.Load != 2 || limited.LoadLimit != 2 || free.Load != 3 || free.HasLoadLimit {
			w.Errorf("links %+v and %+v, expected loads of 2, limited to 2, and of 3", limited, free)
		}
	}},
	{name: "Library_ParentSeesNamesAndLeavers", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		parent, listener, url := parentOf(w, hakuban.Options{})
		staying, leaving := child(w, "staying", url), child(w, "leaving", url)
		parent.WaitChildren(listener, "staying", "leaving")
		var connector connectorMonitor
		eventually(w, func() string { return "the child does not know its parent's name" }, func() bool {
			staying.Snapshot(MonitorConnector, &connector)
			return connector.UpstreamConnection != nil && connector.UpstreamConnection.RemoteName != nil
		})
		if name := *connector.UpstreamConnection.RemoteName; name != "the parent" {
			w.Errorf("the child's parent is named %q, expected the parent", name)
		}
		leaving.Kill()
		parent.WaitChildren(listener, "staying")
	}},
	{name: "Library_ParentsOwnContractWins", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		parent, _, url := parentOf(w, rebalancing)
		observe := child(w, "observer", url).ObserveObject(object)
		theirSink := child(w, "exposer", url).ExposeObject(object, Capacity(100)).Sink()
		stream := observe.Stream()
		stream.WaitFor(theirSink.Send(NewState("child", 1)))
		own := parent.ExposeTag(Text("tag"), hakuban.Capacity(0)) // its own exchange asks for no capacity
		stream.WaitFor(own.Sink().Send(NewState("parent", 2)))
		theirSink.WaitRevoked()
		observe.NoStream(quiet)
	}},
	{name: "Library_ParentRestarts", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		parent, listener, url := parentOf(w, hakuban.Options{})
		observer, exposer := child(w, "observer", url), child(w, "exposer", url)
		observe, expose := observer.ObserveObject(object), exposer.ExposeTag(Text("tag"))
		sent := expose.Sink().Send(NewState("before", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		for version := range int64(2) {
			listener.Close() // the exchange alone would not wait for its port to be free
			parent.Close()
			stream.WaitLastAt(sent)
			observer.WaitLost()
			exposer.WaitLost()
			parent = NewLibrary(w, "parent again", hakuban.Options{})
			listener = parent.Listen(url)
			observer.WaitConnected()
			exposer.WaitConnected()
			sent = NewState("after", version+2)
			Deliver(expose, observe, sent)
		}
		observe.NoStream(quiet)
	}},
	{name: "Library_InTheMiddle", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object, down := NewObject("room", "tag"), NewObject("down")
		middle := w.Library("middle", Left)
		router := StartRouter(w, Rust, RouterOptions{Connect: bare(middle.Listen("ws://127.0.0.1:0").URL())})
		observe := w.Peer("observer", Right).ObserveObject(object)
		own := middle.ObserveObject(object)
		below := StartPeer(w, "below")
		below.Connect(router.URL)
		expose, seesDown := below.ExposeTag(Text("tag")), below.ObserveObject(down)
		sink := expose.Sink()
		sent := sink.Send(NewState("through a library", 1))
		stream, ownStream := observe.Stream(), own.Stream()
		stream.WaitFor(sent)
		ownStream.WaitFor(sent)
		seesDown.Stream().WaitFor(w.Peer("above", Right).ExposeObject(down).Sink().Send(sent))
		router.Kill()
		stream.WaitLastAt(sent)
		ownStream.WaitLastAt(sent)
		router.Start()
		Deliver(expose, observe, NewState("again", 2))
		ownStream.WaitFor(NewState("again", 2))
		observe.Drop()
		expose.last.NotRevoked(quiet) // the library itself still looks
		own.Close()
		expose.last.WaitRevoked()
	}},
	{name: "Library_InTheMiddleSumsCapacities", trees: OneRouter, referenceOnly: inProcess, router: monitored, run: func(w *World) {
		object := NewObject("room", "tag")
		middle := w.Library("middle", Left)
		url := bare(middle.Listen("ws://127.0.0.1:0").URL())
		two, three := child(w, "two", url), child(w, "three", url)
		two.ExposeObject(object, Capacity(2))
		leaving := three.ExposeObject(object, Capacity(3))
		three.ExposeTag(Text("tag"), Capacity(9))
		middle.ExposeObject(object, hakuban.Capacity(20))
		watcher := w.Peer("watcher", Right)
		watcher.ObserveObject(object)
		watch := watchMonitor[exchangeMonitor](watcher, "monitor", MonitorExchange)
		shows := func(sum, tag uint64) {
			w.Helper()
			watch.wait(fmt.Sprintf("capacities %d and %d", sum, tag), func(m exchangeMonitor) bool {
				o, t := m.object(object), m.tag(Text("tag"))
				return o != nil && o.ExposerCapacity == sum && (t == nil && tag == 0 || t != nil && t.ExposerCapacity == tag)
			})
		}
		shows(25, 9)
		leaving.Drop()
		shows(22, 9)
		three.Kill()
		shows(22, 0)
	}},
	{name: "Library_PipedInTheMiddle", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		middle := w.Library("middle", Left)
		below := NewLibrary(w, "below", hakuban.Options{})
		observe := w.Peer("observer", Right).ObserveObject(object)
		producer := below.ExposeTag(Text("tag")).Produce(NewState("first", 1))
		pipe := func() *transport.Conduit {
			conduit, err := transport.Pipe(middle.Exchange, below.Exchange, nil)
			if err != nil {
				w.Fatal(err)
			}
			return conduit
		}
		conduit := pipe()
		stream := observe.Stream()
		sent := NewState("first", 1)
		for version := range int64(3) {
			stream.WaitFor(sent)
			conduit.Close()
			middle.waitEnd("a pipe", conduit.Done())
			stream.WaitLastAt(sent)
			sent = producer.Set(NewState("again", version+2))
			conduit = pipe()
		}
		stream.WaitFor(sent)
	}},
	{name: "Library_HasOneParent", trees: NoRouter, referenceOnly: inProcess, run: func(w *World) {
		// A second upstream would make the tree a net: the library refuses it, and the first link lives on.
		parent, listener, url := parentOf(w, hakuban.Options{})
		us := NewLibrary(w, "us", hakuban.Options{})
		us.Connect(url, "name=us")
		before := us.WaitConnected()
		if _, err := transport.Connect(us.Exchange, url, nil); !errors.Is(err, hakuban.ErrUpstream) {
			w.Errorf("a second parent: %v, expected %v", err, hakuban.ErrUpstream)
		}
		time.Sleep(quiet)
		if now := us.WaitConnected(); now.Link != before.Link {
			w.Errorf("linked as %d, expected still %d", now.Link, before.Link)
		}
		parent.WaitChildren(listener, "us")
	}},
}
