package model

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// Configuration bounds a model, as spec/MC.tla does.
type Configuration struct {
	Name  string
	Model *Model

	OpenAtStart     []int // contracts, with capacity 1
	AttachedAtStart []int // links
	Budget          Budget
	Room            int   // a link pulls while fewer messages than this are in flight
	Readers         []int // observers that take and read their streams
	Fresh           bool  // every published state is newer than all before it
}

// Budget is how often things may still happen.
type Budget struct{ Toggles, Publishes, Losses, Rebalances int }

// Result is what an exploration found; spec/golden holds what TLC found.
type Result struct {
	Generated int            // states, counting each way to reach one, and the start
	Distinct  int            // states
	Depth     int            // states on the longest of the shortest paths
	Actions   map[string]int // generated, by action; Lose and Notice are Detach
	Digest    string         // of the canonical states
}

// bounded is a state of a configuration.
type bounded struct {
	State
	budget    Budget
	published uint64 // bit v: state v was published
}

// Start returns the configuration's first state.
func (c *Configuration) Start() State {
	m := c.Model
	s := m.Empty()
	for _, k := range c.OpenAtStart {
		contract := m.Contracts[k]
		capacity := 0
		if contract.Kind == Expose {
			capacity = 1
		}
		s.Nodes[contract.At].Contracts[m.spot[k]] = capacity
	}
	for n := range s.Nodes {
		m.afterElections(n, s.Nodes[n], func(int) bool { return true }, func(N *Node) { s.Nodes[n] = N })
	}
	for _, l := range c.AttachedAtStart {
		s.Links[l] = &LinkState{Downstream: On, Upstream: On}
	}
	return s
}

// successors yields what MC.tla's MCNext allows, with the name of the action.
func (c *Configuration) successors(s bounded, yield func(string, bounded)) {
	m := c.Model
	for action := Open; action < Actions; action++ {
		switch {
		case (action <= SetCapacity || action == SetRights) && s.budget.Toggles == 0,
			action == Publish && s.budget.Publishes == 0,
			action == Rebalance && s.budget.Rebalances == 0:
			continue
		}
		m.Steps(action, func(step Step) {
			name, next, allowed := c.spend(s, step)
			if !allowed {
				return
			}
			m.Do(s.State, step, func(t State) {
				next.State = t
				yield(name, next)
			})
		})
	}
}

// spend says what a step leaves of the budget, and whether it is allowed at all.
func (c *Configuration) spend(s bounded, step Step) (name string, next bounded, allowed bool) {
	m := c.Model
	name, next, allowed = step.Action.String(), s, true
	cost := func(left *int) {
		allowed = allowed && *left > 0
		*left--
	}
	switch step.Action {
	case Open, Close, SetCapacity, SetRights:
		cost(&next.budget.Toggles)
	case Take:
		allowed = m.Contracts[step.Contract].Kind == Expose || c.reads(step.Contract)
	case Read:
		allowed = c.reads(step.Contract)
	case Release:
		contract := m.Contracts[step.Contract]
		if s.Nodes[contract.At].Offers[m.spot[step.Contract]][step.Object].Is == Taken {
			allowed = contract.Kind == Expose
			cost(&next.budget.Toggles)
		}
	case Publish:
		allowed = !c.Fresh || step.State == bits.OnesCount64(s.published)+1
		cost(&next.budget.Publishes)
		next.published |= 1 << step.State
	case Detach:
		name = "Notice"
		if L := s.Links[step.Link]; L.Downstream != Gone && L.Upstream != Gone {
			name = "Lose"
			cost(&next.budget.Losses)
		}
	case PullUp:
		allowed = len(s.Links[step.Link].Up) < c.Room
	case PullDown:
		allowed = len(s.Links[step.Link].Down) < c.Room
	case Rebalance:
		cost(&next.budget.Rebalances)
	}
	return name, next, allowed
}

func (c *Configuration) reads(k int) bool {
	for _, reader := range c.Readers {
		if reader == k {
			return true
		}
	}
	return false
}

// A state is kept as the numbers of its parts: each node and each link state that was
// ever seen has one, and two states are the same if all their numbers are.

const maxParts = 9

// key is the numbers of the nodes, then of the links, then the rest.
type key struct {
	parts [maxParts]uint32
	rest  uint64
}

// table numbers the nodes of one exchange or the links of one link.
type table[T any] struct {
	sync.RWMutex
	numbers map[string]uint32
	all     []*T
	texts   []string // canonical
}

func (t *table[T]) get(number uint32) (*T, string) {
	t.RLock()
	defer t.RUnlock()
	return t.all[number], t.texts[number]
}

func (t *table[T]) number(encoded []byte, value *T, text func(*T) []byte) uint32 {
	t.RLock()
	number, found := t.numbers[string(encoded)]
	t.RUnlock()
	if found {
		return number
	}
	t.Lock()
	defer t.Unlock()
	if number, found := t.numbers[string(encoded)]; found {
		return number
	}
	number = uint32(len(t.all))
	t.numbers[string(encoded)] = number
	t.all = append(t.all, value)
	t.texts = append(t.texts, string(text(value)))
	return number
}

const shards = 64

type shard struct {
	sync.Mutex
	seen map[key]struct{}
}

type exploration struct {
	c      *Configuration
	nodes  []table[Node]
	links  []table[LinkState]
	shards [shards]shard
}

