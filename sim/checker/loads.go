package checker

import (
	"fmt"
	"math"

	"hakuban/impl"
)

// Loads: the load of a link is the sum of the shares it was elected with, only
// an elected link has a share, and a load limit is what the link said. Capacities
// are the sums of what was asked.
type Loads struct {
	base
	sums loads
}

// Name implements [Checker].
func (*Loads) Name() string { return "loads conserved" }

// Glance implements [Glancer].
func (c *Loads) Glance(l *Look) error {
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		for k := range o.Links {
			if link := &o.Links[k]; link.Share != 0 != wantsSink(o, link) {
				return fmt.Errorf("object %s, link %d: share is %d, elected is %v", o.Descriptor.Key, link.Link, link.Share, o.Elected)
			}
		}
	}
	c.sums.of(l.Snapshot)
	for i := range l.Snapshot.Links {
		link := &l.Snapshot.Links[i]
		if sum := c.sums[link.Link]; link.Load != sum {
			return fmt.Errorf("link %d: load is %d, its shares are %d", link.Link, link.Load, sum)
		}
		limit, limited := c.ledger.limit(l, link.Link)
		if limit /= loadUnit; link.HasLoadLimit != limited || math.Abs(link.LoadLimit-limit) > 1e-6 {
			return fmt.Errorf("link %d: its load limit is held to be %g (there is one: %t), by what it said it is %g (%t)",
				link.Link, link.LoadLimit, link.HasLoadLimit, limit, limited)
		}
	}
	return nil
}

// Look implements [Looker].
func (c *Loads) Look(l *Look) error {
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		var capacity uint64
		for k := range o.Links {
			capacity += uint64(o.Links[k].Capacity)
		}
		for k := range l.Snapshot.Contracts {
			if contract := &l.Snapshot.Contracts[k]; contract.Kind == impl.ExposeObject && contract.Descriptor.Key == o.Descriptor.Key {
				capacity += uint64(contract.Capacity)
			}
		}
		if capacity != o.Capacity {
			return fmt.Errorf("object %s: capacity is %d, asked for were %d", o.Descriptor.Key, o.Capacity, capacity)
		}
	}
	return c.tags(l.Snapshot)
}

func (c *Loads) tags(s *impl.Snapshot) error {
	for i := range s.Tags {
		t := &s.Tags[i]
		var capacity uint64
		for k := range t.Links {
			capacity += uint64(t.Links[k].Capacity)
		}
		observers, exposers := 0, 0
		for k := range s.Contracts {
			contract := &s.Contracts[k]
			if contract.Descriptor.JSON != t.JSON {
				continue
			}
			switch contract.Kind {
			case impl.ObserveTag:
				observers++
			case impl.ExposeTag:
				exposers++
				capacity += uint64(contract.Capacity)
			}
		}
		if capacity != t.Capacity || observers != t.ObserveContracts || exposers != t.ExposeContracts {
			return fmt.Errorf("tag %s: capacity %d, %d observers, %d exposers; asked for were %d, %d, %d",
				t.JSON, t.Capacity, t.ObserveContracts, t.ExposeContracts, capacity, observers, exposers)
		}
	}
	return nil
}

// loadUnit is the load of one object on a link of capacity 1.
const loadUnit = 1 << 32

// shareOf is the load of one object on a link with a capacity that is not zero.
func shareOf(l *impl.ObjectLinkSnapshot) uint64 { return loadUnit / min(capacityOf(l), loadUnit) }

// loads are the loads of links: the sums of the shares that they were elected
// with.
type loads map[impl.LinkID]uint64

// of recomputes them from a snapshot's objects.
func (l *loads) of(s *impl.Snapshot) {
	if *l == nil {
		*l = loads{}
	}
	clear(*l)
	for i := range s.Objects {
		l.move(&none, &s.Objects[i])
	}
}

// move takes away what an object's election put on a link, and adds what it puts
// there now.
func (l *loads) move(was, is *impl.ObjectSnapshot) {
	if link := linkOf(was, was.Elected.Link); link != nil {
		(*l)[link.Link] -= link.Share
	}
	if link := linkOf(is, is.Elected.Link); link != nil {
		(*l)[link.Link] += link.Share
	}
}
