package sim

import (
	"math"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// faultClass is one sort of trouble. Each seed decides by a coin of its own
// which classes it has.
type faultClass uint8

const (
	faultDelay faultClass = iota
	faultLoss
	faultAsymmetric
	faultPartition
	faultHalfOpen
	faultClog
	faultSlowReader
	faultCrash
	faultPause
	faultSkew
	faultJump
	faultTie
	faultStorm
	faultMidMessage
	faultReplaced
	faultHostileVersion
	faultBalance
	faultSlowApplication
	faultNoise
	faultCount
)

var faultNames = [faultCount]string{
	"delay", "link loss", "asymmetric cut", "partition", "half-open", "clog", "slow reader", "crash and restart", "pause",
	"clock skew", "clock jump", "version tie", "contract storm", "mid-message close", "router replaced", "hostile version",
	"balance churn", "slow application", "empty messages",
}

// String returns the class's name.
func (f faultClass) String() string { return faultNames[f] }

type faultUse struct {
	on    bool
	count int
}

// fault injects the fault that slot k chose, when its class is on.
func (w *World) fault(k uint32) {
	class := faultClass(w.choose(chooseFault, 0, 0, k, uint32(faultCount)))
	if !w.faults[class].on {
		return
	}
	n := w.nodes[w.choose(chooseTarget, 0, 0, k, uint32(len(w.nodes)))]
	duration := int64(1+w.choose(chooseDuration, 0, 0, k, 50)) * 10 * millisecond
	if w.choose(chooseDuration, 1, 0, k, 8) == 7 {
		duration *= 10
	}
	detail := w.choose(chooseDetail, 0, 0, k, 1<<16)
	before := w.footprint()
	if w.inject(class, n, k, duration, detail) && w.footprint() != before {
		w.faults[class].count++
		w.injected++
	}
}

// footprint is a hash of all that a fault can change. One that changes nothing,
// such as a pause within a longer one, does not count.
func (w *World) footprint() (h Hash) {
	h.word(w.number)
	h.word(uint64(w.steps))
	for _, n := range w.nodes {
		for which := range 2 {
			h.word(uint64(n.stallUntil[which]))
			h.word(uint64(n.clogUntil[which]))
			h.word(uint64(n.slowUntil[which]))
			h.word(uint64(n.lateUntil[which]))
			h.word(uint64(n.sent[which]))
		}
		h.word(uint64(n.pausedUntil))
		h.word(uint64(n.wallSkew))
		h.word(uint64(n.appSlowUntil))
	}
	return h
}

// inject reports whether the fault made sense where it was asked for.
func (w *World) inject(class faultClass, n *node, k uint32, duration int64, detail uint32) bool {
	until := w.now + duration
	direction := int(detail & 1)
	child := n
	if child.parent < 0 {
		child = w.nodes[1+int(detail>>1)%(len(w.nodes)-1)]
	}
	switch class {
	case faultDelay:
		child.lateUntil[direction] = until
		return true
	case faultLoss:
		return w.loseLink(child, lossNoticed, lossNoticed, true)
	case faultAsymmetric:
		w.cut(child, until, direction == 0, direction == 1)
		return true
	case faultPartition:
		w.partition(n, k, until, detail)
		return true
	case faultHalfOpen:
		if direction == 0 {
			return w.loseLink(child, lossNoticed, lossSilent, false)
		}
		return w.loseLink(child, lossSilent, lossNoticed, false)
	case faultClog:
		child.clogUntil[direction] = until
		return true
	case faultSlowReader:
		child.slowUntil[direction] = until
		return true
	case faultCrash:
		return w.crashAndRestart(n, duration, notice(detail>>1&1))
	case faultReplaced:
		if len(n.children) == 0 {
			return false
		}
		if n.parent >= 0 {
			w.marks.Hit(mark.InnerRouterReplaced)
		}
		return w.crashAndRestart(n, millisecond, lossNoticed)
	case faultPause:
		if n.core == nil {
			return false
		}
		w.pause(n, until)
		return true
	case faultSkew:
		n.wallSkew = (int64(detail%200) - 100) * 60 * second
		return true
	case faultJump:
		n.wallSkew += (int64(detail%200) - 100) * 100 * millisecond
		return true
	case faultTie:
		return w.publishVersion(detail, func(o *offer) []int64 { return slices.Clone(w.objects[o.object].last) })
	case faultHostileVersion:
		return w.publishVersion(detail, func(o *offer) []int64 {
			if detail>>8&1 == 0 {
				return []int64{math.MaxInt64}
			}
			return []int64{math.MaxInt64, math.MaxInt64}
		})
	case faultStorm:
		return w.storm(n, k)
	case faultMidMessage:
		return w.closeMidMessage(child, direction, detail)
	case faultBalance:
		return w.churnBalance(child, k)
	case faultSlowApplication:
		n.appSlowUntil = until
		return true
	case faultNoise:
		return w.sendEmpty(child, direction)
	}
	return false
}

func (w *World) loseLink(child *node, atChild, atParent notice, keep bool) bool {
	if child.up == nil || child.up.lost {
		return false
	}
	w.lose(child.up, atChild, atParent, keep)
	return true
}

// pause stops an exchange. Its links hear nothing of it.
func (w *World) pause(n *node, until int64) {
	n.pausedUntil = max(n.pausedUntil, until)
	timedOut := w.timeOut(n.up, until)
	for _, child := range n.children {
		timedOut = w.timeOut(w.nodes[child].up, until) || timedOut
	}
	if timedOut {
		w.marks.Hit(mark.LongPause)
	}
}

// timeOut lets a session that hears nothing until then be given up, when that is
// too long.
func (w *World) timeOut(s *session, until int64) bool {
	if s == nil || s.lost || until <= w.now+linkTimeout {
		return false
	}
	w.push(event{time: w.now + linkTimeout, kind: eventLose, session: int32(s.number)})
	return true
}

// cut stops the traffic of a link.
func (w *World) cut(child *node, until int64, up, down bool) {
	if up {
		child.stallUntil[0] = max(child.stallUntil[0], until)
	}
	if down {
		child.stallUntil[1] = max(child.stallUntil[1], until)
	}
	if w.timeOut(child.up, until) {
		w.marks.Hit(mark.CutTimedOut)
	}
}

// partition cuts the links of one shape: a subtree, an exchange alone, a random
// half, a depth, all links, or every link of one parent.
func (w *World) partition(n *node, k uint32, until int64, detail uint32) {
	shape := w.choose(chooseTarget2, 0, 0, k, 6)
	for _, child := range w.nodes[1:] {
		var cut bool
		switch shape {
		case 0:
			cut = child == n
		case 1:
			cut = child == n || child.parent == n.index
		case 2:
			cut = detail>>(uint(child.index)%16)&1 != detail>>(uint(child.parent)%16)&1
		case 3:
			cut = w.depth(child) == w.depth(n)
		case 4:
			cut = true
		case 5:
			cut = child.parent == n.index
		}
		if cut {
			w.marks.Hit(mark.PartitionSubtree + mark.Mark(shape))
			w.cut(child, until, true, true)
		}
	}
}

func (w *World) depth(n *node) int {
	depth := 0
	for n.parent >= 0 {
		n = w.nodes[n.parent]
		depth++
	}
	return depth
}

func (w *World) crashAndRestart(n *node, after int64, others notice) bool {
	if n.core == nil {
		return false
	}
	w.crash(n, others)
	w.push(event{time: w.now + after, kind: eventRestart, node: int16(n.index), life: int32(n.life)})
	return true
}

// publishVersion publishes on some sink of an object that has states already,
// under a version that nobody should choose. It reports whether it was taken.
func (w *World) publishVersion(pick uint32, version func(*offer) []int64) bool {
	for i := range w.sinks {
		o := w.sinks[(int(pick)+i)%len(w.sinks)]
		if o.node.core == nil || o.revoked || o.node.pausedUntil > w.now || len(w.objects[o.object].last) == 0 {
			continue
		}
		before := o.published
		w.publish(o, impl.State{Version: version(o), Data: w.payload(o.node, 0), Format: formatJSON}, impl.Synchronized{Now: true})
		return o.published != before
	}
	return false
}

// storm opens and closes contracts of one exchange in no time.
func (w *World) storm(n *node, k uint32) bool {
	if n.core == nil || n.pausedUntil > w.now {
		return false
	}
	rounds := 3 + w.choose(chooseTarget2, 1, 0, k, 12)
	for i := range rounds {
		roll := w.choose(chooseTarget2, 2, int(i), k, 1<<16)
		if len(n.contracts) >= maxContracts+3 || len(n.contracts) > 0 && roll&3 == 0 {
			w.close(n, n.contracts[int(roll>>2)%len(n.contracts)])
			continue
		}
		kind := impl.ContractKind(1 + roll>>2&3)
		count := len(w.objects)
		if kind == impl.ObserveTag || kind == impl.ExposeTag {
			count = len(w.tags)
		}
		w.open(n, kind, int(roll>>4)%count, 1+roll>>12)
	}
	return true
}

// closeMidMessage cuts the newest message that is under way and loses the link.
func (w *World) closeMidMessage(child *node, direction int, detail uint32) bool {
	for i := range 2 {
		which := (direction + i) % 2
		s := child.up
		if s == nil || s.lost || s.ends[1-which].state != endAttached {
			continue
		}
		p := &s.pipes[which]
		if p.head == len(p.queue) {
			continue
		}
		last := &p.queue[len(p.queue)-1]
		if len(last.data) == 0 {
			continue
		}
		cut := int(detail>>2) % len(last.data)
		p.bytes -= len(last.data) - cut
		last.data, last.mangled = last.data[:cut], true
		s.lost = true
		for end := range s.ends {
			e := &s.ends[end]
			if e.state != endGone {
				w.push(event{time: p.lastAt + linkDelay, kind: eventDetach, session: int32(s.number), end: uint8(end), node: int16(e.node), life: int32(e.life)})
			}
		}
		return true
	}
	return false
}

// sendEmpty sends an empty message, which receivers ignore.
func (w *World) sendEmpty(child *node, which int) bool {
	s := child.up
	if s == nil || s.lost || s.ends[0].state != endAttached || s.ends[1].state != endAttached {
		return false
	}
	w.send(s, which, nil)
	return true
}

// churnBalance changes what an exchange can carry: the capacities of its
// contracts and, from its next session on, its load limit.
func (w *World) churnBalance(n *node, k uint32) bool {
	if n.core == nil || n.pausedUntil > w.now {
		return false
	}
	for i, c := range slices.Clone(n.contracts) {
		if c.kind == impl.ExposeObject || c.kind == impl.ExposeTag {
			w.input = impl.Input{Kind: impl.InputSetCapacity, Contract: c.id, Capacity: 1 + w.choose(chooseCapacity, 1, i, k, 20)}
			w.step(n)
		}
	}
	n.loadLimit = w.chooseLoadLimit(n.index, k+1)
	w.loseLink(n, lossNoticed, lossNoticed, true)
	return true
}

// chooseLoadLimit is what an exchange tells its parent from now on.
func (w *World) chooseLoadLimit(index int, ordinal uint32) []wire.LoadPoint {
	if !w.rules.loadLimits {
		return nil
	}
	shape := w.choose(chooseLoadLimit, index, 1, ordinal, 6)
	load := w.choose(chooseLoadLimit, index, 2, ordinal, 4)
	if w.rules.workload == workloadBalance {
		load /= 2
		if shape == 1 || shape == 2 {
			shape += 2 // more of those that rise
		}
	}
	if shape == 0 {
		return nil
	}
	w.marks.Hit(mark.LoadLimit)
	switch shape {
	case 1, 2:
		return []wire.LoadPoint{{Seconds: 0, Load: load}}
	case 3:
		return []wire.LoadPoint{{Seconds: 2, Load: load + 1}}
	case 4:
		return []wire.LoadPoint{{Seconds: 0.5, Load: 0}, {Seconds: 0.5, Load: load}, {Seconds: 1.5, Load: load + 2}}
	default:
		return []wire.LoadPoint{{Seconds: 0, Load: load + 2}, {Seconds: 2, Load: load}}
	}
}
