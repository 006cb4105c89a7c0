package impl

import (
	"math"
	"strconv"
	"testing"

	"hakuban/wire"
)

func TestLoadLimit_LinearBetweenPointsAndConstantAfter(t *testing.T) {
	second := int64(1e9)
	limit := newLoadLimit([]wire.LoadPoint{{Seconds: 2, Load: 0}, {Seconds: 2, Load: 5}, {Seconds: 5, Load: 7}}, 100*second)
	for _, row := range []struct {
		after float64
		want  float64
	}{{-1, 0}, {0, 0}, {1.9, 0}, {2, 5}, {3.5, 6}, {5, 7}, {1000, 7}} {
		load, limited := limit.at(100*second + int64(row.after*1e9))
		if got := float64(load) / loadUnit; !limited || math.Abs(got-row.want) > 1e-6 {
			t.Errorf("after %v s: %v, want %v", row.after, got, row.want)
		}
	}
	if _, limited := newLoadLimit(nil, 0).at(5); limited {
		t.Error("an empty limit limits")
	}
	rising := newLoadLimit([]wire.LoadPoint{{Seconds: 10, Load: math.MaxUint32}}, 0)
	if load, _ := rising.at(5 * second); load/loadUnit != math.MaxUint32/2 {
		t.Errorf("half way to the greatest load: %d", load/loadUnit)
	}
}

func TestLoadLimit_FarFutureSaturates(t *testing.T) {
	limit := newLoadLimit([]wire.LoadPoint{{Seconds: 1e18, Load: 4}}, math.MaxInt64-10)
	if load, limited := limit.at(math.MaxInt64 - 5); !limited || load > 4*loadUnit {
		t.Errorf("load %d", load)
	}
}

func TestShareOf_NeverZeroNeverAboveOne(t *testing.T) {
	for _, capacity := range []uint64{1, 2, 3, math.MaxUint32, math.MaxUint64} {
		if share := shareOf(capacity); share == 0 || share > loadUnit {
			t.Errorf("capacity %d: share %d", capacity, share)
		}
	}
	expect(t, "three thirds fit into one", 3*shareOf(3) <= loadUnit, true)
}

func TestElect_LoadLimitIsInclusive(t *testing.T) {
	w := newWorld(t)
	root, a, o := w.node("root", Config{Rebalance: true}), w.node("a", Config{}), w.node("o", Config{})
	w.ends += 2
	a.peers[2] = &end{node: root, link: 1}
	root.peers[1] = &end{node: a, link: 2}
	root.step(Input{Kind: InputAttach, Link: 1, Role: ToDownstream, Name: "root"})
	a.step(Input{Kind: InputAttach, Link: 2, Role: ToUpstream, Name: "a", LoadLimit: []wire.LoadPoint{{Seconds: 0, Load: 2}}})
	w.connect(o, root)
	a.open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	for _, key := range []string{`1`, `2`, `3`} {
		o.open(ObserveObject, object1(key, `"T"`), 0)
	}
	w.settle()
	expect(t, "first", root.elected(`1`), "a")
	expect(t, "second", root.elected(`2`), "a")
	expect(t, "third is over the limit", root.elected(`3`), "nobody")
	root.x.limitLoad(root.x.links[1], nil)
	for range 3 {
		w.now.Mono += 2e9
		root.step(Input{Kind: InputTick})
	}
	expect(t, "elected by a rebalance once there is room", root.elected(`3`), "a")
}

func TestRebalance_NotByLessThanTheThreshold(t *testing.T) {
	w, root, c := star(t, Config{Rebalance: true, RebalanceThreshold: 0.6}, "a", "b", "o")
	c["a"].open(ExposeTag, object1(`"T"`), 2)
	w.settle()
	c["o"].open(ObserveObject, object1(`1`, `"T"`), 0)
	c["o"].open(ObserveObject, object1(`2`, `"T"`), 0)
	w.settle()
	c["b"].open(ExposeTag, object1(`"T"`), 2)
	w.settle()
	for range 10 {
		w.now.Mono += 2e9
		root.step(Input{Kind: InputTick})
	}
	expect(t, "1", root.elected(`1`), "a")
	expect(t, "2", root.elected(`2`), "a")
}

func TestRebalance_EveryObjectWithinHalfToOneAndAHalfSeconds(t *testing.T) {
	w, root, c := star(t, Config{Rebalance: true}, "a", "b", "o")
	c["a"].open(ExposeObject, thing, 1)
	c["o"].open(ObserveObject, thing, 0)
	w.settle()
	if _, due := root.x.Deadline(); due {
		t.Error("an object that one link exposes is looked at, and can go nowhere")
	}
	c["b"].open(ExposeObject, thing, 1)
	w.settle()
	seen := make(map[int64]bool)
	for range 20 {
		c["b"].open(ExposeTag, object1(`"other"`), 1) // something changes
		w.settle()
		at, due := root.x.Deadline()
		if pause := at - w.now.Mono; !due || pause < 4.8e8 || pause >= 15e8 {
			t.Fatalf("due %v in %d ns", due, pause)
		}
		seen[at-w.now.Mono] = true
		w.now.Mono = at
		root.step(Input{Kind: InputTick})
	}
	if len(seen) < 10 {
		t.Errorf("only %d different pauses in 20: the jitter does not spread", len(seen))
	}
}

