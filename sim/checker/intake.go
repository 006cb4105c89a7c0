package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/wire"
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
			carries = received(l, o.Number, o.State.Version)
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

// received reports whether a message has a state of a version, on a channel of the object that is open and in force, or was when the
// message ended the link. Of several states in one message any may be the one that is held: an older one may follow, or one for which the
// link ends.
func received(l *Look, object uint64, version []int64) bool {
	event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits)
	s := l.Snapshot
	if !slices.ContainsFunc(s.Links, func(k impl.LinkSnapshot) bool { return k.Link == l.Input.Link }) {
		s = l.Before
	}
	o := findObject(s, object)
	if err != nil || o == nil {
		return false
	}
	open := false
	for i := range o.Links {
		link := &o.Links[i]
		open = open || link.Link == l.Input.Link && !link.Revoked && link.Sink.Number == event.Channel.Number
	}
	for i := range o.Sources {
		open = open || l.Input.Link == s.Upstream && o.Sources[i].Number == event.Channel.Number
	}
	return open && slices.ContainsFunc(event.Message.States, func(a wire.StateAction) bool {
		return a.Kind == wire.StatePatch && slices.Equal(a.Version, version)
	})
}
