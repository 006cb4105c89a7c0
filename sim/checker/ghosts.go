package checker

import "fmt"

// Ghosts: an exchange knows exactly the sessions that are attached to it, and
// nothing in it belongs to another one.
type Ghosts struct{ base }

// Name implements [Checker].
func (*Ghosts) Name() string { return "no ghosts" }

// Look implements [Looker].
func (c *Ghosts) Look(l *Look) error {
	if len(l.Snapshot.Links) != len(l.Attached) {
		return fmt.Errorf("%d links are known, %d are attached", len(l.Snapshot.Links), len(l.Attached))
	}
	for i := range l.Snapshot.Links {
		if attached(l, l.Snapshot.Links[i].Link) == nil {
			return fmt.Errorf("link %d is known and not attached", l.Snapshot.Links[i].Link)
		}
	}
	up := upstream(l)
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		for k := range o.Links {
			if at := attached(l, o.Links[k].Link); at == nil || at.Upstream {
				return fmt.Errorf("object %s has link %d, which is not attached below", o.Descriptor.Key, o.Links[k].Link)
			}
		}
		if up == nil && len(o.Sources)+len(o.Outlets) > 0 {
			return fmt.Errorf("object %s has channels with upstream, which is not attached", o.Descriptor.Key)
		}
	}
	for i := range l.Snapshot.Tags {
		for _, link := range l.Snapshot.Tags[i].Links {
			if attached(l, link.Link) == nil {
				return fmt.Errorf("tag %s has link %d, which is not attached", l.Snapshot.Tags[i].JSON, link.Link)
			}
		}
	}
	if l.AtRest {
		for _, at := range l.Attached {
			if !at.Current || at.PeerLink == 0 || !at.Drained {
				return fmt.Errorf("at rest, link %d to exchange %d is carried: %t, its other end attached: %t, owed nothing: %t",
					at.Link, at.Peer, at.Current, at.PeerLink != 0, at.Drained)
			}
		}
	}
	return nil
}
