package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
)

// Channels: a link that is owed nothing has exactly the channels it should
// have, and its stream carries the newest state and flag. At most one sink is
// open that is not being revoked, and it is the elected link's.
type Channels struct{ base }

// Name implements [Checker].
func (*Channels) Name() string { return "channels" }

// Look implements [Looker].
func (c *Channels) Look(l *Look) error {
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		for k := range o.Links {
			if err := c.link(l, o, &o.Links[k]); err != nil {
				return fmt.Errorf("object %s, link %d: %w", o.Descriptor.Key, o.Links[k].Link, err)
			}
		}
		up := upstream(l)
		for k := range o.Outlets {
			if up != nil && up.Drained && !carries(&o.Outlets[k], o) {
				return fmt.Errorf("object %s, outlet %d: upstream is owed nothing, but was sent version %v, flag %v; held is %v, %v", o.Descriptor.Key,
					o.Outlets[k].Number, o.Outlets[k].Version, o.Outlets[k].Synchronized, versionOf(o.State), o.Synchronized)
			}
		}
	}
	return nil
}

func (c *Channels) link(l *Look, o *impl.ObjectSnapshot, link *impl.ObjectLinkSnapshot) error {
	if link.Sink.Number != 0 && !wantsSink(o, link) && !link.Revoked {
		return fmt.Errorf("its sink is open and in force, but elected is %v", o.Elected)
	}
	if o.State == nil && link.Stream.Version != nil {
		return fmt.Errorf("its stream carries version %v, which is no longer held: nothing would correct its flag", link.Stream.Version)
	}
	at := attached(l, link.Link)
	if at == nil || !at.Drained {
		return nil
	}
	if open, want := link.Sink.Number != 0, wantsSink(o, link); open != want || link.Revoked {
		return fmt.Errorf("it is owed nothing; its sink is open: %t (revoked: %t), should be: %t", open, link.Revoked, want)
	}
	if open, want := link.Stream.Number != 0, wantsStream(o, link); open != want {
		return fmt.Errorf("it is owed nothing; its stream is open: %t, should be: %t", open, want)
	}
	if link.Stream.Number != 0 && !carries(&link.Stream, o) {
		return fmt.Errorf("it is owed nothing; its stream was sent version %v, flag %v; held is %v, %v",
			link.Stream.Version, link.Stream.Synchronized, versionOf(o.State), o.Synchronized)
	}
	return nil
}

// carries reports whether a channel was sent what the object holds. Where a limit
// left no room for that, it must say that what it carries is not current.
func carries(c *impl.ChannelSnapshot, o *impl.ObjectSnapshot) bool {
	switch {
	case o.State == nil:
		return true
	case slices.Equal(c.Version, o.State.Version):
		return c.Synchronized == o.Synchronized
	}
	return (o.Hollow || c.Withheld) && !c.Synchronized.Now
}
