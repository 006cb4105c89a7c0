package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// passes is long enough for the router to have rebalanced every object: it does so every 0.5 to 1.5 s.
const passes = 2 * time.Second

// holder counts the sinks that a peer holds.
type holder struct {
	peer   *Peer
	expose *Contract
	held   map[uint64]Object
}

// holdTag opens a tag expose contract and counts its sinks.
func holdTag(p *Peer, options ...Option) *holder {
	p.t.Helper()
	return &holder{peer: p, expose: p.ExposeTag(Text("shared"), options...), held: make(map[uint64]Object)}
}

// count returns how many sinks the peer holds now.
func (h *holder) count() int {
	for {
		e, ok := h.peer.take(func(e event) bool {
			return e.Contract == h.expose.name && (e.Event == "sink-offered" || e.Event == "sink-revoked")
		})
		switch {
		case !ok:
			return len(h.held)
		case e.Event == "sink-offered":
			h.held[e.Sink] = e.object()
		default:
			delete(h.held, e.Sink)
		}
	}
}

// counter tells how many sinks somebody holds now.
type counter interface{ count() int }

// waitCounts waits until the holders hold these many sinks.
func waitCounts[H counter](t testing.TB, holders []H, want ...int) {
	t.Helper()
	counts := make([]int, len(holders))
	eventually(t, func() string { return fmt.Sprintf("sinks held are %v, expected %v", counts, want) }, func() bool {
		for i, h := range holders {
			counts[i] = h.count()
		}
		return slices.Equal(counts, want)
	})
}

// stayCounts fails if the holders' counts change within the time.
func stayCounts[H counter](t testing.TB, holders []H, within time.Duration, want ...int) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for i, h := range holders {
			if count := h.count(); count != want[i] {
				t.Fatalf("holder %d has %d sinks, expected %d throughout", i, count, want[i])
			}
		}
	}
}

// observeShared opens object observe contracts on that many objects with the shared tag.
func observeShared(p *Peer, count int) map[string]*Contract {
	p.t.Helper()
	contracts := make(map[string]*Contract)
	for i := range count {
		object := NewObject(fmt.Sprint(i), "shared")
		contracts[object.JSON] = p.ObserveObject(object)
	}
	return contracts
}