// Explore visits every state that the configuration can reach, breadth first, on
// all processors.
func (c *Configuration) Explore() Result {
	x := &exploration{c: c, nodes: make([]table[Node], len(c.Model.Exchanges)), links: make([]table[LinkState], len(c.Model.Links))}
	for i := range x.nodes {
		x.nodes[i].numbers = make(map[string]uint32)
	}
	for i := range x.links {
		x.links[i].numbers = make(map[string]uint32)
	}
	for i := range x.shards {
		x.shards[i].seen = make(map[key]struct{})
	}
	if len(x.nodes)+len(x.links) > maxParts {
		panic("BUG: a configuration has more exchanges and links than a key has room for")
	}
	start := bounded{State: c.Start(), budget: c.Budget}
	workers := make([]worker, runtime.GOMAXPROCS(0))
	for i := range workers {
		workers[i] = worker{exploration: x, actions: make(map[string]int)}
	}
	first := workers[0].keyOf(start, bounded{}, key{})
	x.insert(first)
	level := []key{first}
	result := Result{Generated: 1, Actions: make(map[string]int)}
	var digest Digest
	for len(level) > 0 {
		result.Distinct += len(level)
		result.Depth++
		var group sync.WaitGroup
		var taken atomic.Int64
		for i := range workers {
			group.Go(func() { workers[i].run(level, &taken) })
		}
		group.Wait()
		level = nil
		for i := range workers {
			level = append(level, workers[i].next...)
			workers[i].next = workers[i].next[:0]
		}
	}
	for i := range workers {
		for name, count := range workers[i].actions {
			result.Actions[name] += count
			result.Generated += count
		}
		digest.Merge(workers[i].digest)
	}
	result.Digest = digest.String()
	return result
}

// insert reports whether the key is a new one.
func (x *exploration) insert(k key) bool {
	hash := k.rest
	for _, part := range k.parts {
		hash = (hash ^ uint64(part)) * 0x9e3779b97f4a7c15
		hash ^= hash >> 29
	}
	s := &x.shards[hash%shards]
	s.Lock()
	defer s.Unlock()
	if _, found := s.seen[k]; found {
		return false
	}
	s.seen[k] = struct{}{}
	return true
}

// worker explores a part of each level.
type worker struct {
	*exploration
	next    []key
	actions map[string]int
	digest  Digest
	encoded []byte
	text    []byte
}

func (w *worker) run(level []key, taken *atomic.Int64) {
	const portion = 256
	for {
		from := int(taken.Add(portion)) - portion
		if from >= len(level) {
			return
		}
		for _, k := range level[from:min(from+portion, len(level))] {
			s := w.stateOf(k)
			w.digest.Add(w.text)
			w.c.successors(s, func(name string, t bounded) {
				w.actions[name]++
				if next := w.keyOf(t, s, k); w.insert(next) {
					w.next = append(w.next, next)
				}
			})
		}
	}
}

// keyOf returns the key of a state that differs little from one whose key is known.
func (w *worker) keyOf(s, from bounded, known key) key {
	k := known
	for n, N := range s.Nodes {
		if from.Nodes == nil || from.Nodes[n] != N {
			w.encoded = N.append(w.encoded[:0])
			k.parts[n] = w.nodes[n].number(w.encoded, N, func(N *Node) []byte { return w.c.Model.textNode(nil, n, N) })
		}
	}
	for l, L := range s.Links {
		if from.Links == nil || from.Links[l] != L {
			w.encoded = L.append(w.encoded[:0])
			k.parts[len(s.Nodes)+l] = w.links[l].number(w.encoded, L, func(L *LinkState) []byte { return w.c.Model.textLink(nil, L) })
		}
	}
	b := s.budget
	k.rest = s.published<<32 | uint64(b.Toggles)<<24 | uint64(b.Publishes)<<16 | uint64(b.Losses)<<8 | uint64(b.Rebalances)
	return k
}

// stateOf returns the state of a key, and leaves its canonical text, which has
// each variable by name, in w.text.
func (w *worker) stateOf(k key) bounded {
	m := w.c.Model
	s := bounded{State: State{Nodes: make([]*Node, len(w.nodes)), Links: make([]*LinkState, len(w.links))}}
	s.published = k.rest >> 32
	s.budget = Budget{int(k.rest >> 24 & 255), int(k.rest >> 16 & 255), int(k.rest >> 8 & 255), int(k.rest & 255)}
	b := textInt(appendField(append(w.text[:0], "budget="...), "[losses"), s.budget.Losses)
	b = textInt(appendField(b, "publishes"), s.budget.Publishes)
	b = textInt(appendField(b, "rebalances"), s.budget.Rebalances)
	b = textInt(appendField(b, "toggles"), s.budget.Toggles)
	b = appendFunction(append(b, "]\nlink="...), m.names.links, m.linkName, func(b []byte, l int) []byte {
		L, text := w.links[l].get(k.parts[len(w.nodes)+l])
		s.Links[l] = L
		return append(b, text...)
	})
	b = appendFunction(append(b, "\nnode="...), m.names.exchanges, m.exchangeName, func(b []byte, n int) []byte {
		N, text := w.nodes[n].get(k.parts[n])
		s.Nodes[n] = N
		return append(b, text...)
	})
	b = append(b, "\npublished={"...)
	for v, first := 1, true; v < 32; v++ {
		if s.published>>v&1 == 1 {
			if !first {
				b = append(b, ',')
			}
			b, first = textInt(b, v), false
		}
	}
	b = append(b, '}')
	w.text = append(b, '\n')
	return s
}
