package sim

import (
	"flag"
	"testing"

	"hakuban/internal/race"
	"hakuban/sim/checker"
	"hakuban/sim/mark"

	"pgregory.net/rapid"
)

// drawn is a source that asks rapid, so that rapid shrinks what fails. It
// answers a label that is asked twice as it did at first.
type drawn struct {
	t    *rapid.T
	said map[Label]uint32
}

func (d *drawn) Choose(label Label, n uint32) uint32 {
	if n == 1 {
		return 0
	}
	value, ok := d.said[label]
	if !ok {
		value = rapid.Uint32Range(0, n-1).Draw(d.t, label.Kind.String())
		d.said[label] = value
	}
	return value % n
}

// walk lets rapid choose a run. One slot is one step of rapid's state machine, so
// that rapid drops whole slots.
func walk(t *rapid.T, checkers []checker.Checker) *World {
	marks := new(mark.Set)
	w := NewWorld(&drawn{t, map[Label]uint32{}}, checker.NewSet(checkers, marks), marks, nil)
	w.guard(func() {
		t.Repeat(map[string]func(*rapid.T){
			"slot": func(*rapid.T) {
				if w.Violation() == nil {
					w.Slot()
				}
			},
		})
		w.Calm()
	})
	return w
}

func TestRapid_WorldHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if v := walk(t, checker.All()).Violation(); v != nil {
			t.Fatalf("%v", v)
		}
	})
}

// refuted is a test that rapid may fail.
type refuted struct {
	*testing.T
	failed bool
}

func (r *refuted) Log(...any)            {}
func (r *refuted) Logf(string, ...any)   {}
func (r *refuted) Errorf(string, ...any) { r.failed = true }
func (r *refuted) Failed() bool          { return r.failed }
func (r *refuted) FailNow()              {}

func TestRapid_ShrinksToFewEvents(t *testing.T) {
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.shrinktime": "3s", "rapid.nofailfile": "true"} {
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, before) })
	}
	claim := &refuted{T: t}
	var failures []int // events of each run that fails, the last one shrunk
	rapid.Check(claim, func(t *rapid.T) {
		w := walk(t, []checker.Checker{&checker.Linearizable{}})
		if v := w.Violation(); v != nil {
			failures = append(failures, w.actions)
			t.Fatalf("%v", v)
		}
	})
	if !claim.failed {
		t.Fatal("reads are linearizable; one of the checkers, or the network, does nothing")
	}
	first, last := failures[0], failures[len(failures)-1]
	t.Logf("%d failing runs: from %d events to %d", len(failures), first, last)
	if last >= first || last > 10 && !race.Enabled { // the detector leaves too little of the time
		t.Errorf("shrunk from %d events to %d, expected fewer, and at most 10", first, last)
	}
}
