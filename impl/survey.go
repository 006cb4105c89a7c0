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
	objects   seen[ObjectSnapshot]
	tags      seen[TagSnapshot]
	links     seen[LinkSnapshot]
	contracts seen[ContractSnapshot]
	offers    map[ContractID]*seen[OfferSnapshot]
	told      seen[ToldSnapshot]
	toldTo    LinkID // zero: nobody
	upstream  LinkID

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
	if x.upstream != nil {
		s.upstream = x.upstream.id
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
		s.objects.add(o.snapshot())
		return 1 + len(o.links)
	case 1:
		t := r.tags.all[s.at]
		s.tags.add(t.snapshotAlone())
		return 1 + len(t.links)
	case 2:
		s.links.add(r.links.all[s.at].status(now))
	case 3:
		s.contracts.add(r.contracts.all[s.at].snapshotAlone())
	case 4:
		f := r.offers.all[s.at]
		if s.offers == nil {
			s.offers = make(map[ContractID]*seen[OfferSnapshot])
		}
		if s.offers[f.contract.id] == nil {
			s.offers[f.contract.id] = new(seen[OfferSnapshot])
		}
		s.offers[f.contract.id].add(f.snapshot())
	default:
		if s.toldTo != x.upstream.id { // upstream is another one meanwhile
			s.told, s.toldTo = seen[ToldSnapshot]{}, x.upstream.id
		}
		s.told.add(x.upstream.toldRoster.all[s.at].snapshot())
	}
	return 1
}

// Snapshot puts what was seen together, when there is no more to see. It needs the exchange no more.
func (s *Survey) Snapshot() Snapshot {
	p := Snapshot{
		Objects:   s.objects.once(func(a, b *ObjectSnapshot) int { return cmp.Compare(a.Descriptor.Key, b.Descriptor.Key) }),
		Tags:      s.tags.once(func(a, b *TagSnapshot) int { return cmp.Compare(a.Identity, b.Identity) }),
		Links:     s.links.once(func(a, b *LinkSnapshot) int { return cmp.Compare(a.Link, b.Link) }),
		Contracts: s.contracts.once(func(a, b *ContractSnapshot) int { return cmp.Compare(a.Contract, b.Contract) }),
		Upstream:  s.upstream,
	}
	for i := range p.Contracts {
		if offers := s.offers[p.Contracts[i].Contract]; offers != nil {
			p.Contracts[i].Offers = offers.once(func(a, b *OfferSnapshot) int { return cmp.Compare(a.Key, b.Key) })
		}
	}
	for i := range p.Links {
		if p.Links[i].Link == s.toldTo {
			p.Links[i].Told = s.told.once(compareTold)
		}
	}
	carrying := make(map[string][]uint64, len(p.Tags))
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
	return p
}

// compareTold puts objects before tags.
func compareTold(a, b *ToldSnapshot) int {
	switch {
	case a.Tag == b.Tag:
		return cmp.Compare(a.Descriptor.Key, b.Descriptor.Key)
	case a.Tag:
		return 1
	}
	return -1
}

// seen is what was seen, in blocks: a list that grows would be copied while the exchange waits.
type seen[T any] struct {
	blocks [][]T
	count  int
}

const seenBlock = 256

func (s *seen[T]) add(t T) {
	last := len(s.blocks) - 1
	if last < 0 || len(s.blocks[last]) == seenBlock {
		last++
		s.blocks = append(s.blocks, nil)
	}
	s.blocks[last] = append(s.blocks[last], t)
	s.count++
}

// once returns what was seen in order. Of what was seen twice it has what was seen later.
func (s *seen[T]) once(compare func(a, b *T) int) []T {
	if s.count == 0 {
		return nil
	}
	type place struct {
		t     *T
		order int
	}
	places := make([]place, 0, s.count)
	for _, block := range s.blocks {
		for i := range block {
			places = append(places, place{&block[i], len(places)})
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(compare(a.t, b.t), b.order-a.order) })
	places = slices.CompactFunc(places, func(a, b place) bool { return compare(a.t, b.t) == 0 })
	list := make([]T, len(places))
	for i := range places {
		list[i] = *places[i].t
	}
	return list
}
