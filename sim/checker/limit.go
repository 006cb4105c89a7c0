package checker

import (
	"cmp"
	"slices"

	"hakuban/wire"
)

// limit is what a link said that it carries at most, placed in time.
type limit []limitPoint

type limitPoint struct {
	mono int64
	load float64
}

// newLimit places what a link said at a moment.
func newLimit(points []wire.LoadPoint, mono int64) limit {
	if len(points) == 0 {
		return nil
	}
	l := limit{{mono: mono}}
	for _, p := range points {
		l = append(l, limitPoint{mono + int64(float64(p.Seconds)*1e9), float64(p.Load) * loadUnit})
	}
	slices.SortFunc(l, func(a, b limitPoint) int { return cmp.Or(cmp.Compare(a.mono, b.mono), cmp.Compare(a.load, b.load)) })
	return l
}

// at is the limit in units at a time: linear between the points, the last one
// for ever. False: unlimited. Its error is far below any share.
func (l limit) at(mono int64) (float64, bool) {
	if len(l) == 0 {
		return 0, false
	}
	from := l[0]
	for _, to := range l {
		if to.mono > mono {
			return from.load + (to.load-from.load)*float64(mono-from.mono)/float64(to.mono-from.mono), true
		}
		from = to
	}
	return from.load, true
}
