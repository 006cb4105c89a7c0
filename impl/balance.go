package impl

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"hakuban/wire"
)

// loadUnit is the load of one object on a link of capacity 1. Loads are whole
// numbers of 2^-32 so that what was added is what is taken away.
const loadUnit = 1 << 32

// shareOf is the load of one object on a link with a capacity that is not zero.
func shareOf(capacity uint64) uint64 { return loadUnit / min(capacity, loadUnit) }

// loadOf turns a load given as a number into units, saturating. What is no
// number or negative counts as the default threshold.
func loadOf(load float64) uint64 {
	if math.IsNaN(load) || load < 0 {
		load = DefaultRebalanceThreshold
	}
	if load >= 1<<31 {
		return 1 << 63
	}
	return uint64(load * loadUnit)
}

// loadLimit bounds the load of a link over time; empty: unlimited.
type loadLimit []loadPoint

type loadPoint struct {
	mono int64 // nanoseconds
	load uint64
}

// validLoadLimit reports whether a local load limit can be told to a peer, which
// is held to the same.
func validLoadLimit(points []wire.LoadPoint, most int) bool {
	return len(points) <= most && !slices.ContainsFunc(points, func(p wire.LoadPoint) bool { return p.Fault() != "" })
}

// newLoadLimit places a limit's points after the moment it was received. The
// wire refuses seconds that are not finite or are negative.
func newLoadLimit(points []wire.LoadPoint, mono int64) loadLimit {
	if len(points) == 0 {
		return nil
	}
	limit := make(loadLimit, 1, 1+len(points))
	limit[0] = loadPoint{mono: mono}
	for _, point := range points {
		at := mono + point.Nanoseconds()
		if at < mono {
			at = math.MaxInt64
		}
		limit = append(limit, loadPoint{mono: at, load: uint64(point.Load) * loadUnit})
	}
	slices.SortFunc(limit, func(a, b loadPoint) int {
		if a.mono != b.mono {
			return cmp.Compare(a.mono, b.mono)
		}
		return cmp.Compare(a.load, b.load)
	})
	return limit
}

// at is the limit at a time: linear between the points around it, the last one
// for ever. false: unlimited.
func (l loadLimit) at(mono int64) (uint64, bool) {
	if len(l) == 0 {
		return 0, false
	}
	after, _ := slices.BinarySearchFunc(l, mono, func(p loadPoint, mono int64) int {
		if p.mono <= mono {
			return -1
		}
		return 1
	})
	if after == 0 {
		return l[0].load, true
	}
	if after == len(l) {
		return l[after-1].load, true
	}
	from, to := l[after-1], l[after]
	span, past := uint64(to.mono-from.mono), uint64(mono-from.mono)
	if to.load >= from.load {
		return from.load + proportion(to.load-from.load, past, span), true
	}
	return from.load - proportion(from.load-to.load, past, span), true
}

// refusesForGood reports whether a load is above the limit, which changes no more.
func (l loadLimit) refusesForGood(load uint64, mono int64) bool {
	last := len(l) - 1
	return last >= 0 && l[last].mono <= mono && load > l[last].load
}

// proportion is n*part/whole, exactly, for part < whole.
func proportion(n, part, whole uint64) uint64 {
	high, low := bits.Mul64(n, part)
	quotient, _ := bits.Div64(high, low, whole)
	return quotient
}

// rebalances reports whether an object is to be looked at from time to time: its
// data is needed, and either objects move here and a link besides the elected one
// exposes it, or nobody is elected and some link exposes it. A load limit that
// refused the link may have risen since: in an exchange that never asked again the
// object would wait for ever.
func (x *Exchange) rebalances(o *object) bool {
	switch o.elected.Kind {
	case ElectedNobody:
		return o.dataNeeded && o.exposedBy(1)
	case ElectedLink: // whose data is needed, or else it would not be elected
		return x.config.Rebalance && o.exposedBy(2)
	}
	return false
}

// rebalance elects when nobody is, and otherwise moves an object from a link to
// one whose load with it is lower than the elected link's by more than the
// threshold.
//
// spec: Rebalance
func (x *Exchange) rebalance(o *object) {
	elected := o.elected
	switch elected.Kind {
	case ElectedNobody:
		elected = x.choice(o)
	case ElectedLink:
		if !x.config.Rebalance {
			return
		}
		best, expected := x.leastLoaded(o)
		if best != nil && best.id != elected.Link && expected+x.threshold < x.links[elected.Link].load {
			elected = Elected{Kind: ElectedLink, Link: best.id}
		}
	}
	if elected == o.elected {
		return
	}
	x.elect(o, elected)
	x.settle(o)
}
