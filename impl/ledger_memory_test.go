package impl

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"hakuban/internal/race"
	"hakuban/wire"
)

// memoryCase is one kind of thing that a link makes an exchange hold, many of them.
type memoryCase struct {
	name    string
	prepare func(t *testing.T, x *Exchange) // what is there before
	hold    func(t *testing.T, x *Exchange, n int)
	n       int
	book    func(x *Exchange) int // what is charged
}

// charged is what is charged to some links for what they make this exchange hold.
func charged(x *Exchange, links ...LinkID) (bytes int) {
	for _, id := range links {
		l := x.links[id]
		bytes += l.own() + l.sums[records].bytes + l.sums[left].bytes + l.sums[pinned].bytes
	}
	return bytes
}

func memoryName(i int) string { return strconv.Itoa(1_000_000 + i) }

// input steps an exchange with a message that is made anew, as one that arrived is.
func input(x *Exchange, link LinkID, event *wire.Event) {
	for _, effect := range x.Step(Now{Mono: 1}, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, event)}) {
		if effect.Kind == EffectEnd {
			panic(effect.Err)
		}
	}
}

// pullAll pulls until nothing is left.
func pullAll(x *Exchange, link LinkID) {
	for drained := false; !drained; {
		effects := x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: link, Budget: 1 << 30})
		drained = effects[len(effects)-1].Kind == EffectDrained
	}
}

func attachFor(x *Exchange, links ...LinkID) {
	for _, id := range links {
		role := ToDownstream
		greet := greeting()
		if id == 1 {
			role, greet = ToUpstream, upstreamGreeting()
		}
		x.Step(Now{Mono: 1}, Input{Kind: InputAttach, Link: id, Role: role})
		for i := range greet {
			input(x, id, &greet[i])
		}
		x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: id, Budget: 1 << 30})
	}
}

