package checker

import (
	"fmt"

	"hakuban/impl"
)

// Loads: the load of a link is the sum of the shares it was elected with, and
// only an elected link has a share. Capacities are the sums of what was asked.
type Loads struct{ base }

// Name implements [Checker].
func (*Loads) Name() string { return "loads conserved" }

// Look implements [Looker].
func (c *Loads) Look(l *Look) error {
	var sums [64]uint64
	links := l.Snapshot.Links
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		var capacity uint64
		for k := range o.Links {
			link := &o.Links[k]
			capacity += uint64(link.Capacity)
			if link.Share != 0 != wantsSink(o, link) {
				return fmt.Errorf("object %s, link %d: share is %d, elected is %v", o.Descriptor.Key, link.Link, link.Share, o.Elected)
			}
			for n := range links {
				if links[n].Link == link.Link && n < len(sums) {
					sums[n] += link.Share
				}
			}
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
	for n := range links {
		if n < len(sums) && links[n].Load != sums[n] {
			return fmt.Errorf("link %d: load is %d, its shares are %d", links[n].Link, links[n].Load, sums[n])
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
