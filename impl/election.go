package impl

import "math"

// choice says who should be elected for an object: the first of six rules that
// applies, nobody otherwise.
//
// spec: Choices
func (x *Exchange) choice(o *object) Elected {
	if !o.dataNeeded {
		return Elected{}
	}
	if elected := x.choiceBeforeLinks(o); elected.Kind != ElectedNobody {
		return elected
	}
	if o.elected.Kind == ElectedLink { // rule 5: the link elected now stays, even at capacity 0
		if at, found := o.findLink(o.elected.Link); found && o.links[at].anyExposes() {
			return o.elected
		}
	}
	if best, _ := o.leastLoaded(x.now.Mono); best != nil { // rule 6
		return Elected{Kind: ElectedLink, Link: best.link.id}
	}
	return Elected{}
}

// choiceBeforeLinks is rules 1 to 4, which stand above any downstream link.
func (x *Exchange) choiceBeforeLinks(o *object) Elected {
	if len(o.sources) > 0 { // rule 1: upstream streams to us
		return Elected{Kind: ElectedUpstream, Link: x.upstream.id}
	}
	if x.electedContract(o) != nil { // rule 2: the local contract elected now
		return o.elected
	}
	if c := greatestCapacity(nil, o.exposers); c != nil { // rule 3
		return Elected{Kind: ElectedObjectContract, Contract: c.id}
	}
	var best *contract
	for _, t := range o.tags { // rule 4
		best = greatestCapacity(best, t.exposers)
	}
	if best != nil {
		return Elected{Kind: ElectedTagContract, Contract: best.id}
	}
	return Elected{}
}

// greatestCapacity returns the contract of greatest capacity, of equals the one
// opened first.
func greatestCapacity(best *contract, contracts []*contract) *contract {
	for _, c := range contracts {
		if best == nil || c.capacity > best.capacity || c.capacity == best.capacity && c.begun < best.begun {
			best = c
		}
	}
	return best
}

// electedContract returns the elected local contract if it is still open.
func (x *Exchange) electedContract(o *object) *contract {
	switch o.elected.Kind {
	case ElectedObjectContract, ElectedTagContract:
		return x.contracts[o.elected.Contract]
	}
	return nil
}

// leastLoaded is rule 6: of the links that expose with a capacity and whose load
// limit allows one more share, the one where the load with it is least, of equals
// the one that has exposed the object for longest.
func (o *object) leastLoaded(mono int64) (best *objectLink, load uint64) {
	if o.tally.anyExposing == 0 {
		return nil, 0
	}
	for _, ol := range o.links {
		capacity := ol.totalCapacity()
		if capacity == 0 || !ol.anyExposes() {
			continue
		}
		expected := ol.link.load + shareOf(capacity)
		if limit, limited := ol.link.limit.at(mono); limited && expected > limit {
			continue
		}
		if best == nil || expected < load || expected == load && ol.exposedSince() < best.exposedSince() {
			best, load = ol, expected
		}
	}
	return best, load
}

// exposedSince is the age of a link's exposure of an object: that of the oldest
// contract by which it exposes the object now.
func (ol *objectLink) exposedSince() uint64 {
	since := uint64(math.MaxUint64)
	if ol.exposes {
		since = ol.begun
	}
	if ol.tagExposes > 0 {
		for _, t := range ol.object.tags {
			if tl := ol.link.tags[t.identity]; tl != nil && tl.exposes {
				since = min(since, tl.begun)
			}
		}
	}
	return since
}

// date numbers an exposure that begins and leaves one that goes on as it is:
// elections prefer the one that has gone on for longest. A control message counts
// as a whole: what it takes back and asks for again goes on.
func (x *Exchange) date(begun *uint64, exposes bool) {
	switch {
	case !exposes:
		*begun = 0
	case *begun == 0:
		x.lastBegun++
		*begun = x.lastBegun
	}
}

// elect makes an exposer the elected one. The old one's sink is revoked at once.
// The caller offers and queues what follows.
func (x *Exchange) elect(o *object, elected Elected) {
	if elected == o.elected {
		return
	}
	if o.elected.Kind == ElectedLink {
		if at, found := o.findLink(o.elected.Link); found {
			old := o.links[at]
			if old.link.load < o.share {
				bug("link %d has load %d, less than the share %d of object %d", old.link.id, old.link.load, o.share, o.number)
			}
			old.link.load -= o.share
			old.revoked = old.sink != nil
		}
		o.share = 0
	}
	o.elected, o.moved = elected, true
	if elected.Kind == ElectedLink {
		at, _ := o.findLink(elected.Link)
		o.share = shareOf(o.links[at].totalCapacity())
		o.links[at].link.load += o.share
	}
}
