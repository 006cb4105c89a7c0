package checker

import (
	"slices"

	"hakuban/impl"
)

// The rules of docs/spec-map.md, computed from a snapshot.

func observes(l *impl.ObjectLinkSnapshot) bool { return l.Observes || l.TagObserves > 0 }
func exposes(l *impl.ObjectLinkSnapshot) bool  { return l.Exposes || l.TagExposes > 0 }

func capacityOf(l *impl.ObjectLinkSnapshot) uint64 { return uint64(l.Capacity) + l.TagCapacity }

func exposing(k *impl.ContractSnapshot) bool {
	return k.Kind == impl.ExposeObject || k.Kind == impl.ExposeTag
}

// shouldExist is ShouldExist(n).
func shouldExist(o *impl.ObjectSnapshot) bool {
	if len(o.Sources)+len(o.Outlets) > 0 || o.ObjectObserveContracts+o.ObjectExposeContracts > 0 {
		return true
	}
	return slices.ContainsFunc(o.Links, func(l impl.ObjectLinkSnapshot) bool { return l.Observes || l.Exposes })
}

// dataNeeded is DataNeeded(n).
func dataNeeded(o *impl.ObjectSnapshot) bool {
	if !shouldExist(o) {
		return false
	}
	if len(o.Sources)+len(o.Outlets) > 0 || o.ObjectObserveContracts+o.TagObserveContracts > 0 {
		return true
	}
	observers := 0
	for i := range o.Links {
		if observes(&o.Links[i]) {
			observers++
			if !exposes(&o.Links[i]) {
				return true
			}
		}
	}
	return observers >= 2
}

// wantsSink is WantsSink(p, c).
func wantsSink(o *impl.ObjectSnapshot, l *impl.ObjectLinkSnapshot) bool {
	return o.Elected.Kind == impl.ElectedLink && o.Elected.Link == l.Link
}

// wantsStream is WantsStream(p, c).
func wantsStream(o *impl.ObjectSnapshot, l *impl.ObjectLinkSnapshot) bool {
	return observes(l) && o.Elected.Kind != impl.ElectedNobody && !wantsSink(o, l)
}

// covers reports whether a local contract is about an object.
func covers(c *impl.ContractSnapshot, o *impl.ObjectSnapshot) bool {
	switch c.Kind {
	case impl.ObserveObject, impl.ExposeObject:
		return c.Descriptor.Key == o.Descriptor.Key
	default:
		return slices.Contains(o.Descriptor.Tags, c.Descriptor.JSON)
	}
}

func attached(l *Look, link impl.LinkID) *Attached {
	for i := range l.Attached {
		if l.Attached[i].Link == link {
			return &l.Attached[i]
		}
	}
	return nil
}

func upstream(l *Look) *Attached {
	for i := range l.Attached {
		if l.Attached[i].Upstream {
			return &l.Attached[i]
		}
	}
	return nil
}

func linkOf(o *impl.ObjectSnapshot, link impl.LinkID) *impl.ObjectLinkSnapshot {
	for i := range o.Links {
		if o.Links[i].Link == link {
			return &o.Links[i]
		}
	}
	return nil
}

func snapshotOf(s *impl.Snapshot, link impl.LinkID) *impl.LinkSnapshot {
	for i := range s.Links {
		if s.Links[i].Link == link {
			return &s.Links[i]
		}
	}
	return nil
}

func objectByKey(s *impl.Snapshot, key string) *impl.ObjectSnapshot {
	for i := range s.Objects {
		if s.Objects[i].Descriptor.Key == key {
			return &s.Objects[i]
		}
	}
	return nil
}
