package impl

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
		if l := x.links[o.elected.Link]; l != nil && o.part(l).exposes {
			return o.elected
		}
	}
	if best, _ := x.leastLoaded(o); best != nil { // rule 6
		return Elected{Kind: ElectedLink, Link: best.id}
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
// limit allows one more object, the one with the least load then; of equals, the one
// that has exposed the object for longest. nil: there is none.
//
// A link that exposes the object by one of its tags alone has the load that it is
// ranked by among the tag's candidates. One that exposes it in several ways has at
// most that, and is looked at by itself: among those with a contract on the object,
// or among those of all tags but the one that most links expose. So nobody comes
// before the first of that tag's candidates who is not refused.
func (x *Exchange) leastLoaded(o *object) (best *link, load uint64) {
	since := uint64(0)
	consider := func(l *link) (allowed bool) {
		x.work++
		p := o.part(l)
		if p.capacity == 0 {
			return false
		}
		expected := l.load + shareOf(p.capacity)
		if limit, limited := l.limit.at(x.now.Mono); limited && expected > limit {
			return false
		}
		if best == nil || expected < load || expected == load && p.since < since {
			best, load, since = l, expected, p.since
		}
		return true
	}
	if o.tally.exposing > 0 {
		for _, ol := range o.links {
			if ol.exposes {
				consider(ol.link)
			}
		}
	}
	most := o.mostExposed()
	for _, t := range o.tags {
		if t != most {
			for _, tl := range t.exposing {
				consider(tl.link)
			}
		}
	}
	if most != nil {
		x.firstOf(most, consider)
	}
	return best, load
}

// mostExposed is the tag of an object that most links expose; nil: it has none.
func (o *object) mostExposed() (most *tag) {
	for _, t := range o.tags {
		if most == nil || len(t.exposing) > len(most.exposing) {
			most = t
		}
	}
	return most
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
		if l := x.links[o.elected.Link]; l != nil {
			if l.load < o.share {
				bug("link %d has load %d, less than the share %d of object %d", l.id, l.load, o.share, o.number)
			}
			x.weigh(l, l.load-o.share)
			old := o.record(l)
			old.revoked = old.sink != nil
		}
		o.share = 0
	}
	o.elected, o.moved = elected, true
	if elected.Kind == ElectedLink {
		l := x.links[elected.Link]
		o.share = shareOf(o.part(l).capacity)
		x.acquireObjectLink(o, l)
		x.weigh(l, l.load+o.share)
	}
}
