package checker

import (
	"fmt"

	"hakuban/impl"
)

// Agreement: at rest, both ends of a link believe the same: what the child asks
// for, and which channels are open with which state.
type Agreement struct{ base }

// Name implements [Checker].
func (*Agreement) Name() string { return "agreement" }

// Quiet implements [Quieter].
func (c *Agreement) Quiet(q *Quiet) (int, error) {
	for i := range q.Exchanges {
		child := &q.Exchanges[i]
		up := upstream(child)
		if up == nil {
			if i > 0 {
				return i, fmt.Errorf("at rest without upstream")
			}
			continue
		}
		parent := &q.Exchanges[up.Peer]
		if err := c.contracts(child, parent, up); err != nil {
			return i, err
		}
		if err := c.greeting(i, snapshotOf(parent.Snapshot, up.PeerLink)); err != nil {
			return i, err
		}
		if err := c.channels(child, parent, up); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// greeting compares the name and the load limit. At rest a limit is at its last
// point.
func (c *Agreement) greeting(child int, link *impl.LinkSnapshot) error {
	live := &c.ledger.lives[child]
	if link == nil || !link.HasName || link.RemoteName != live.name {
		return fmt.Errorf("the parent does not know its name, %q", live.name)
	}
	if link.HasLoadLimit != (len(live.limit) > 0) {
		return fmt.Errorf("the parent knows a load limit: %t, it was told %v", link.HasLoadLimit, live.limit)
	}
	if n := len(live.limit); n > 0 && link.LoadLimit != float64(live.limit[n-1].Load) {
		return fmt.Errorf("the parent holds it to a load of %g, it was told %v", link.LoadLimit, live.limit)
	}
	return nil
}

// contracts compares what the child told with what the parent holds.
func (c *Agreement) contracts(child, parent *Look, up *Attached) error {
	told := snapshotOf(child.Snapshot, up.Link).Told
	count := 0
	for i := range told {
		t := &told[i]
		var observes, exposes bool
		var capacity uint32
		if t.Tag {
			for k := range parent.Snapshot.Tags {
				if tag := &parent.Snapshot.Tags[k]; tag.JSON == t.Descriptor.JSON {
					for _, link := range tag.Links {
						if link.Link == up.PeerLink {
							observes, exposes, capacity = link.Observes, link.Exposes, link.Capacity
						}
					}
				}
			}
		} else if o := objectByKey(parent.Snapshot, t.Descriptor.Key); o != nil {
			if link := linkOf(o, up.PeerLink); link != nil {
				observes, exposes, capacity = link.Observes, link.Exposes, link.Capacity
			}
			count++
		}
		if observes != t.Observes || exposes != t.Exposes || capacity != t.Capacity {
			return fmt.Errorf("parent %d was told of %s%s: %t, %t, %d; it holds %t, %t, %d", parent.Exchange, t.Descriptor.Key, t.Descriptor.JSON,
				t.Observes, t.Exposes, t.Capacity, observes, exposes, capacity)
		}
	}
	held := 0
	for i := range parent.Snapshot.Objects {
		if link := linkOf(&parent.Snapshot.Objects[i], up.PeerLink); link != nil && (link.Observes || link.Exposes) {
			held++
		}
	}
	if held != count {
		return fmt.Errorf("parent %d was told of %d objects and holds %d", parent.Exchange, count, held)
	}
	return nil
}

// channels compares the state channels of a link at both ends.
func (c *Agreement) channels(child, parent *Look, up *Attached) error {
	for i := range parent.Snapshot.Objects {
		o := &parent.Snapshot.Objects[i]
		link := linkOf(o, up.PeerLink)
		if link == nil {
			continue
		}
		below := objectByKey(child.Snapshot, o.Descriptor.Key)
		if below == nil {
			if link.Sink.Number != 0 || link.Stream.Number != 0 {
				return fmt.Errorf("parent %d has channels for object %s, which is unknown here", parent.Exchange, o.Descriptor.Key)
			}
			continue
		}
		if err := sameEnds("sink", &link.Sink, below.Outlets); err != nil {
			return fmt.Errorf("object %s: %w", o.Descriptor.Key, err)
		}
		if err := sameEnds("stream", &link.Stream, below.Sources); err != nil {
			return fmt.Errorf("object %s: %w", o.Descriptor.Key, err)
		}
	}
	return nil
}

func sameEnds(what string, above *impl.ChannelSnapshot, below []impl.ChannelSnapshot) error {
	switch {
	case above.Number == 0 && len(below) == 0:
		return nil
	case above.Number == 0 || len(below) != 1 || below[0].Number != above.Number:
		return fmt.Errorf("the parent's %s is channel %d, the child has %v", what, above.Number, below)
	case hashVersion(above.Version) != hashVersion(below[0].Version) || above.Synchronized.Now != below[0].Synchronized.Now:
		return fmt.Errorf("%s channel %d: the parent saw version %v, now %t, the child %v, now %t", what, above.Number,
			above.Version, above.Synchronized.Now, below[0].Version, below[0].Synchronized.Now)
	}
	return nil
}
