package interop

import (
	"fmt"
	"time"

	"hakuban"
	"hakuban/transport"
)

var libraryElectionScenarios = []scenario{
	{name: "Library_HandsOverToTheReference", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe, ourObserve := w.Peer("observer", Right).ObserveObject(object), w.Library("observer", Right).ObserveObject(object)
		sink := w.Library("first", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("first", 1))
		stream, ourStream := observe.Stream(), ourObserve.Stream()
		stream.WaitFor(sent)
		ourStream.WaitFor(sent)
		// Ten times the capacity is reason enough for the next rebalance.
		second := w.Peer("second", Left).ExposeObject(object, Capacity(10)).Sink().Send(NewState("second", 2))
		stream.WaitFor(second)
		ourStream.WaitFor(second)
		sink.WaitRevoked()
		observe.NoStream(quiet)
		ourObserve.NoStream(0)
	}},
	{name: "Library_TakesOverFromTheReference", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe, ourObserve := w.Peer("observer", Right).ObserveObject(object), w.Library("observer", Right).ObserveObject(object)
		sink := w.Peer("first", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("first", 1))
		stream, ourStream := observe.Stream(), ourObserve.Stream()
		stream.WaitFor(sent)
		ourStream.WaitFor(sent)
		second := w.Library("second", Left).ExposeObject(object, hakuban.Capacity(10)).Sink().Send(NewState("second", 2))
		stream.WaitFor(second)
		ourStream.WaitFor(second)
		sink.WaitRevoked()
		observe.NoStream(quiet)
		ourObserve.NoStream(0)
	}},
	{name: "Library_LeavesToTheReferenceAndComesBack", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveObject(object)
		us, them := w.Library("us", Left), w.Peer("them", Left)
		ours := us.ExposeTag(Text("tag"))
		ours.Produce(NewState("ours", 1))
		stream := observe.Stream()
		stream.WaitFor(NewState("ours", 1))
		for version := int64(2); version < 8; version += 2 {
			theirs := them.ExposeObject(object)
			ours.Close()
			Deliver(theirs, observe, NewState("theirs", version))
			ours = us.ExposeTag(Text("tag"))
			ours.Produce(NewState("ours", version+1))
			theirs.Drop()
			stream.WaitFor(NewState("ours", version+1))
		}
		observe.NoStream(quiet)
	}},
	{name: "Library_OlderVersionIsRefusedAfterTakeOver", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		ourObserve := w.Library("observer", Right).ObserveObject(object)
		theirs := w.Peer("first", Left).ExposeObject(object)
		newer := theirs.Sink().Send(NewState("newer", 5))
		stream := ourObserve.Stream()
		stream.WaitFor(newer)
		second := w.Library("second", Left).ExposeObject(object)
		theirs.Drop()
		stream.WaitLastAt(newer) // before the older state, which the reference's router would take for "now"
		older := NewState("older", 3)
		producer := second.Produce(older)
		stream.NeverShows("the older state", quiet, older.SameData)
		stream.WaitFor(producer.Set(NewState("newest", 6)))
	}},
	{name: "Library_SharesTheLoad", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		ours := w.Library("ours", Left).ExposeTag(Text("shared"), hakuban.Capacity(3)).Produce(NewState("state", 1))
		holders := []counter{ours, holdTag(w.Peer("theirs", Left), Capacity(1))}
		observeShared(w.Peer("observer", Right), 8)
		waitCounts(w, holders, 6, 2)
		stayCounts(w, holders, passes, 6, 2)
	}},
	{name: "Library_LoadLimits", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		byOption := NewLibrary(w, "limited by an option", hakuban.Options{})
		byOption.Dial(w.Router(Left).URL, transport.Options{LoadLimit: []hakuban.LoadPoint{{Load: 2}}})
		byOption.WaitConnected()
		holders := []counter{
			byOption.ExposeTag(Text("shared")).Produce(NewState("state", 1)),
			w.Library("limited by its URL", Left, "load-limit=1").ExposeTag(Text("shared"), hakuban.Capacity(3)).Produce(NewState("state", 1)),
		}
		observeShared(w.Peer("observer", Right), 8)
		waitCounts(w, holders, 2, 3)
		stayCounts(w, holders, passes, 2, 3)
		free := holdTag(w.Peer("free", Left))
		waitCounts(w, append(holders, free), 2, 3, 3)
	}},
	{name: "Library_LoadLimitGrowsWithTime", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		observeShared(w.Peer("observer", Right), 6)
		start := time.Now()
		limited := w.Library("limited", Left, "load-limit=1500ms:0-1500ms:3").ExposeTag(Text("shared")).Produce(NewState("state", 1))
		stayCounts(w, []counter{limited}, quiet, 0)
		waitCounts(w, []counter{limited}, 3)
		if after := time.Since(start); after < 1500*time.Millisecond {
			w.Errorf("three objects after %v, expected none so soon", after)
		}
		stayCounts(w, []counter{limited}, passes, 3)
	}},
	{name: "Library_SetCapacityElects", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		us := w.Library("us", Left).ExposeTag(Text("shared"), hakuban.Capacity(0))
		ours := us.Produce(NewState("state", 1))
		observeShared(w.Peer("observer", Right), 4)
		stayCounts(w, []counter{ours}, quiet, 0)
		set := func(capacity uint32) {
			if err := us.SetCapacity(capacity); err != nil {
				w.Fatal(err)
			}
		}
		set(1)
		waitCounts(w, []counter{ours}, 4)
		theirs := holdTag(w.Peer("theirs", Left))
		waitCounts(w, []counter{ours, theirs}, 2, 2)
		set(0) // what it has it keeps
		stayCounts(w, []counter{ours, theirs}, quiet, 2, 2)
	}},
	{name: "Library_CapacitiesInTheMonitor", trees: OneRouter, referenceOnly: inProcess, router: monitored, run: func(w *World) {
		object := NewObject("room", "tag")
		us := w.Library("us", Left)
		first, second := us.ExposeObject(object, hakuban.Capacity(3)), us.ExposeObject(object)
		tagged := us.ExposeTag(Text("tag"), hakuban.Capacity(5))
		w.Peer("them", Left).ExposeObject(object, Capacity(100))
		watcher := w.Peer("watcher", Right)
		watcher.ObserveObject(object)
		watch := watchMonitor[exchangeMonitor](watcher, "monitor", MonitorExchange)
		shows := func(link uint32, sum uint64, tag uint32) {
			w.Helper()
			watch.wait(fmt.Sprintf("capacities %d of %d, and %d of the tag", link, sum, tag), func(m exchangeMonitor) bool {
				o, t := m.object(object), m.tag(Text("tag"))
				if o == nil || t == nil || o.ExposerCapacity != sum || t.ExposerCapacity != uint64(tag) || len(t.DownstreamLinks) != 1 {
					return false
				}
				found := false
				for _, l := range o.DownstreamLinks {
					found = found || l.Exposer && l.Capacity == link
				}
				return found && t.DownstreamLinks[0].Capacity == tag
			})
		}
		set := func(contract *LibraryExposer, capacity uint32) {
			if err := contract.SetCapacity(capacity); err != nil {
				w.Fatal(err)
			}
		}
		shows(4, 104, 5)
		set(second, 40)
		set(tagged, 0)
		shows(43, 143, 0)
		set(first, ^uint32(0)) // the sum that a link tells saturates
		set(tagged, 7)
		shows(^uint32(0), 1<<32-1+100, 7) // the monitor's own does not
		first.Close()
		shows(40, 140, 7)
	}},
	{name: "Library_LoadInTheMonitor", trees: OneRouter, referenceOnly: inProcess, router: monitored, run: func(w *World) {
		watcher := w.Peer("watcher", Right)
		observeShared(watcher, 3)
		w.Library("us", Left, "name=us", "load-limit=9").ExposeTag(Text("shared"), hakuban.Capacity(2)).Produce(NewState("state", 1))
		watchMonitor[listenerMonitor](watcher, "monitor", MonitorListener).wait("a load of one and a half, of nine", func(m listenerMonitor) bool {
			link := m.named("us")
			return link != nil && link.Load == 1.5 && link.LoadLimit != nil && *link.LoadLimit == 9
		})
	}},
	{name: "Library_ObjectInTheMonitor", trees: OneRouter, referenceOnly: inProcess, router: monitored, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Library("observer", Right).ObserveObject(object)
		sink := w.Library("exposer", Left).ExposeObject(object).Sink()
		watch := watchMonitor[exchangeMonitor](w.Peer("watcher", Right), "monitor", MonitorExchange)
		sink.Send(NewState("four", 3, 4))
		watch.wait("an elected link and its state", func(m exchangeMonitor) bool {
			o := m.object(object)
			if o == nil || o.DataState == nil || !o.ShouldExist || !o.DataNeeded || len(o.DownstreamLinks) != 2 {
				return false
			}
			elected, there := o.AssignedExposer["DownstreamConnection"]
			for _, link := range o.DownstreamLinks {
				if link.Sink != (link.ID == elected) || link.Stream != link.Observer || link.Observer == link.Exposer {
					return false
				}
			}
			return there && o.DataState.Size == 4 && fmt.Sprint(o.DataState.Version) == "[3 4]" && o.DataState.Synchronized == 0
		})
		sink.Release()
		watch.wait("since when it is not current", func(m exchangeMonitor) bool {
			o := m.object(object)
			return o != nil && o.DataState != nil && o.DataState.Synchronized > 0
		})
		observe.Close()
		watch.wait("that nobody is elected", func(m exchangeMonitor) bool {
			o := m.object(object)
			return o != nil && !o.DataNeeded && o.AssignedExposer == nil
		})
	}},
}
