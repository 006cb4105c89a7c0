package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
)

// Linearizable: a read shows the newest state that was published anywhere
// before it. This does NOT hold, and is not in [All]: states travel. It is here
// to show that the checkers can tell.
type Linearizable struct{ base }

// Name implements [Checker].
func (*Linearizable) Name() string { return "propagated reads are linearizable" }

// Step implements [Stepper].
func (c *Linearizable) Step(s *Step) error {
	if s.Input.Kind != impl.InputRead || s.Answer == nil || s.Answer.Kind != impl.EffectState || s.Offer == nil {
		return nil
	}
	newest := c.ledger.object(s.Offer.Key).Newest
	if newest != nil && (s.Answer.State == nil || slices.Compare(s.Answer.State.Version, newest) < 0) {
		return fmt.Errorf("object %s shows version %v, published was %v", s.Offer.Key, versionOf(s.Answer.State), newest)
	}
	return nil
}
