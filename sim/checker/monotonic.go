package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Monotonic: versions never go back at an observer, and what was seen is never
// taken away while the stream lives.
type Monotonic struct {
	base
}

// Name implements [Checker].
func (*Monotonic) Name() string { return "monotonic" }

// Step implements [Stepper].
func (c *Monotonic) Step(s *Step) error {
	if s.Input.Kind != impl.InputRead || s.Answer == nil || s.Answer.Kind != impl.EffectState || s.Offer == nil || s.Offer.Seen == nil {
		return nil
	}
	state := s.Answer.State
	if state == nil {
		return fmt.Errorf("stream %d of object %s shows nothing after version %v", s.Offer.ID, s.Offer.Key, s.Offer.Seen.Version)
	}
	order := slices.Compare(state.Version, s.Offer.Seen.Version)
	if order < 0 {
		return fmt.Errorf("stream %d of object %s shows version %v after %v", s.Offer.ID, s.Offer.Key, state.Version, s.Offer.Seen.Version)
	}
	if order > 0 {
		c.ledger.marks.Hit(mark.ReadSkipped)
	}
	return nil
}

// Look implements [Looker]: within one step the version held does not go back
// unless data is no longer needed.
func (c *Monotonic) Look(l *Look) error {
	if l.Before == nil {
		return nil
	}
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		b := findObject(l.Before, o.Number)
		if b == nil || b.State == nil || !o.DataNeeded || !b.DataNeeded {
			continue
		}
		if o.State == nil || slices.Compare(o.State.Version, b.State.Version) < 0 {
			return fmt.Errorf("object %s went back from version %v to %v", o.Descriptor.Key, b.State.Version, versionOf(o.State))
		}
		if slices.Equal(o.State.Version, b.State.Version) && !slices.Equal(o.State.Data, b.State.Data) && !o.Hollow && !b.Hollow {
			return fmt.Errorf("object %s changed the data of version %v", o.Descriptor.Key, o.State.Version)
		}
	}
	return nil
}

func findObject(s *impl.Snapshot, number uint64) *impl.ObjectSnapshot {
	for i := range s.Objects {
		if s.Objects[i].Number == number {
			return &s.Objects[i]
		}
	}
	return nil
}

func versionOf(state *impl.State) any {
	if state == nil {
		return "none"
	}
	return state.Version
}
