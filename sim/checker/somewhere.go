package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
)

// Somewhere: every state that is seen or held was published for that object,
// with that version, data and format.
type Somewhere struct{ base }

// Name implements [Checker].
func (*Somewhere) Name() string { return "state from somewhere" }

// Step implements [Stepper].
func (c *Somewhere) Step(s *Step) error {
	if s.Input.Kind != impl.InputRead || s.Answer == nil || s.Answer.Kind != impl.EffectState || s.Offer == nil || s.Answer.State == nil {
		return nil
	}
	return c.state(s.Offer.Key, s.Answer.State)
}

// Look implements [Looker].
func (c *Somewhere) Look(l *Look) error {
	for i := range l.Snapshot.Objects {
		if o := &l.Snapshot.Objects[i]; o.State != nil {
			if err := c.held(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// held checks what an exchange holds: of a hollow state there is no more than the version.
func (c *Somewhere) held(o *impl.ObjectSnapshot) error {
	if !o.Hollow {
		return c.state(o.Descriptor.Key, o.State)
	}
	if len(o.State.Data)+len(o.State.Format) > 0 || c.ledger.object(o.Descriptor.Key).find(o.State.Version) == nil {
		return fmt.Errorf("object %s holds a hollow state of version %v, with %d bytes, or which nobody published", o.Descriptor.Key, o.State.Version, len(o.State.Data))
	}
	return nil
}

func (c *Somewhere) state(key string, state *impl.State) error {
	p := c.ledger.object(key).find(state.Version)
	if p == nil {
		return fmt.Errorf("object %s shows version %v, which nobody published", key, state.Version)
	}
	if !slices.Contains(p.Data, hashState(state)) {
		return fmt.Errorf("object %s shows under version %v data or a format that nobody published: %q, %q", key, state.Version, state.Data, state.Format)
	}
	return nil
}
