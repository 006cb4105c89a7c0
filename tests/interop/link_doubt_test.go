package interop

// linkDoubts are about links that come, go and break, and about messages that cross.
var linkDoubts = []doubt{
	{"Link_GhostStaysElected", func(w *World, kind Kind) {
		object := NewObject("room")
		router := StartRouter(w, kind, RouterOptions{Parameters: "timeout=5s,keep-alive=100ms"}) // the child comes before the ghost is found out
		observer, child := StartPeer(w, "observer"), StartPeer(w, "child")
		observer.Connect(router.URL, "keep-alive=100ms")
		observe := observer.ObserveObject(object)
		ghost := DialRaw(w, router.URL, "child")
		ghost.Tell(observing(object), exposing(object, 1))
		sent := ghost.Sink(object).Send(NewState("of the dead session", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		own, expose := child.ObserveObject(object), child.ExposeObject(object)
		sink := expose.Sink()
		child.Connect(router.URL, "keep-alive=100ms")
		sink.WaitRevoked() // by the stream of what its own dead session said
		own.Stream().WaitFor(sent)
		stream.NotClosed(0)
		stream.WaitLastAt(sent)
		Deliver(expose, observe, NewState("of the living one", 2))
	}},
	{"Link_DropsWhileItsElectionIsInFlight", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		b := s.child("b")
		b.Tell(exposing(object, 1))
		s.answers(b)
		for range 10 {
			a := s.child("a")
			a.Tell(exposing(object, 100))
			s.answers(a)
			a.Drop() // which the exchange notices before, in or after the election
			observe := s.ObserveObject(object)
			s.waitElected(object, "b")
			sink := b.Sink(object)
			observe.Drop()
			sink.WaitClosed()
		}
		s.hasLoad("b", 0)
		observe := s.ObserveObject(object)
		observe.Stream().WaitFor(b.Sink(object).Send(NewState("unharmed", 1)))
	}},
	{"Link_ProtocolErrorKeepsItsElections", func(w *World, kind Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a, b := s.child("a"), s.child("b")
		observe := s.ObserveObject(object)
		a.Tell(exposing(object, 1))
		sent := a.Sink(object).Send(NewState("held", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		a.Tell(exposing(object, 1)) // exposed already
		stream.WaitLastAt(sent)
		b.Tell(exposing(object, 1))
		if kind == Rust {
			s.answers(b)
			s.isElected(object, "a") // who is dead
			b.NoSink(object)
			a.Tell() // anything, or the timeout
		}
		b.Sink(object)
		a.WaitEnded()
	}},
	{"Open_CrossesUnobserve", func(w *World, _ Kind) {
		object := NewObject("room")
		parent, child := ListenRaw(w), StartPeer(w, "child")
		observe := child.ObserveObject(object)
		child.Dial(parent.URL)
		up := parent.Accept()
		up.WaitTold(observing(object))
		observe.Drop()
		stream := up.OpenStream(object) // as by a parent that has not heard the rest
		stream.Send(NewState("for nobody", 1))
		child.waitElected(object, "upstream")
		up.WaitTold(unobserving(object))
		stream.Close()
		eventually(w, func() string { return "the child keeps what nobody needs" }, func() bool { return !child.seen(object).ShouldExist && child.seen(object).DataState == nil })
		observe = child.ObserveObject(object)
		up.WaitTold(observing(object))
		observe.Stream().WaitFor(up.OpenStream(object).Send(NewState("wanted", 2)))
	}},
	{"Upstream_AppearsAndIsReplaced", func(w *World, _ Kind) {
		object := NewObject("room")
		parent, c := ListenRaw(w), startParent(w, false)
		observe, expose := c.ObserveObject(object), c.ExposeObject(object)
		sink, stream := expose.Sink(), observe.Stream()
		stream.WaitFor(sink.Send(NewState("its own", 1)))
		c.Dial(parent.URL)
		for version := int64(10); version < 30; version += 10 {
			up := parent.Accept()
			up.WaitTold(observing(object))
			up.WaitTold(exposing(object, 1))
			outlet := up.OpenSink(object)
			outlet.Next()
			c.isElected(object, "itself")
			source := up.OpenStream(object) // while the sink is open
			sent := source.Send(NewState("from above", version))
			stream.WaitFor(sent)
			sink.WaitRevoked()
			c.isElected(object, "upstream")
			outlet.Close()
			up.Drop()
			stream.WaitLastAt(sent)
			sink = expose.Sink()
			c.isElected(object, "itself")
			stream.WaitFor(sink.Send(NewState("its own", version+1)))
		}
	}},
}
