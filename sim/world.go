package sim

import (
	"fmt"
	"strconv"

	"hakuban/impl"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// Times of a world, in nanoseconds of virtual time.
const (
	microsecond = int64(1000)
	millisecond = 1000 * microsecond
	second      = 1000 * millisecond

	linkDelay   = millisecond      // of a message, when nothing is wrong
	writerDelay = 50 * microsecond // from ready to pull, mostly
	linkTimeout = 3 * second       // after which a silent link is given up
	wallEpoch   = 1_800_000_000 * second

	// CalmBound is the virtual time within which a tree must be quiet once
	// everything healed: a silent link's timeout, a reconnect, and the messages
	// of a tree of 40.
	CalmBound = 10 * second
	// settleTime is how long a quiet tree is watched for rebalancing to end: until
	// every load limit is at its last point, and one round of every object.
	settleTime = 2*second + 1600*millisecond
	// settleBound bounds the rebalancing after the tree is quiet.
	settleBound = 60 * second
)

const (
	maxSlots     = 1 << 20
	maxExchanges = 40
)

// World is a tree of exchanges on a simulated network.
type World struct {
	source   Source
	observer Observer
	set      *checker.Set
	marks    *mark.Set
	trace    func(line string)

	now       int64
	heap      heap
	number    uint64
	busy      int // events in the heap that are no ticks
	nodes     []*node
	sessions  []*session
	calm      bool
	fresh     bool  // in the calm: what is taken is sent
	active    int64 // time of the last step that was no tick
	steps     int
	looks     int // of those, the ones after which the whole exchange was looked at
	slots     int // done
	dense     uint32
	slotAt    int64
	actions   int // slots that did something
	injected  int // faults
	chaosEnd  int64
	converged int64

	rules     rules
	objects   []object
	tags      []string
	sinks     []*offer // taken, all exchanges
	published uint32
	faults    [faultCount]faultUse
	hash      Hash
	violation *checker.Violation

	pendingTake *contract // of the step under way
	publishing  *offer    // of the step under way

	// Reused by every step.
	current checker.Step
	input   impl.Input
	shown   *impl.Input // to the checkers in place of input; nil: that
	arrival *impl.Arrival
	buffer  []byte
	spare   [][]byte
}

// object is one object of the world's workload.
type object struct {
	descriptor wire.Descriptor
	last       []int64 // version published last, by anyone
}

// rules are what a run decided once.
type rules struct {
	workload   workload
	rebalance  bool
	loadLimits bool
	zeros      bool  // many exposers have no capacity
	budget     int   // of a pull
	writer     int64 // from ready to pull
	window     int   // bytes of a direction that may be under way
	limits     limitClass
	ownLimits  bool // each exchange has its own
	halves     bool // each state takes half of what a link may
}

// NewWorld builds the tree that the source chooses. The set may be nil.
func NewWorld(source Source, set *checker.Set, marks *mark.Set, observer Observer) *World {
	w := &World{source: source, set: set, marks: marks, observer: observer, arrival: new(impl.Arrival)}
	// The last one counts twice: what it is for happens in few of its runs.
	w.rules.workload = min(workload(w.choose(chooseWorkload, 0, 0, 0, uint32(workloadCount)+1)), workloadBalance)
	w.rules.rebalance = w.choose(chooseRebalance, 0, 0, 0, 2) != 0
	limits := w.choose(chooseLoadLimit, 0, 0, 0, 4)
	w.rules.loadLimits = limits == 1 || limits > 0 && w.rules.workload == workloadBalance
	w.rules.zeros = w.choose(chooseCapacity, 0, 1, 0, 8) == 7 && w.rules.workload != workloadBalance
	w.rules.budget = [...]int{1 << 16, 1 << 16, 256, 1}[w.choose(chooseBudget, 0, 0, 0, 4)]
	w.rules.window = [...]int{1 << 16, 1 << 12, 256, 1}[w.choose(chooseBudget, 1, 0, 0, 4)]
	w.rules.writer = [...]int64{writerDelay, writerDelay, 0, millisecond}[w.choose(chooseBudget, 2, 0, 0, 4)]
	w.dense = w.source.Choose(denseLabel, denseAlways+1)
	for f := range faultCount {
		w.faults[f].on = w.choose(chooseFaultOn, int(f), 0, 0, 100) >= 55
	}
	w.chooseLimitClass()
	w.makeObjects()
	w.makeTree()
	return w
}

func (w *World) makeObjects() {
	for t := range 1 + w.choose(chooseTags, 0, 0, 0, 3) {
		w.tags = append(w.tags, strconv.Quote("t"+strconv.Itoa(int(t))))
	}
	objects := 1 + w.choose(chooseObjects, 0, 0, 0, 4)
	if w.rules.workload == workloadBalance {
		objects++
	}
	if w.rules.limits == limitsTight { // enough to leave too much
		objects += 2
	}
	for o := range objects {
		var tags []string
		carried := w.choose(chooseObjectTags, int(o), 0, 0, 1<<uint(len(w.tags)))
		if o == 0 && w.rules.workload.wantsTags() || w.rules.workload == workloadBalance {
			carried |= 1
		}
		for t, tag := range w.tags {
			if carried>>uint(t)&1 != 0 {
				tags = append(tags, tag)
			}
		}
		descriptor, err := wire.NewDescriptor(tags, strconv.Itoa(int(o)), nil)
		if err != nil {
			panic(err)
		}
		w.objects = append(w.objects, object{descriptor: descriptor})
	}
}

// makeTree chooses the number of exchanges and who is whose parent. Most trees
// are small; some go up to maxExchanges.
func (w *World) makeTree() {
	size := 2 + w.choose(chooseSize, 0, 0, 0, 5)
	if big := w.choose(chooseSize, 1, 0, 0, 25); big == 1 {
		size = 10 + w.choose(chooseSize, 2, 0, 0, maxExchanges-9)
	} else if big <= 4 && big > 1 {
		size = 6 + w.choose(chooseSize, 2, 0, 0, 5)
	}
	shape := w.choose(chooseShape, 0, 0, 0, 3)
	if w.rules.workload == workloadBalance { // links to choose from, but few
		size = max(size-2, 3)
		shape = max(shape, 1)
	}
	for i := range int(size) {
		n := &node{index: i, parent: -1}
		if i > 0 {
			switch shape {
			case 0: // chain
				n.parent = i - 1
			case 1: // star
				n.parent = 0
			default:
				n.parent = int(w.choose(chooseParent, i, 0, 0, uint32(i)))
			}
			w.nodes[n.parent].children = append(w.nodes[n.parent].children, i)
		}
		n.config = impl.Config{Rebalance: w.rules.rebalance, RebalanceThreshold: impl.DefaultRebalanceThreshold, Limits: w.limitsOf(i)}
		n.config.Slice = w.sliceOf(i)
		n.config.Upstream = n.parent >= 0 && w.rules.limits != limitsDefault && w.choose(chooseLimits, 5, i, 0, 4) != 0
		n.loadLimit = w.chooseLoadLimit(i, 0)
		w.nodes = append(w.nodes, n)
	}
	w.chooseDialects()
	for _, n := range w.nodes {
		w.start(n)
	}
	switch {
	case shape == 1 && size > 2:
		w.marks.Hit(mark.TreeStar)
	case shape == 0 && size > 2:
		w.marks.Hit(mark.TreeChain)
	}
	if size >= 10 {
		w.marks.Hit(mark.TreeBig)
	}
}

// choose asks the source.
func (w *World) choose(kind Kind, from, to int, ordinal uint32, n uint32) uint32 {
	return w.source.Choose(Label{kind, int16(from), int16(to), ordinal}, n)
}

// push schedules an event.
func (w *World) push(e event) {
	w.number++
	e.number = w.number
	if e.time < w.now {
		e.time = w.now
	}
	if e.kind != eventTick {
		w.busy++
	}
	w.heap.push(e)
}

// turn carries out the first event of the heap.
func (w *World) turn() {
	e := w.heap.pop()
	if e.kind != eventTick {
		w.busy--
	}
	if e.time < w.now {
		w.fail(&checker.Violation{Property: "time goes on", Exchange: int(e.node), Step: w.steps, Text: fmt.Sprintf("an event of %d ns comes after %d ns", e.time, w.now)})
	}
	w.now = e.time
	switch e.kind {
	case eventLose:
		w.lose(w.sessions[e.session], lossNoticed, lossNoticed, true)
		return
	case eventRestart:
		n := w.nodes[e.node]
		if n.core == nil && n.life == int(e.life) {
			w.start(n)
		}
		return
	}
	n := w.nodes[e.node]
	if n.core == nil || n.life != int(e.life) {
		return
	}
	if n.pausedUntil > w.now {
		if e.kind == eventTick && n.tickAt == e.time {
			n.tickAt = n.pausedUntil
		}
		if p := w.pipeOf(&e); p != nil && p.armedAt == e.time {
			p.armedAt = n.pausedUntil
		}
		e.time = n.pausedUntil
		w.push(e)
		return
	}
	switch e.kind {
	case eventDeliver:
		w.deliver(e.session, e.end, e.time)
	case eventPull:
		w.pull(e.session, e.end)
	case eventAttach:
		w.attach(e.session, e.end)
	case eventDetach:
		w.detach(e.session, e.end)
	case eventDial:
		w.dial(n)
	case eventTick:
		if n.tickAt == e.time {
			n.tickAt = 0
			w.input = impl.Input{Kind: impl.InputTick}
			w.step(n)
		}
	case eventTake:
		w.take(n, impl.ContractID(e.id))
	case eventRelease:
		w.release(n, impl.OfferID(e.id))
	case eventRead:
		w.read(n, impl.OfferID(e.id))
	case eventHeed:
		w.askLess(n)
	case eventContinue:
		w.takeOn(w.sessions[e.session], e.end)
	}
}

// pipeOf is the direction that a delivery is about.
func (w *World) pipeOf(e *event) *pipe {
	if e.kind != eventDeliver {
		return nil
	}
	return &w.sessions[e.session].pipes[1-e.end]
}

// clock is the time at an exchange.
func (w *World) clock(n *node) impl.Now {
	return impl.Now{Mono: w.now + n.monoBase, Wall: wallEpoch + w.now + n.wallSkew}
}

// step steps an exchange with w.input, carries out what it answers, and checks.
func (w *World) step(n *node) {
	if w.violation != nil {
		return
	}
	now := w.clock(n)
	input := &w.input
	w.steps++
	if input.Kind != impl.InputTick {
		w.active = w.now
	}
	look := w.set != nil && w.lookNow(n)
	var before *impl.Snapshot
	if look {
		before = n.lookBefore(now)
	}
	if w.observer != nil {
		w.observer.BeforeStep(n.index, n.core, now, input)
	}
	effects := n.core.Step(now, *input)
	w.hash.word(uint64(n.index)<<8 | uint64(input.Kind))
	w.hash.Effects(effects)
	if w.trace != nil {
		w.traceStep(n, now, input, effects)
	}
	s := &w.current
	*s = checker.Step{Exchange: n.index, Life: n.life, Number: w.steps, Time: w.now, Now: now, Input: w.inputShown(), Effects: effects}
	if w.set != nil {
		if v := w.set.Step(s); v != nil {
			w.fail(v)
		}
	}
	if w.observer != nil {
		if err := w.observer.AfterStep(n.index, n.core, now, input, effects); err != nil {
			w.failObserver(n, err)
		}
	}
	for i := range effects {
		w.carryOut(n, &effects[i])
	}
	n.lastLook = nil
	if w.set != nil {
		w.glance(n, now)
	}
	if look {
		w.look(n, before)
	}
	if deadline, ok := n.core.Deadline(); ok {
		at := max(deadline-n.monoBase, w.now+1)
		if n.tickAt == 0 || at < n.tickAt {
			n.tickAt = at
			w.push(event{time: at, kind: eventTick, node: int16(n.index), life: int32(n.life)})
		}
	}
}

// glance shows what elects in the exchange that stepped to the checkers.
func (w *World) glance(n *node, now impl.Now) {
	n.glances[0], n.glances[1] = n.glances[1], n.glances[0]
	if n.glances[0].take(w, n, now); w.rules.limits != limitsDefault {
		n.glances[0].snapshot = n.core.Snapshot(now) // whole: what counts against a link may be anything
	}
	l := checker.Look{Exchange: n.index, Life: n.life, Step: w.steps, Now: now, Snapshot: &n.glances[0].snapshot, Before: &n.glances[1].snapshot, Input: w.inputShown(), Effects: w.current.Effects}
	if w.rules.limits != limitsDefault {
		l.Attached = w.attached(n)
	}
	if v := w.set.Glance(&l); v != nil {
		w.fail(v)
	}
}

// Looks are spaced so that they cost less than the steps: a dense run looks at
// every step.
const lookEvery = 24

// denseLabel is the choice of how often to look; denseAlways is at every step.
var denseLabel = Label{Kind: chooseDense}

const denseAlways = 15

func (w *World) lookNow(n *node) bool {
	return w.dense == denseAlways || w.steps%lookEvery == 0
}

// look shows the exchange that stepped to the checkers that want it whole.
func (w *World) look(n *node, before *impl.Snapshot) {
	if w.violation != nil {
		return
	}
	now := w.clock(n)
	if err := n.core.Check(); err != nil {
		w.fail(&checker.Violation{Property: "invariant", Exchange: n.index, Step: w.steps, Text: err.Error()})
		return
	}
	w.looks++
	snapshot := n.core.Snapshot(now)
	n.lastLook, n.lastLookAt = &snapshot, now
	l := checker.Look{
		Exchange: n.index, Life: n.life, Step: w.steps, Now: now, Snapshot: &snapshot,
		Before: before, Input: w.inputShown(), Attached: w.attached(n),
	}
	if v := w.set.Look(&l); v != nil {
		w.fail(v)
	}
}

// carryOut does what a core asked its driver to do.
func (w *World) carryOut(n *node, e *impl.Effect) {
	switch e.Kind {
	case impl.EffectReady:
		if s, end := n.session(e.Link); s != nil {
			s.ends[end].ready = true
			w.schedulePull(s, end)
		}
	case impl.EffectWrite:
		if s, end := n.session(e.Link); s != nil {
			w.send(s, end, e.Message.Bytes())
		}
	case impl.EffectDrained:
		if s, end := n.session(e.Link); s != nil {
			s.ends[end].ready = false
		}
	case impl.EffectEnd:
		if s, end := n.session(e.Link); s != nil {
			w.marks.Hit(mark.LinkEnded)
			w.ended(s, end, e.Err)
		}
	case impl.EffectOffered:
		w.offered(n, e.Contract)
	case impl.EffectTaken:
		w.taken(n, e)
	case impl.EffectState:
		w.acknowledged(e)
	case impl.EffectRevoked:
		w.revoked(n, e.Offer)
	case impl.EffectChanged:
		w.changed(n, e.Offer)
	case impl.EffectRefused:
		if w.input.Kind == impl.InputAttach && w.limited(e.Err) {
			w.refusedUpstream(n)
		}
	}
}

// fail ends the run; the first violation counts.
func (w *World) fail(v *checker.Violation) {
	if w.violation == nil {
		v.Time = w.now
		w.violation = v
	}
}

func (w *World) failObserver(n *node, err error) {
	w.fail(&checker.Violation{Property: w.observer.Property(), Exchange: n.index, Step: w.steps, Text: err.Error()})
}

// Violation is what the run broke; nil: nothing.
func (w *World) Violation() *checker.Violation { return w.violation }

// Hash is the hash of everything that all cores answered.
func (w *World) Hash() Hash { return w.hash }

// Steps is the number of steps of all cores.
func (w *World) Steps() int { return w.steps }

func (w *World) traceStep(n *node, now impl.Now, input *impl.Input, effects []impl.Effect) {
	w.trace(fmt.Sprintf("%10.3fms exchange %d: %s", float64(w.now)/1e6, n.index, DescribeInput(input)))
	for i := range effects {
		w.trace("                 → " + DescribeEffect(&effects[i]))
	}
}