func TestRebalance_RoundsEndOnceEverythingWasLookedAt(t *testing.T) {
	w, root, c := star(t, Config{Rebalance: true}, "a", "b", "o", "late")
	c["a"].open(ExposeTag, object1(`"T"`), 1)
	c["b"].open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	for i := range 20 {
		c["o"].open(ObserveObject, object1(strconv.Itoa(i), `"T"`), 0)
		w.settle()
	}
	last := w.now.Mono
	ticks := func() (ticks int) {
		for at, due := root.x.Deadline(); due; at, due = root.x.Deadline() {
			w.now.Mono = at
			root.step(Input{Kind: InputTick})
			if ticks++; ticks > 100 {
				t.Fatal("objects that cannot move are looked at for ever")
			}
		}
		return ticks
	}
	if n := ticks(); n < 10 || w.now.Mono-last > 17e8 {
		t.Errorf("%d ticks until %d ns", n, w.now.Mono-last)
	}
	w.now.Mono += 1e12
	late := c["late"].open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	changed := w.now.Mono
	ticks()
	if at := w.now.Mono - changed; at > 5e9 {
		t.Errorf("the rounds end %d ns after the change", at)
	}
	moved := 0
	for i := range 20 {
		if root.elected(strconv.Itoa(i)) == "late" {
			moved++
		}
	}
	expect(t, "objects that moved to who came late", moved, 6)
	c["late"].close(late)
}

func TestRebalance_ATickLooksAtASlice(t *testing.T) {
	w, root, c := star(t, Config{Rebalance: true, Slice: 3}, "a", "b", "o")
	c["a"].open(ExposeTag, object1(`"T"`), 1)
	c["b"].open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	for i := range 20 {
		c["o"].open(ObserveObject, object1(strconv.Itoa(i), `"T"`), 0)
		w.settle()
	}
	w.now.Mono += 4e9 // all are due
	looked := 0
	for at, due := root.x.Deadline(); due && at <= w.now.Mono; at, due = root.x.Deadline() {
		root.step(Input{Kind: InputTick})
		looked++
	}
	if looked < 20/3 || looked > 10 {
		t.Errorf("20 objects are looked at in %d ticks", looked)
	}
}

// To give a closed contract's sink back is nothing to the object: it is asked
// again in its own time.
func TestRebalance_ReleasingAClosedContractsSinkElectsNobody(t *testing.T) {
	w := newWorld(t)
	root, a := w.node("root", Config{}), w.node("a", Config{})
	_, link := w.connect(a, root)
	a.open(ExposeObject, thing, 1)
	own := root.open(ExposeObject, thing, 1)
	root.open(ObserveObject, thing, 0)
	w.settle()
	root.x.limitLoad(root.x.links[link], newLoadLimit([]wire.LoadPoint{{Seconds: 0.1, Load: 0}, {Seconds: 0.1, Load: 1}}, w.now.Mono))
	sink := root.takeOffer(own)
	root.close(own)
	expect(t, "while the limit refuses", root.elected(thing.JSON), "nobody")
	w.now.Mono += 2e8
	root.step(Input{Kind: InputRelease, Offer: sink})
	expect(t, "after the release", root.elected(thing.JSON), "nobody")
	for range 3 {
		w.now.Mono += 2e9
		root.step(Input{Kind: InputTick})
	}
	expect(t, "asked again", root.elected(thing.JSON), "a")
}

func TestRebalance_ALibraryAsksAgainWhereALoadLimitRefused(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	c["a"].open(ExposeObject, thing, 1)
	w.settle()
	limited := root.x.links[3]
	root.x.limitLoad(limited, newLoadLimit([]wire.LoadPoint{{Seconds: 1, Load: 0}, {Seconds: 1, Load: 1}}, w.now.Mono))
	c["o"].open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "at first", root.elected(`1`), "nobody")
	for root.elected(`1`) == "nobody" {
		at, due := root.x.Deadline()
		if !due || at > w.now.Mono+10e9 {
			t.Fatalf("nobody is elected, and the next look is at %d, due %v", at, due)
		}
		w.now.Mono = at
		root.step(Input{Kind: InputTick})
	}
	expect(t, "later", root.elected(`1`), "a")
	_, due := root.x.Deadline()
	expect(t, "looked at once elected", due, false)
}

func TestRebalance_ALibraryDoesNot(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	c["a"].open(ExposeObject, thing, 1)
	c["o"].open(ObserveObject, thing, 0)
	w.settle()
	_, due := root.x.Deadline()
	expect(t, "due", due, false)
}
