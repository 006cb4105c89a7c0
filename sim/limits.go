package sim

import (
	"errors"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// A world has the default limits, which nothing in it meets, or generous ones,
// which little meets, or tight ones. Mostly all exchanges have the same; in some
// worlds each has its own, so that an upstream may allow less than those below it
// think.

// chooseLimitClass decides which limits a world has.
func (w *World) chooseLimitClass() {
	switch class := w.choose(chooseLimits, 0, 0, 0, 8); {
	case class < 5:
		return
	case class == 5:
		w.rules.limits = limitsGenerous
		w.marks.Hit(mark.LimitsGenerous)
	default:
		w.rules.limits = limitsTight
		w.marks.Hit(mark.LimitsTight)
	}
	w.rules.halves = w.rules.limits == limitsTight && w.choose(chooseLimits, 7, 0, 0, 2) != 0
	w.rules.ownLimits = w.choose(chooseLimits, 1, 0, 0, 5) == 4
}

// limitClass says how narrow a world's limits are.
type limitClass uint8

const (
	limitsDefault limitClass = iota
	limitsGenerous
	limitsTight
)

// limitsOf are the limits of one exchange.
func (w *World) limitsOf(index int) impl.Limits {
	if w.rules.limits == limitsDefault {
		return impl.Limits{}
	}
	if !w.rules.ownLimits {
		index = 0
	}
	objects, bytes := w.choose(chooseLimits, 2, index, 0, 8), w.choose(chooseLimits, 3, index, 0, 8)
	if w.rules.limits == limitsGenerous {
		return impl.Limits{LinkObjects: int(10 + 2*objects), LinkBytes: int(20_000 + 4000*bytes)}
	}
	return impl.Limits{LinkObjects: int(3 + objects), LinkBytes: [...]int{6000, 6400, 7000, 7600, 8400, 10_000, 14_000, 30_000}[bytes]}
}

// limited reports whether a core refused what was asked of it, or ended a link,
// because of a limit that may be met in this world.
func (w *World) limited(err error) bool {
	return w.rules.limits != limitsDefault && errors.Is(err, impl.ErrTooLarge)
}

// refused reports whether the step that was just made was refused for a limit.
func (w *World) refused() bool {
	return slices.ContainsFunc(w.current.Effects, func(e impl.Effect) bool { return e.Kind == impl.EffectRefused && w.limited(e.Err) })
}

// heed has the applications at and below an exchange ask for less, after its link
// was ended or refused because of a limit. In the chaos one in two does not.
func (w *World) heed(n *node) {
	n.heeds++
	n.heeding = true
	if w.calm || w.choose(chooseLimits, 4, n.index, n.heeds, 2) != 0 {
		w.push(event{time: w.now + w.appDelay(n), kind: eventHeed, node: int16(n.index), life: int32(n.life)})
	}
}

// askLess closes the oldest contract of the exchange at or below this one that
// has most of them.
func (w *World) askLess(n *node) {
	most := n
	for _, at := range w.nodes {
		if at.core != nil && at.pausedUntil <= w.now && len(at.contracts) > len(most.contracts) && w.isBelow(at, n) {
			most = at
		}
	}
	if len(most.contracts) > 0 && most.core != nil {
		w.marks.Hit(mark.LimitHeeded)
		w.close(most, most.contracts[0])
	}
}

// isBelow reports whether an exchange is another one or is downstream of it.
func (w *World) isBelow(n, other *node) bool {
	for n != other {
		if n.parent < 0 {
			return false
		}
		n = w.nodes[n.parent]
	}
	return true
}
