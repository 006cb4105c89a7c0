package sim

import (
	"math"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// workload is what the applications of a run mostly do.
type workload uint8

const (
	workloadObject   workload = iota // object contracts only
	workloadTag                      // tag contracts, and objects to be found by them
	workloadMixed                    // everything
	workloadElection                 // exposers come and go
	workloadCapacity                 // capacities change, many exposers
	workloadStorm                    // bursts
	workloadBalance                  // exposers below, long enough for loads to be balanced
	workloadCount
)

var workloadNames = [workloadCount]string{"object", "tag", "mixed", "election churn", "capacity churn", "storm", "balance"}

// String returns the workload's name.
func (k workload) String() string { return workloadNames[k] }

func (k workload) wantsTags() bool {
	return k == workloadTag || k == workloadMixed || k == workloadBalance
}

// action is what an application does in a slot.
type action uint8

const (
	actNothing action = iota
	actObserveObject
	actExposeObject
	actObserveTag
	actExposeTag
	actClose
	actPublish
	actSetCapacity
	actRelease
	actPublishRevoked
	actReopen
	actCount
)

// shares are the parts of a hundred of each action, per workload.
var shares = [workloadCount][actCount]uint32{
	workloadObject:   {actObserveObject: 14, actExposeObject: 14, actClose: 12, actPublish: 46, actSetCapacity: 4, actRelease: 4, actPublishRevoked: 3, actReopen: 3},
	workloadTag:      {actObserveObject: 10, actExposeObject: 6, actObserveTag: 12, actExposeTag: 14, actClose: 12, actPublish: 34, actSetCapacity: 4, actRelease: 3, actPublishRevoked: 2, actReopen: 3},
	workloadMixed:    {actObserveObject: 10, actExposeObject: 9, actObserveTag: 8, actExposeTag: 9, actClose: 13, actPublish: 38, actSetCapacity: 4, actRelease: 4, actPublishRevoked: 2, actReopen: 3},
	workloadElection: {actObserveObject: 8, actExposeObject: 26, actObserveTag: 3, actExposeTag: 10, actClose: 24, actPublish: 18, actSetCapacity: 2, actRelease: 4, actPublishRevoked: 2, actReopen: 3},
	workloadCapacity: {actObserveObject: 10, actExposeObject: 18, actObserveTag: 3, actExposeTag: 14, actClose: 10, actPublish: 18, actSetCapacity: 22, actRelease: 2, actPublishRevoked: 1, actReopen: 2},
	workloadBalance:  {actObserveObject: 24, actExposeObject: 16, actObserveTag: 4, actExposeTag: 24, actClose: 14, actPublish: 8, actSetCapacity: 8, actRelease: 2},
	workloadStorm:    {actObserveObject: 12, actExposeObject: 12, actObserveTag: 8, actExposeTag: 8, actClose: 20, actPublish: 30, actSetCapacity: 4, actRelease: 3, actPublishRevoked: 1, actReopen: 2},
}

// maxContracts bounds the contracts that one application holds.
const maxContracts = 5

// slot carries out the next slot of the chaos: an action, or a fault, or
// nothing.
func (w *World) slot() {
	k := uint32(w.slots)
	w.slots++
	roll := w.choose(chooseSlot, 0, 0, k, 1000)
	switch {
	case roll == 0:
	case roll < 900:
		w.act(k, w.pickAction(roll%100))
	default:
		w.fault(k)
	}
}

// slotGap is the time from a slot to the next.
func (w *World) slotGap(k uint32) int64 {
	gap := w.choose(chooseGap, 0, 0, k, 64)
	switch {
	case gap == 0:
		return millisecond
	case gap < 20 && w.rules.workload == workloadStorm:
		return microsecond
	case w.rules.workload == workloadBalance:
		return int64(gap) * 4 * millisecond
	case gap < 10:
		return 10 * microsecond
	case gap == 63:
		return second
	default:
		return int64(gap) * millisecond / 2
	}
}

func (w *World) pickAction(roll uint32) action {
	for a, share := range shares[w.rules.workload] {
		if roll < share {
			return action(a)
		}
		roll -= share
	}
	return actNothing
}

// act makes one application do something. Every action asks its choices under
// the slot's own labels, so that forgetting one slot leaves the others alone.
func (w *World) act(k uint32, a action) {
	n := w.nodes[w.choose(chooseNode, 0, 0, k, uint32(len(w.nodes)))]
	if exposes := a == actExposeObject || a == actExposeTag; exposes && w.rules.workload == workloadBalance {
		for len(n.children) > 0 {
			n = w.nodes[n.children[int(k)%len(n.children)]]
		}
	}
	if n.core == nil || n.pausedUntil > w.now {
		return
	}
	subject := int(w.choose(chooseObject, 0, 0, k, uint32(len(w.objects))))
	pick := w.choose(choosePick, 0, 0, k, 1<<16)
	if len(n.contracts) >= maxContracts && (a >= actObserveObject && a <= actExposeTag) {
		a = actClose
	}
	switch a {
	case actObserveObject:
		w.open(n, impl.ObserveObject, subject, 0)
	case actExposeObject:
		w.open(n, impl.ExposeObject, subject, w.capacity(k))
	case actObserveTag:
		w.open(n, impl.ObserveTag, subject%len(w.tags), 0)
	case actExposeTag:
		w.open(n, impl.ExposeTag, subject%len(w.tags), w.capacity(k))
	case actClose:
		if len(n.contracts) > 0 {
			w.close(n, n.contracts[int(pick)%len(n.contracts)])
		}
	case actReopen:
		if len(n.contracts) > 0 {
			c := n.contracts[int(pick)%len(n.contracts)]
			w.close(n, c)
			w.open(n, c.kind, c.subject, w.capacity(k))
			w.marks.Hit(mark.Reopened)
		}
	case actPublish:
		w.actPublish(k, pick)
	case actSetCapacity:
		w.actSetCapacity(n, k, pick)
	case actRelease:
		if len(n.offers) > 0 {
			w.release(n, n.offers[int(pick)%len(n.offers)].id)
		}
	case actPublishRevoked:
		for _, o := range n.offers {
			if o.sink && o.revoked {
				w.publish(o, impl.State{Data: w.payload(n, 0), Format: formatJSON}, impl.Synchronized{Now: true})
				w.marks.Hit(mark.PublishedRevoked)
				break
			}
		}
	}
}

// capacity is mostly small; one in forty is zero, one in forty huge. In one seed
// of eight, half are zero.
func (w *World) capacity(k uint32) uint32 {
	switch c := w.choose(chooseCapacity, 0, 0, k, 40); {
	case c == 38, c%2 == 1 && w.rules.zeros:
		w.marks.Hit(mark.CapacityZero)
		return 0
	case c == 39:
		w.marks.Hit(mark.CapacityHuge)
		return math.MaxUint32
	case w.rules.workload == workloadBalance:
		return 1 + c%4
	default:
		return 1 + c%8
	}
}

func (w *World) actSetCapacity(n *node, k, pick uint32) {
	var exposing []*contract
	for _, c := range n.contracts {
		if c.kind == impl.ExposeObject || c.kind == impl.ExposeTag {
			exposing = append(exposing, c)
		}
	}
	if len(exposing) > 0 {
		w.input = impl.Input{Kind: impl.InputSetCapacity, Contract: exposing[int(pick)%len(exposing)].id, Capacity: w.capacity(k)}
		w.step(n)
	}
}

// actPublish publishes on any taken sink of the world.
func (w *World) actPublish(k, pick uint32) {
	if len(w.sinks) == 0 {
		return
	}
	o := w.sinks[int(pick)%len(w.sinks)]
	if o.node.core == nil || o.node.pausedUntil > w.now || o.revoked {
		return
	}
	state := impl.State{Data: w.payload(o.node, w.choose(chooseSize2, 0, 0, k, 40)), Format: formatJSON}
	switch w.choose(chooseFormat, 0, 0, k, 20) {
	case 18:
		state.Format = []string{"JSON", "X"}
	case 19:
		state.Format = []string{}
	}
	synchronized := impl.Synchronized{Now: true}
	if w.choose(chooseFlag, 0, 0, k, 8) == 7 {
		synchronized = impl.Synchronized{Mono: w.clock(o.node).Mono - int64(w.choose(chooseFlag, 1, 0, k, 1000))*millisecond}
		w.marks.Hit(mark.PublishedLastAt)
	}
	last := w.objects[o.object].last
	switch w.choose(chooseVersion, 0, 0, k, 24) {
	case 15, 16, 17: // the newest there is, again: it may be hollow here
		if w.rules.limits == limitsTight {
			state.Version = slices.Clone(last)
		}
	case 18: // a little above the newest there is
		state.Version = bumped(last)
	case 19:
		state.Version = append(slices.Clone(last), 0)
	case 20: // an old one
		state.Version = []int64{0, 1}
	case 21:
		wall := w.clock(o.node).Wall
		state.Version = []int64{0, wall / second, wall % second}
	case 22: // again what was sent last here
		if o.published != nil {
			state = *o.published
		}
	case 23:
		state.Version = []int64{-1, int64(k)}
		w.marks.Hit(mark.NegativeVersion)
	}
	if len(state.Version) > 0 {
		w.marks.Hit(mark.ExplicitVersion)
	}
	w.publish(o, state, synchronized)
}

// bumped is a version a little above another.
func bumped(version []int64) []int64 {
	next := slices.Clone(version)
	if len(next) == 0 {
		return []int64{0, 0, 1}
	}
	if last := &next[len(next)-1]; *last < math.MaxInt64 {
		*last++
		return next
	}
	return append(next, 0)
}
