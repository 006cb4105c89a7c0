package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Lifetime: an object is live, and its data needed, exactly when the rules say
// so from who asks for it; data that is not needed is kept only while current or while a
// stream to a link below is still open;
// an object that nothing refers to is gone.
type Lifetime struct{ base }

// Name implements [Checker].
func (*Lifetime) Name() string { return "lifetime" }

// Look implements [Looker].
func (c *Lifetime) Look(l *Look) error {
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		if want := shouldExist(o); o.ShouldExist != want {
			return fmt.Errorf("object %s should exist: %t, the exchange holds %t", o.Descriptor.Key, want, o.ShouldExist)
		}
		if want := dataNeeded(o); o.DataNeeded != want {
			return fmt.Errorf("object %s, data needed: %t, the exchange holds %t", o.Descriptor.Key, want, o.DataNeeded)
		}
		if !o.DataNeeded {
			c.ledger.marks.Hit(mark.NotNeeded)
			streams := slices.ContainsFunc(o.Links, func(l impl.ObjectLinkSnapshot) bool { return l.Stream.Number != 0 })
			if o.State != nil && !o.Synchronized.Now && !streams {
				return fmt.Errorf("object %s keeps version %v, which is neither needed nor current", o.Descriptor.Key, o.State.Version)
			}
		}
		if o.State != nil && o.Elected.Kind == impl.ElectedNobody {
			c.ledger.marks.Hit(mark.HeldWithoutExposer)
		}
		if len(o.Sources) > 0 && o.ObjectObserveContracts+o.ObjectExposeContracts == 0 && len(o.Links) == 0 {
			c.ledger.marks.Hit(mark.TagOnlyObject)
		}
		if l.AtRest && !o.ShouldExist {
			return fmt.Errorf("object %s is kept though it should not exist and nothing is under way", o.Descriptor.Key)
		}
		if err := c.contracts(l, o); err != nil {
			return err
		}
	}
	return nil
}

// contracts recounts the local contracts on an object.
func (c *Lifetime) contracts(l *Look, o *impl.ObjectSnapshot) error {
	var counts [impl.ExposeTag + 1]int
	for i := range l.Snapshot.Contracts {
		if k := &l.Snapshot.Contracts[i]; covers(k, o) {
			counts[k.Kind]++
		}
	}
	if counts[impl.ObserveObject] != o.ObjectObserveContracts || counts[impl.ExposeObject] != o.ObjectExposeContracts ||
		counts[impl.ObserveTag] != o.TagObserveContracts || counts[impl.ExposeTag] != o.TagExposeContracts {
		return fmt.Errorf("object %s counts %d, %d, %d, %d local contracts, there are %v", o.Descriptor.Key, o.ObjectObserveContracts,
			o.ObjectExposeContracts, o.TagObserveContracts, o.TagExposeContracts, counts[1:])
	}
	return nil
}
