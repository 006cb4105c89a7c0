package sim

import (
	"testing"

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

// One slot is one step of rapid's state machine, so that rapid drops whole slots.
func TestRapid_WorldHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := new(mark.Set)
		w := NewWorld(&drawn{t, map[Label]uint32{}}, checker.NewSet(checker.All(), marks), marks, nil)
		w.guard(func() {
			t.Repeat(map[string]func(*rapid.T){
				"slot": func(t *rapid.T) { w.Slot() },
				"": func(t *rapid.T) {
					if v := w.Violation(); v != nil {
						t.Fatalf("%v", v)
					}
				},
			})
			w.Calm()
		})
		if v := w.Violation(); v != nil {
			t.Fatalf("%v", v)
		}
	})
}
