package impl

import "slices"

// Clone copies the exchange; the copies share nothing that changes. Both give
// the same effects for the same inputs.
func (x *Exchange) Clone() *Exchange {
	c := &cloner{
		to:        New(x.config),
		objects:   make(map[*object]*object, len(x.objects)),
		tags:      make(map[*tag]*tag, len(x.tags)),
		links:     make(map[*link]*link, len(x.links)),
		contracts: make(map[*contract]*contract, len(x.contracts)),
		channels:  make(map[*channel]*channel),
		records:   make(map[*objectLink]*objectLink),
		books:     make(map[*books]*books),
	}
	c.books[&x.books] = &c.to.books
	c.copyNouns(x)
	c.copyObjects(x)
	c.copyTags(x)
	c.copyContracts(x)
	c.copyLinks(x)
	c.to.lastObject, c.to.lastTag, c.to.lastOffer, c.to.lastBegun, c.to.now = x.lastObject, x.lastTag, x.lastOffer, x.lastBegun, x.now
	c.to.bounded, c.to.sums = x.bounded, x.sums
	c.to.balance.count, c.to.balance.offset, c.to.balance.next, c.to.balance.until = x.balance.count, x.balance.offset, x.balance.next, x.balance.until
	for place := range x.balance.ring {
		for e := x.balance.ring[place].first; e != nil; e = e.next {
			c.to.balance.ring[place].push(&c.objects[e.value].balance.entry)
		}
	}
	return c.to
}

// cloner maps the nouns of an exchange to their copies.
type cloner struct {
	to        *Exchange
	objects   map[*object]*object
	tags      map[*tag]*tag
	links     map[*link]*link
	contracts map[*contract]*contract
	channels  map[*channel]*channel
	records   map[*objectLink]*objectLink
	books     map[*books]*books
}

// copyNouns makes a shallow copy of everything that others point at.
func (c *cloner) copyNouns(x *Exchange) {
	for _, key := range sortedKeys(x.objects) {
		o := *x.objects[key]
		c.objects[x.objects[key]] = &o
		c.to.objects[key] = &o
	}
	for _, identity := range sortedKeys(x.tags) {
		t := *x.tags[identity]
		c.tags[x.tags[identity]] = &t
		c.to.tags[identity] = &t
	}
	for _, id := range sortedKeys(x.links) {
		l := *x.links[id]
		l.books.link = &l
		c.links[x.links[id]], c.books[&x.links[id].books] = &l, &l.books
		c.to.links[id] = &l
	}
	c.to.upstream = c.links[x.upstream]
	for _, id := range sortedKeys(x.contracts) {
		copied := *x.contracts[id]
		c.contracts[x.contracts[id]] = &copied
		c.to.contracts[id] = &copied
	}
	for _, key := range sortedKeys(x.objects) {
		for _, ol := range x.objects[key].links {
			copied := *ol
			copied.object, copied.link = c.objects[ol.object], c.links[ol.link]
			copied.pending = entry[*objectLink]{value: &copied}
			copied.charge = c.charge(ol.charge)
			c.records[ol] = &copied
		}
	}
}

// charge is a charge in the books of the copy. A link that has ended has books as
// long as upstream has a state of it.
func (c *cloner) charge(from charge) charge {
	if from.books != nil && c.books[from.books] == nil {
		gone := *from.books.link
		gone.books.link = &gone
		c.books[from.books] = &gone.books
	}
	from.books = c.books[from.books]
	return from
}

func (c *cloner) channel(from *channel) *channel {
	if from == nil {
		return nil
	}
	to := c.channels[from]
	if to == nil {
		if record := c.records[from.record]; record != nil {
			to = newChannel(from.number, record)
		} else {
			to = newUpstreamChannel(from.number, c.objects[from.object], c.links[from.link], from.outlet)
			to.leftover, to.letIn, to.up, to.lifter = from.leftover, c.charge(from.letIn), c.charge(from.up), c.charge(from.lifter)
		}
		to.last, to.flag, to.charge, to.kept = from.last, from.flag, c.charge(from.charge), c.charge(from.kept)
		c.channels[from] = to
	}
	return to
}

func (c *cloner) copyObjects(x *Exchange) {
	for _, key := range sortedKeys(x.objects) {
		o := c.to.objects[key]
		o.tags = mapped(o.tags, c.tags)
		o.observers = mapped(o.observers, c.contracts)
		o.exposers = mapped(o.exposers, c.contracts)
		o.links = mapped(o.links, c.records)
		o.changed = nil
		o.wanted, o.kept, o.answers, o.streamed = c.charge(o.wanted), c.charge(o.kept), c.charge(o.answers), c.charge(o.streamed)
		for _, ol := range o.links {
			ol.sink, ol.stream = c.channel(ol.sink), c.channel(ol.stream)
		}
		o.bringer = c.channel(o.bringer)
		o.sources, o.outlets = slices.Clone(o.sources), slices.Clone(o.outlets)
		for i := range o.sources {
			o.sources[i] = c.channel(o.sources[i])
		}
		for i := range o.outlets {
			o.outlets[i] = c.channel(o.outlets[i])
		}
		o.balance.entry = entry[*object]{value: o}
		o.carried = make([]entry[*object], len(o.tags))
		for i := range o.carried {
			o.carried[i].value = o
		}
	}
}