var electionScenarios = []scenario{
	{name: "Election_SharesTheLoad", trees: OneRouter, run: func(w *World) {
		holders := []*holder{holdTag(w.Peer("one", Left)), holdTag(w.Peer("two", Left))}
		observeShared(w.Peer("observer", Right), 10)
		waitCounts(w, holders, 5, 5)
		stayCounts(w, holders, passes, 5, 5)
	}},
	{name: "Election_CapacityWeighs", trees: OneRouter, run: func(w *World) {
		holders := []*holder{holdTag(w.Peer("small", Left), Capacity(1)), holdTag(w.Peer("big", Left), Capacity(3))}
		observeShared(w.Peer("observer", Right), 8)
		waitCounts(w, holders, 2, 6)
	}},
	{name: "Election_CapacityZeroIsNotElected", trees: OneRouter, run: func(w *World) {
		zero := holdTag(w.Peer("zero", Left), Capacity(0))
		observeShared(w.Peer("observer", Right), 3)
		stayCounts(w, []*holder{zero}, passes, 0)
		one := holdTag(w.Peer("one", Left), Capacity(1))
		waitCounts(w, []*holder{zero, one}, 0, 3)
	}},
	{name: "Election_MoreCapacityByASecondContract", trees: OneRouter, run: func(w *World) {
		zero := w.Peer("zero", Left)
		first := holdTag(zero, Capacity(0))
		observeShared(w.Peer("observer", Right), 3)
		stayCounts(w, []*holder{first}, quiet, 0)
		// The crate cannot change a contract's capacity; a second contract changes the sum that the router is told.
		second := holdTag(zero, Capacity(2))
		waitCounts(w, []*holder{first, second}, 0, 3)
	}},
	{name: "Election_CrashedExposersObjectsMove", trees: OneRouter, run: func(w *World) {
		crashing := w.Peer("crashing", Left)
		holders := []*holder{holdTag(crashing), holdTag(w.Peer("staying", Left))}
		observeShared(w.Peer("observer", Right), 6)
		waitCounts(w, holders, 3, 3)
		crashing.Kill()
		waitCounts(w, holders[1:], 6)
	}},
	{name: "Rebalance_NewcomerTakesHalf", trees: OneRouter, run: func(w *World) {
		first := holdTag(w.Peer("first", Left))
		observeShared(w.Peer("observer", Right), 10)
		waitCounts(w, []*holder{first}, 10)
		holders := []*holder{first, holdTag(w.Peer("newcomer", Left))}
		waitCounts(w, holders, 5, 5)
		stayCounts(w, holders, passes, 5, 5)
	}},
	{name: "Rebalance_NewcomersCapacityWeighs", trees: OneRouter, run: func(w *World) {
		first := holdTag(w.Peer("first", Left))
		observeShared(w.Peer("observer", Right), 4)
		waitCounts(w, []*holder{first}, 4)
		holders := []*holder{first, holdTag(w.Peer("newcomer", Left), Capacity(4))}
		waitCounts(w, holders, 1, 3)
		stayCounts(w, holders, passes, 1, 3)
	}},
	{name: "Rebalance_WhenObjectsLeave", trees: OneRouter, run: func(w *World) {
		holders := []*holder{holdTag(w.Peer("one", Left)), holdTag(w.Peer("two", Left))}
		contracts := observeShared(w.Peer("observer", Right), 8)
		waitCounts(w, holders, 4, 4)
		for _, object := range holders[0].held {
			contracts[object.JSON].Drop()
		}
		waitCounts(w, holders, 2, 2)
	}},
	{name: "Rebalance_ThresholdForbids", trees: OneRouter, router: RouterOptions{Threshold: "100"}, run: func(w *World) {
		first := holdTag(w.Peer("first", Left))
		observeShared(w.Peer("observer", Right), 4)
		waitCounts(w, []*holder{first}, 4)
		holders := []*holder{first, holdTag(w.Peer("newcomer", Left))}
		stayCounts(w, holders, passes, 4, 0)
	}},
	{name: "Rebalance_ObserversKeepTheirStreams", trees: OneRouter, run: func(w *World) {
		const count = 4
		observer := w.Peer("observer", Right)
		contracts := observeShared(observer, count)
		publish := func(h *holder, version int64) {
			for id, object := range h.held {
				sink := Sink{peer: h.peer, id: id}
				sink.Send(NewState(h.peer.name+" "+object.JSON, version))
			}
		}
		first := holdTag(w.Peer("first", Left))
		waitCounts(w, []*holder{first}, count)
		publish(first, 1)
		streams := make(map[string]*Stream)
		for json, contract := range contracts {
			streams[json] = contract.Stream()
			streams[json].WaitFor(NewState("first "+json, 1))
		}
		newcomer := holdTag(w.Peer("newcomer", Left))
		waitCounts(w, []*holder{first, newcomer}, count/2, count/2)
		publish(newcomer, 2)
		for _, object := range newcomer.held {
			streams[object.JSON].WaitFor(NewState("newcomer "+object.JSON, 2))
		}
		observer.never("a stream", 0, func(e event) bool { return e.Event == "stream-opened" })
	}},
	{name: "LoadLimit_IsKept", trees: OneRouter, run: func(w *World) {
		limited := holdTag(w.Peer("limited", Left, "load-limit=3"))
		contracts := observeShared(w.Peer("observer", Right), 6)
		waitCounts(w, []*holder{limited}, 3)
		stayCounts(w, []*holder{limited}, passes, 3)
		for _, object := range limited.held {
			contracts[object.JSON].Drop()
		}
		waitCounts(w, []*holder{limited}, 3) // the other three
	}},
	{name: "LoadLimit_CountsCapacity", trees: OneRouter, run: func(w *World) {
		limited := holdTag(w.Peer("limited", Left, "load-limit=2"), Capacity(4))
		observeShared(w.Peer("observer", Right), 10)
		waitCounts(w, []*holder{limited}, 8)
		stayCounts(w, []*holder{limited}, passes, 8)
	}},
	{name: "LoadLimit_Zero", trees: OneRouter, run: func(w *World) {
		limited := holdTag(w.Peer("limited", Left, "load-limit=0"))
		observeShared(w.Peer("observer", Right), 2)
		stayCounts(w, []*holder{limited}, passes, 0)
	}},
	{name: "LoadLimit_OverflowGoesToTheOther", trees: OneRouter, run: func(w *World) {
		holders := []*holder{holdTag(w.Peer("limited", Left, "load-limit=2")), holdTag(w.Peer("free", Left))}
		observeShared(w.Peer("observer", Right), 7)
		waitCounts(w, holders, 2, 5)
		stayCounts(w, holders, passes, 2, 5)
	}},
	{name: "LoadLimit_GrowsWithTime", trees: OneRouter, run: func(w *World) {
		observeShared(w.Peer("observer", Right), 10)
		start := time.Now()
		limited := holdTag(w.Peer("limited", Left, "load-limit=2:0-2:2-6:4"))
		eventually(w, func() string { return "no object was given" }, func() bool { return limited.count() > 0 })
		if after := time.Since(start); after < 2*time.Second {
			w.Errorf("an object after %v, expected none for two seconds", after)
		}
		waitCounts(w, []*holder{limited}, 2)
		waitCounts(w, []*holder{limited}, 4)
		if after := time.Since(start); after < 6*time.Second {
			w.Errorf("four objects after %v, expected fewer for six seconds", after)
		}
		stayCounts(w, []*holder{limited}, passes, 4)
	}},
}
