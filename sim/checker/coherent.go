package checker

import (
	"fmt"

	"hakuban/impl"
)

// Coherent: equal versions seen anywhere have equal data, unless two states
// were published under that version.
type Coherent struct {
	base
	seen map[coherentKey]uint64
}

type coherentKey struct {
	object  *Object
	version uint64
}

// Name implements [Checker].
func (*Coherent) Name() string { return "coherent" }

// Step implements [Stepper].
func (c *Coherent) Step(s *Step) error {
	if s.Input.Kind != impl.InputRead || s.Answer == nil || s.Answer.Kind != impl.EffectState || s.Offer == nil || s.Answer.State == nil {
		return nil
	}
	if c.seen == nil {
		c.seen = map[coherentKey]uint64{}
	}
	key := coherentKey{s.Object, hashVersion(s.Answer.State.Version)}
	hash := hashState(s.Answer.State)
	first, ok := c.seen[key]
	if !ok {
		c.seen[key] = hash
		return nil
	}
	if p := s.Object.find(s.Answer.State.Version); first != hash && (p == nil || len(p.Data) < 2) {
		return fmt.Errorf("object %s shows version %v with data %q, elsewhere it was other data", s.Offer.Key, s.Answer.State.Version, s.Answer.State.Data)
	}
	return nil
}