func (c *cloner) copyTags(x *Exchange) {
	tagLinks := make(map[*tagLink]*tagLink)
	for _, identity := range sortedKeys(x.tags) {
		t := c.to.tags[identity]
		objects := t.objects.values()
		t.objects = fifo[*object]{}
		for _, from := range objects {
			o := c.objects[from]
			t.objects.push(&o.carried[slices.Index(o.tags, t)])
		}
		t.wanted = c.charge(t.wanted)
		t.observers = mapped(t.observers, c.contracts)
		t.exposers = mapped(t.exposers, c.contracts)
		for _, tl := range t.links {
			copied := *tl
			copied.tag, copied.link = t, c.links[tl.link]
			copied.charge = c.charge(tl.charge)
			tagLinks[tl] = &copied
		}
		t.links, t.candidates = mapped(t.links, tagLinks), mapped(t.candidates, tagLinks)
		t.observing, t.exposing = mapped(t.observing, tagLinks), mapped(t.exposing, tagLinks)
	}
	for _, id := range sortedKeys(x.links) {
		if l := x.links[id]; l.tags != nil {
			c.to.links[id].tags, c.to.links[id].exposing = mappedValues(l.tags, tagLinks), mapped(l.exposing, tagLinks)
		}
	}
}

func (c *cloner) copyContracts(x *Exchange) {
	offers := make(map[*offer]*offer)
	copyOffer := func(f *offer) *offer {
		if offers[f] == nil {
			copied := *f
			copied.waiting = entry[*offer]{value: &copied}
			copied.object = c.objects[f.object]
			if to := c.contracts[f.contract]; to != nil {
				copied.contract = to
			} else { // the contract is closed and its offer not released: nothing else knows it
				closed := *f.contract
				closed.object, closed.tag, closed.waiting = nil, nil, fifo[*offer]{}
				closed.offers = make(map[string]*offer)
				c.contracts[f.contract] = &closed
				copied.contract = &closed
			}
			offers[f] = &copied
			copied.contract.offers[f.key] = &copied
		}
		return offers[f]
	}
	for _, id := range sortedKeys(x.contracts) {
		from, to := x.contracts[id], c.to.contracts[id]
		to.object, to.tag = c.objects[from.object], c.tags[from.tag]
		to.offers = make(map[string]*offer, len(from.offers))
		for _, key := range sortedKeys(from.offers) {
			copyOffer(from.offers[key])
		}
		to.waiting = fifo[*offer]{}
		for e := from.waiting.first; e != nil; e = e.next {
			to.waiting.push(&offers[e.value].waiting)
		}
	}
	for _, id := range sortedKeys(x.offers) {
		c.to.offers[id] = copyOffer(x.offers[id])
	}
	c.to.rosters = rosters{x.rosters.objects.copied(c.objects), x.rosters.tags.copied(c.tags), x.rosters.links.copied(c.links),
		x.rosters.contracts.copied(c.contracts), x.rosters.offers.copied(offers)}
}

func (c *cloner) copyLinks(x *Exchange) {
	for _, id := range sortedKeys(x.links) {
		from, to := x.links[id], c.to.links[id]
		to.ours = make(map[uint64]*channel, len(from.ours))
		for _, number := range sortedKeys(from.ours) {
			to.ours[number] = c.channel(from.ours[number])
		}
		to.theirs = make(map[uint64]theirChannel, len(from.theirs))
		for _, number := range sortedKeys(from.theirs) {
			to.theirs[number] = theirChannel{from.theirs[number].kind, c.channel(from.theirs[number].state)}
		}
		if from.objects != nil {
			to.objects = mappedValues(from.objects, c.records)
		}
		to.pending = fifo[*objectLink]{}
		for e := from.pending.first; e != nil; e = e.next {
			to.pending.push(&c.records[e.value].pending)
		}
		to.outlets = fifo[*channel]{}
		for e := from.outlets.first; e != nil; e = e.next {
			to.outlets.push(&c.channel(e.value).pending)
		}
		to.withheld, to.leftover = fifo[*channel]{}, fifo[*channel]{}
		for e := from.withheld.first; e != nil; e = e.next {
			to.withheld.push(&c.channel(e.value).withheld)
		}
		for e := from.leftover.first; e != nil; e = e.next {
			to.leftover.push(&c.channel(e.value).withheld)
		}
		to.pendingObjects, to.pendingTags = fifo[*told]{}, fifo[*told]{}
		copies := make(map[*told]*told)
		to.told = c.copyTold(copies, from.told, &from.pendingObjects, &to.pendingObjects)
		to.toldTags = c.copyTold(copies, from.toldTags, &from.pendingTags, &to.pendingTags)
		to.toldRoster = from.toldRoster.copied(copies)
	}
}

func (c *cloner) copyTold(copies map[*told]*told, from map[string]*told, fromQueue, toQueue *fifo[*told]) map[string]*told {
	if from == nil {
		return nil
	}
	to := make(map[string]*told, len(from))
	for _, key := range sortedKeys(from) {
		copied := *from[key]
		copied.charge = c.charge(copied.charge)
		copied.pending = entry[*told]{value: &copied}
		to[key], copies[from[key]] = &copied, &copied
	}
	for e := fromQueue.first; e != nil; e = e.next {
		toQueue.push(&to[e.value.key].pending)
	}
	return to
}

func mapped[T any](from []*T, to map[*T]*T) []*T {
	if from == nil {
		return nil
	}
	result := make([]*T, len(from))
	for i := range from {
		result[i] = to[from[i]]
	}
	return result
}

func mappedValues[T any](from map[string]*T, to map[*T]*T) map[string]*T {
	result := make(map[string]*T, len(from))
	for _, key := range sortedKeys(from) {
		result[key] = to[from[key]]
	}
	return result
}
