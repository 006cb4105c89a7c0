package linearizability

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// program is what a seed says that the workers do. It is fixed before it runs; what a step finds to work on is not.
type program struct {
	seed    uint64
	objects int
	tagged  int // the objects below it carry the tag
	places  []place
	workers [][]step
}

// place is where workers find a contract of one kind, with its sinks and streams: the last one opened there.
type place struct {
	kind   contractKind
	object int // of an object contract
}

// step is one thing that a worker does: a call on the contract of a place, which it opens where there is none.
type step struct {
	verb     verb
	place    int
	capacity uint32
	older    bool  // on the sink or stream before the last
	version  int   // in versions; defaultVersion asks for the default
	ago      int64 // of the flag, in nanoseconds; 0 is now
	patience int64 // of waits, in nanoseconds
	yields   [2]int
}

// versions are those sent, besides the default: few, so that equal ones and lower ones are common, and some at the edge.
var versions = [][]int64{{0, 5}, {0, 5, 1}, {0, bubbleStart/1e9 + 1, 0}, {1}, {1, 0}, {0, math.MaxInt64}, {math.MaxInt64}}

const defaultVersion = -1

// newProgram draws a program. Most of what is drawn is drawn once for all of it, so that programs differ from each other.
func newProgram(seed uint64, workers int) *program {
	random := rand.New(rand.NewPCG(seed, 0))
	p := &program{seed: seed, objects: 1 + random.IntN(3)}
	p.tagged = random.IntN(p.objects + 1)
	p.places = []place{{observeObject, random.IntN(p.objects)}, {exposeObject, random.IntN(p.objects)}}
	for range 1 + random.IntN(5) {
		kind := contractKind(random.IntN(4))
		if kind.ofTag() && p.tagged == 0 {
			kind = exposeObject
		}
		p.places = append(p.places, place{kind, random.IntN(p.objects)})
	}
	weights := []int{
		openContract: 0, closeContract: random.IntN(6), setCapacity: random.IntN(4), take: 6, tryTake: random.IntN(4), waitTake: random.IntN(4),
		waitOffered: random.IntN(3),
		release:     1 + random.IntN(4), send: 4 + random.IntN(12), latest: 2 + random.IntN(8), next: random.IntN(5), waitNext: random.IntN(3),
		isDone: random.IntN(2), cause: random.IntN(3), snapshot: random.IntN(3),
	}
	if random.IntN(4) == 0 { // patient workers, so that several wait for one contract
		weights[waitTake], weights[waitOffered] = 8, 8
	}
	pool := random.Perm(len(versions))[:1+random.IntN(3)]
	defaults, past := random.IntN(101), random.IntN(60) // per cent
	if workers == 0 {
		workers = 2 + random.IntN(4)
	}
	length := 8 + random.IntN(14)
	for range workers {
		var steps []step
		for range length {
			s := step{
				verb: draw(random, weights), place: random.IntN(len(p.places)), capacity: random.Uint32N(4), older: random.IntN(4) == 0,
				version: pool[random.IntN(len(pool))], patience: 1 + random.Int64N(3000),
				yields: [2]int{random.IntN(6), random.IntN(6)},
			}
			if random.IntN(100) < defaults {
				s.version = defaultVersion
			}
			if random.IntN(100) < past {
				s.ago = random.Int64N(2000) - 200
			}
			steps = append(steps, s)
		}
		p.workers = append(p.workers, steps)
	}
	if random.IntN(8) == 0 { // late, so that there is something to close
		last := p.workers[random.IntN(workers)]
		last[length-1-random.IntN(3)].verb = closeExchange
	}
	return p
}

func draw(random *rand.Rand, weights []int) verb {
	sum := 0
	for _, weight := range weights {
		sum += weight
	}
	at := random.IntN(sum)
	for v, weight := range weights {
		if at -= weight; at < 0 {
			return verb(v)
		}
	}
	panic("unreachable")
}

// covered returns the objects that a place's contract is about.
func (p *program) covered(at place) []int {
	if !at.kind.ofTag() {
		return []int{at.object}
	}
	return p.all()[:p.tagged]
}

func (p *program) all() []int {
	all := make([]int, p.objects)
	for i := range all {
		all[i] = i
	}
	return all
}

// String shows what a failure needs shown.
func (p *program) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d: %d objects, %d tagged; places", p.seed, p.objects, p.tagged)
	for i, at := range p.places {
		fmt.Fprintf(&text, " %d: %s %v", i, at.kind, p.covered(at))
	}
	for i, steps := range p.workers {
		fmt.Fprintf(&text, "\n  worker %d:", i)
		for _, s := range steps {
			fmt.Fprintf(&text, " %s@%d", s.verb, s.place)
		}
	}
	return text.String()
}
