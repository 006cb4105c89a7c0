package impl

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hakuban/wire"
)

// version draws versions that crowd around what matters: the greatest integer, equal prefixes, different lengths.
func version() *rapid.Generator[[]int64] {
	element := rapid.OneOf(rapid.SampledFrom([]int64{math.MinInt64, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}), rapid.Int64())
	return rapid.SliceOfN(element, 0, 5)
}

func TestProperty_VersionsAreTotallyOrderedAndEachHasASuccessor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version().Draw(t, "a"), version().Draw(t, "b"), version().Draw(t, "c")
		if slices.Compare(a, b) != -slices.Compare(b, a) {
			t.Fatal("not antisymmetric")
		}
		if slices.Compare(a, b) <= 0 && slices.Compare(b, c) <= 0 && slices.Compare(a, c) > 0 {
			t.Fatal("not transitive")
		}
		if next := Successor(a); slices.Compare(next, a) <= 0 || slices.Compare(a, b) > 0 && slices.Compare(next, b) <= 0 {
			t.Fatalf("successor %v", next)
		}
	})
}

func TestProperty_LoadLimitIsLinearBetweenItsPointsAndTheLastForEver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wire.LoadPoint {
			return wire.LoadPoint{Seconds: rapid.Float32Range(0, 1e6).Draw(t, "seconds"), Load: rapid.Uint32().Draw(t, "load")}
		}), 1, 6).Draw(t, "points")
		start := rapid.Int64Range(0, 1<<60).Draw(t, "start")
		limit := newLoadLimit(points, start)
		for _, after := range rapid.SliceOfN(rapid.Int64Range(0, 2e15), 1, 20).Draw(t, "after") {
			got, limited := limit.at(start + after)
			if !limited {
				t.Fatal("not limited")
			}
			next, _ := slices.BinarySearchFunc(limit, start+after, func(p loadPoint, mono int64) int {
				if p.mono <= mono {
					return -1
				}
				return 1
			})
			from, to := limit[next-1], limit[min(next, len(limit)-1)]
			want := new(big.Int).SetUint64(from.load)
			if span := to.mono - from.mono; span > 0 {
				// Quo cuts towards the point before, as the limit does.
				slope := new(big.Int).Sub(new(big.Int).SetUint64(to.load), want)
				slope.Mul(slope, big.NewInt(start+after-from.mono))
				want.Add(want, slope.Quo(slope, big.NewInt(span)))
			}
			if !want.IsUint64() || got != want.Uint64() {
				t.Fatalf("%d ns after: %d, want %v on the line from %d to %d", after, got, want, from.load, to.load)
			}
		}
	})
}
