package impl

import (
	"cmp"
	"slices"
)

// Survey is a snapshot that is made in slices, between which the exchange may be stepped. Each object is as it was at one
// moment, and so is each tag, link, contract, offer, and word that upstream was told; but one may be of another moment than the
// next. What there was all the time is there once. What came or went meanwhile is there or is not, so that a link that is elected,
// say, may be none of the links.
//
// The zero Survey has seen nothing.
type Survey struct {
	snapshot Snapshot
	offers   map[ContractID][]OfferSnapshot
	told     []ToldSnapshot
	toldTo   LinkID // zero: nobody

	begun bool
	stage int // of the rosters
	at    int // how many of the stage's roster are still to be seen, from the first
}

// rosters are of all that a survey sees.
type rosters struct {
	objects   roster[*object]
	tags      roster[*tag]
	links     roster[*link]
	contracts roster[*contract]
	offers    roster[*offer]
}

const surveyStages = 6

// Survey sees a slice of the exchange, and reports whether there is more to see. It changes nothing.
func (x *Exchange) Survey(s *Survey, now Now) (more bool) {
	for seen := 0; seen < x.config.Slice && s.stage < surveyStages; {
		length := s.length(x)
		if !s.begun {
			s.begun, s.at = true, length
		}
		if s.at = min(s.at, length); s.at == 0 {
			s.begun = false
			s.stage++
			continue
		}
		s.at--
		seen += s.see(x, now)
	}
	if s.stage < surveyStages {
		return true
	}
	if s.snapshot.Upstream = 0; x.upstream != nil {
		s.snapshot.Upstream = x.upstream.id
	}
	return false
}

// length is how many there are of what the stage sees.
func (s *Survey) length(x *Exchange) int {
	switch r := &x.rosters; s.stage {
	case 0:
		return len(r.objects.all)
	case 1:
		return len(r.tags.all)
	case 2:
		return len(r.links.all)
	case 3:
		return len(r.contracts.all)
	case 4:
		return len(r.offers.all)
	}
	if x.upstream == nil {
		return 0
	}
	return len(x.upstream.toldRoster.all)
}

// see sees one of the stage's, and returns how much that was.
func (s *Survey) see(x *Exchange, now Now) int {
	switch r := &x.rosters; s.stage {
	case 0:
		o := r.objects.all[s.at]
		s.snapshot.Objects = append(s.snapshot.Objects, o.snapshot())
		return 1 + len(o.links)
	case 1:
		t := r.tags.all[s.at]
		s.snapshot.Tags = append(s.snapshot.Tags, t.snapshotAlone())
		return 1 + len(t.links)
	case 2:
		s.snapshot.Links = append(s.snapshot.Links, r.links.all[s.at].status(now))
	case 3:
		s.snapshot.Contracts = append(s.snapshot.Contracts, r.contracts.all[s.at].snapshotAlone())
	case 4:
		if s.offers == nil {
			s.offers = make(map[ContractID][]OfferSnapshot)
		}
		f := r.offers.all[s.at]
		s.offers[f.contract.id] = append(s.offers[f.contract.id], f.snapshot())
	default:
		if s.toldTo != x.upstream.id { // upstream is another one meanwhile
			s.told, s.toldTo = nil, x.upstream.id
		}
		s.told = append(s.told, x.upstream.toldRoster.all[s.at].snapshot())
	}
	return 1
}

// Snapshot puts what was seen together, when there is no more to see. It needs the exchange no more.
func (s *Survey) Snapshot() Snapshot {
	p := &s.snapshot
	p.Objects = once(p.Objects, func(a, b *ObjectSnapshot) int { return cmp.Compare(a.Descriptor.Key, b.Descriptor.Key) })
	p.Tags = once(p.Tags, func(a, b *TagSnapshot) int { return cmp.Compare(a.Identity, b.Identity) })
	p.Links = once(p.Links, func(a, b *LinkSnapshot) int { return cmp.Compare(a.Link, b.Link) })
	p.Contracts = once(p.Contracts, func(a, b *ContractSnapshot) int { return cmp.Compare(a.Contract, b.Contract) })
	for i := range p.Contracts {
		offers := s.offers[p.Contracts[i].Contract]
		p.Contracts[i].Offers = once(offers, func(a, b *OfferSnapshot) int { return cmp.Compare(a.Key, b.Key) })
	}
	for i := range p.Links {
		if p.Links[i].Link == s.toldTo {
			p.Links[i].Told = once(s.told, func(a, b *ToldSnapshot) int {
				if a.Tag != b.Tag {
					if b.Tag {
						return -1
					}
					return 1
				}
				return cmp.Compare(a.Descriptor.Key, b.Descriptor.Key)
			})
		}
	}
	carrying := make(map[string][]uint64)
	for i := range p.Objects {
		for _, identity := range p.Objects[i].Descriptor.TagIdentities {
			carrying[identity] = append(carrying[identity], p.Objects[i].Number)
		}
	}
	for i := range p.Tags {
		objects := carrying[p.Tags[i].Identity]
		slices.Sort(objects)
		p.Tags[i].Objects = objects
	}
	return *p
}

// once puts what was seen in order, and leaves out what was seen again later.
func once[T any](seen []T, compare func(a, b *T) int) []T {
	slices.SortStableFunc(seen, func(a, b T) int { return compare(&a, &b) })
	kept := seen[:0]
	for i := range seen {
		if i+1 == len(seen) || compare(&seen[i], &seen[i+1]) != 0 {
			kept = append(kept, seen[i])
		}
	}
	return kept
}