func memoryCases() []memoryCase {
	ask := func(link LinkID, kind wire.ActionKind, tags int) func(*testing.T, *Exchange, int) {
		return func(_ *testing.T, x *Exchange, n int) {
			for i := range n {
				var carried []string
				for k := range tags {
					carried = append(carried, strconv.Itoa(k))
				}
				event := contracts(act(kind, memoryName(i), 1, carried...))
				input(x, link, &event)
			}
			if x.upstream != nil {
				x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: 1, Budget: 1 << 30})
			}
		}
	}
	long := func(n int) func(*testing.T, *Exchange, int) {
		return func(_ *testing.T, x *Exchange, objects int) {
			for i := range objects {
				var tags []string
				for k := range n {
					tags = append(tags, fmt.Sprintf(`"a tag with a name that is as long as this %d"`, k))
				}
				event := contracts(act(wire.ActionExposeObject, memoryName(i), 1, tags...))
				input(x, 2, &event)
			}
		}
	}
	own := func(link ...LinkID) func(*Exchange) int { return func(x *Exchange) int { return charged(x, link...) } }
	state := func(size int) func(*testing.T, *Exchange, int) {
		return func(_ *testing.T, x *Exchange, n int) {
			pullAll(x, 2)
			for i := range n {
				event := states(up(uint64(2+i)), patch(1, fmt.Sprintf("%d%s", i, strings.Repeat("x", size)), 0))
				input(x, 2, &event)
			}
		}
	}
	exposed := func(t *testing.T, x *Exchange) {
		attachFor(x, 2, 3)
		ask(2, wire.ActionExposeObject, 0)(t, x, 20_000)
		ask(3, wire.ActionObserveObject, 0)(t, x, 20_000)
		x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: 2, Budget: 1 << 30})
	}
	return []memoryCase{
		{"an object, upstream told", func(_ *testing.T, x *Exchange) { attachFor(x, 1, 2) }, ask(2, wire.ActionExposeObject, 0), 20_000, own(2)},
		{"an object", func(_ *testing.T, x *Exchange) { attachFor(x, 2) }, ask(2, wire.ActionExposeObject, 0), 20_000, own(2)},
		{"a tag", func(_ *testing.T, x *Exchange) { attachFor(x, 2) }, ask(2, wire.ActionObserveTag, 0), 20_000, own(2)},
		{"a tag, upstream told", func(_ *testing.T, x *Exchange) { attachFor(x, 1, 2) }, ask(2, wire.ActionObserveTag, 0), 20_000, own(2)},
		{"an object of 20 tags", func(_ *testing.T, x *Exchange) { attachFor(x, 2) }, ask(2, wire.ActionExposeObject, 20), 5_000, own(2)},
		{"an object of 1,000 tags", func(_ *testing.T, x *Exchange) { attachFor(x, 1, 2) }, ask(2, wire.ActionExposeObject, 1000), 300, own(2)},
		{"an object of 100 long tags", func(_ *testing.T, x *Exchange) { attachFor(x, 2) }, long(100), 2000, own(2)},
		{"an object with a tag of its own", func(_ *testing.T, x *Exchange) { attachFor(x, 2) }, func(_ *testing.T, x *Exchange, n int) {
			for i := range n {
				event := contracts(act(wire.ActionExposeObject, memoryName(i), 1, memoryName(i)))
				input(x, 2, &event)
			}
		}, 20_000, own(2)},
		{"an object that is observed by a tag, with its stream", func(t *testing.T, x *Exchange) {
			attachFor(x, 2, 3)
			ask(2, wire.ActionExposeObject, 1)(t, x, 20_000)
		}, func(_ *testing.T, x *Exchange, _ int) {
			event := contracts(act(wire.ActionObserveTag, "0", 0))
			input(x, 3, &event)
			x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: 3, Budget: 1 << 30})
			x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: 2, Budget: 1 << 30})
		}, 20_000, own(2, 3)},
		{"a stream of upstream, covered by a tag", func(_ *testing.T, x *Exchange) {
			attachFor(x, 1, 2)
			event := contracts(act(wire.ActionObserveTag, `"t"`, 0))
			input(x, 2, &event)
		}, func(_ *testing.T, x *Exchange, n int) {
			for i := range n {
				for _, event := range initialize(up(uint64(2+i)), wire.ChannelStream, object1(memoryName(i), `"t"`)) {
					input(x, 1, &event)
				}
			}
			x.Step(Now{Mono: 1}, Input{Kind: InputPull, Link: 2, Budget: 1 << 30})
		}, 20_000, own(2)},
		{"a small state", exposed, state(10), 20_000, own(2)},
		{"a state of 1,000 bytes", exposed, state(1000), 20_000, own(2)},
		{"a state of 10,000 bytes", exposed, state(10_000), 2_000, own(2)},
	}
}

// TestLedger_ChargesAreMemory: what is charged is an upper bound of the memory that is taken, and at most one and a half times as much.
func TestLedger_ChargesAreMemory(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector takes memory of its own")
	}
	for _, c := range memoryCases() {
		x := New(Config{Limits: Limits{LinkBytes: math.MaxInt / 4, LinkObjects: 1 << 28}})
		c.prepare(t, x)
		forgetScratch(x)
		before, booked := memoryInUse(), c.book(x)
		c.hold(t, x, c.n)
		forgetScratch(x)
		taken := memoryInUse() - before
		is := c.book(x) - booked
		factor := float64(is) / float64(taken)
		t.Logf("%-55s %7d bytes of memory each, %7d charged: %.2f", c.name, taken/c.n, is/c.n, factor)
		if factor < 1 || factor > 1.5 {
			t.Errorf("%s: %d bytes of memory each, %d charged", c.name, taken/c.n, is/c.n)
		}
		runtime.KeepAlive(x)
	}
}

// forgetScratch drops what a step leaves for the next one to use again.
func forgetScratch(x *Exchange) { x.effects, x.event = nil, wire.Event{} }

// memoryInUse is how many bytes are in use.
func memoryInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
