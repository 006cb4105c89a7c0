package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
)

// Intake: what an exchange holds changes by what a step brought, and only that:
// a state received is taken from a channel of that link that is open and in
// force, one published from the sink of that offer.
type Intake struct{ base }

// Name implements [Checker].
func (*Intake) Name() string { return "intake" }

// Look implements [Looker].
func (c *Intake) Look(l *Look) error {
	if l.Before == nil || l.Input == nil {
		return nil
	}
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		if o.State == nil {
			continue
		}
		if b := findObject(l.Before, o.Number); b != nil && b.State != nil && slices.Equal(b.State.Version, o.State.Version) {
			continue
		}
		carries := false
		switch l.Input.Kind {
		case impl.InputReceive:
			for k := range o.Links {
				link := &o.Links[k]
				carries = carries || link.Link == l.Input.Link && !link.Revoked && slices.Equal(link.Sink.Version, o.State.Version)
			}
			for k := range o.Sources {
				carries = carries || l.Input.Link == l.Snapshot.Upstream && slices.Equal(o.Sources[k].Version, o.State.Version)
			}
		case impl.InputPublish:
			for k := range l.Snapshot.Contracts {
				for _, offer := range l.Snapshot.Contracts[k].Offers {
					carries = carries || offer.Offer == l.Input.Offer && !offer.Revoked && slices.Equal(offer.Version, o.State.Version)
				}
			}
		}
		if !carries {
			return fmt.Errorf("object %s took version %v, which no channel or sink in force brought", o.Descriptor.Key, o.State.Version)
		}
	}
	return nil
}
