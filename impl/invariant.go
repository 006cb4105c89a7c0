package impl

import (
	"cmp"
	"fmt"
	"slices"
)

// Check verifies every internal invariant of the exchange between two steps. An
// error is a bug of this package. It walks everything: it is for tests and the
// simulator; what is cheap to check is checked always, where it is used.
func (x *Exchange) Check() error {
	c := &check{x: x, loads: make(map[LinkID]uint64), unsent: make(map[*object]int), sums: make(map[*books]*[accounts]sum)}
	c.links()
	for _, key := range sortedKeys(x.objects) {
		c.object(key, x.objects[key])
	}
	for _, identity := range sortedKeys(x.tags) {
		c.tag(identity, x.tags[identity])
	}
	c.contracts()
	c.counters()
	c.ledger()
	c.that(x.upstream == nil || x.links[x.upstream.id] == x.upstream, "the upstream link is gone")
	c.rounds()
	c.rosters()
	for _, id := range sortedKeys(x.offers) {
		f := x.offers[id]
		c.that(f.id == id && f.taken && f.contract.offers[f.key] == f, "offer %d is not its contract's", id)
		c.that(f.object == nil || x.contracts[f.contract.id] == f.contract, "offer %d outlives its contract", id)
	}
	return c.err
}

type check struct {
	x      *Exchange
	loads  map[LinkID]uint64
	unsent map[*object]int
	sums   map[*books]*[accounts]sum
	err    error
}

// that notes the first invariant that does not hold.
func (c *check) that(holds bool, format string, arguments ...any) {
	if !holds && c.err == nil {
		c.err = fmt.Errorf(format, arguments...)
	}
}

func (c *check) object(key string, o *object) {
	x, name := c.x, "object "+key
	// Invariant: what is derived is up to date.
	c.that(o.descriptor.Key == key, "%s is filed under another key", name)
	c.that(o.shouldExist == o.mustExist(), "%s: should exist is %v", name, o.shouldExist)
	c.that(o.dataNeeded == (o.shouldExist && o.needsData()), "%s: data needed is %v", name, o.dataNeeded)
	// Invariant: an object that should not exist is kept only to close its channels,
	// and for contracts that were left out.
	c.that(o.shouldExist || o.tally.asked > 0 || slices.ContainsFunc(o.links, func(ol *objectLink) bool { return ol.sink != nil || ol.stream != nil }),
		"%s is needed by nobody and not forgotten", name)
	c.elected(name, o)
	c.state(name, o)
	c.that(o.bringer == nil || o.foreign && o.isOpen(o.bringer), "%s: its state came on a channel that is closed", name)
	c.chargesOf(name, o)
	c.that(slices.IsSortedFunc(o.links, func(a, b *objectLink) int { return cmp.Compare(a.link.id, b.link.id) }), "%s: links out of order", name)
	var sums tally
	for _, ol := range o.links {
		sums.add(ol, 1)
		c.objectLink(fmt.Sprintf("%s on link %d", name, ol.link.id), o, ol)
	}
	c.that(o.tally == sums, "%s: its links are summed up as %+v, they are %+v", name, o.tally, sums)
	for l := range o.observing {
		// Invariant: who needs a stream has a record, that is queued.
		c.that(o.record(l) != nil || !o.wantsStream(l), "%s: link %d wants a stream and has no record", name, l.id)
	}
	c.candidates(name, o)
	c.that(!o.touched && len(o.changed) == 0 && !o.moved, "%s is still touched", name)
	c.that(o.summarize() == (asks{}) || x.upstream == nil || x.upstream.told[key] != nil, "%s: upstream will never be told of it", name)
	for _, source := range o.sources {
		c.that(x.upstream != nil && x.upstream.theirs[source.number].state == source, "%s: source %d is unknown to the upstream link", name, source.number)
	}
	for _, outlet := range o.outlets {
		c.that(x.upstream != nil && x.upstream.theirs[outlet.number].state == outlet, "%s: outlet %d is unknown to the upstream link", name, outlet.number)
		c.channel(name, outlet)
		// Invariant: a channel that owes something is queued, so nothing is owed for ever.
		c.that(outlet.pending.queued || outlet.withheld.queued || !outlet.owes(), "%s: outlet %d owes a state and is not queued", name, outlet.number)
		c.that(!outlet.pending.queued || !outlet.withheld.queued, "%s: outlet %d is queued and withheld", name, outlet.number)
		if outlet.pending.queued {
			c.unsent[o]++
		}
	}
	for _, t := range o.tags {
		c.that(x.tags[t.identity] == t && slices.ContainsFunc(o.carried, func(e entry[*object]) bool { return e.queued && e.value == o }), "%s: tag %s does not know it", name, t.identity)
	}
	c.offers(name, o)
	due := x.rebalances(o)
	c.that(due == o.balance.queued, "%s: in the rounds is %v, due is %v", name, o.balance.queued, due)
}

// rosters checks that the rosters have what there is.
func (c *check) rosters() {
	x := c.x
	offers := len(x.offers)
	for _, id := range sortedKeys(x.contracts) {
		offers += x.contracts[id].waiting.length
	}
	r := &x.rosters
	c.that(len(r.objects.all) == len(x.objects) && len(r.tags.all) == len(x.tags) && len(r.links.all) == len(x.links) &&
		len(r.contracts.all) == len(x.contracts) && len(r.offers.all) == offers, "a roster is not of what there is")
	for i, o := range r.objects.all {
		c.that(o.place == i && x.objects[o.descriptor.Key] == o, "object %s has not its place in its roster", o.descriptor.Key)
	}
	if l := x.upstream; l != nil {
		c.that(len(l.toldRoster.all) == len(l.told)+len(l.toldTags), "the roster of what upstream was told is not of that")
	}
}

// rounds checks that the rounds have the objects that are in them, and come to each within the time of a round.
func (c *check) rounds() {
	r, count := &c.x.balance, 0
	for place := range r.ring {
		for e := r.ring[place].first; e != nil; e = e.next {
			o := e.value
			c.that(o.balance.moment >= r.next && o.balance.moment < r.next+int64(len(r.ring)), "object %s is to be looked at in moment %d, it is %d", o.descriptor.Key, o.balance.moment, r.next)
			c.that(e == &o.balance.entry && r.at(o.balance.moment) == &r.ring[place] && c.x.objects[o.descriptor.Key] == o, "object %s is misplaced in the rounds", o.descriptor.Key)
			count++
		}
	}
	c.that(count == r.count, "the rounds have %d objects, %d were counted", count, r.count)
}

// elected checks that the one elected is there and may be.
func (c *check) elected(name string, o *object) {
	x := c.x
	switch o.elected.Kind {
	case ElectedNobody:
		c.that(o.share == 0, "%s: share %d for nobody", name, o.share)
		if o.dataNeeded {
			c.that(x.choiceBeforeLinks(o).Kind == ElectedNobody, "%s: nobody is elected while somebody could be", name)
		}
	case ElectedUpstream:
		c.that(x.upstream != nil && o.elected.Link == x.upstream.id && len(o.sources) > 0, "%s: upstream is elected without a source", name)
	case ElectedObjectContract, ElectedTagContract:
		c.that(x.electedContract(o) != nil && len(o.sources) == 0, "%s: elected contract %d is gone or below upstream", name, o.elected.Contract)
	case ElectedLink:
		l := x.links[o.elected.Link]
		c.that(l != nil && o.record(l) != nil && o.part(l).exposes, "%s: elected link %d does not expose", name, o.elected.Link)
		c.that(x.choiceBeforeLinks(o).Kind == ElectedNobody, "%s: link %d is elected below an upstream or local exposer", name, o.elected.Link)
		c.that(o.share > 0, "%s: elected link %d has no share", name, o.elected.Link)
		c.loads[o.elected.Link] += o.share
	}
	c.that(o.dataNeeded || o.elected.Kind == ElectedNobody, "%s: somebody is elected though no data is needed", name)
}

// state checks the state held and its flag.
func (c *check) state(name string, o *object) {
	if o.held == nil {
		c.that(o.flag == Synchronized{} && !o.hollow, "%s: a flag without a state", name)
		return
	}
	c.that(!o.hollow || o.kept == charge{} && o.held.Data == nil, "%s: a hollow state with data, or that counts", name)
	c.that(o.flag.Now == c.x.hasNowSource(o), "%s: flag now is %v, sources say otherwise", name, o.flag.Now)
	c.that(!o.flag.Now || o.flag.Mono == 0, "%s: flag now with a time", name)
	c.that(o.flag.Now || o.dataNeeded || o.streams(), "%s: a state that is not current is kept though no data is needed", name)
	c.that(!o.flag.Now && o.flag.Mono <= c.x.now.Mono || o.flag.Now, "%s: last known to be current at %d, it is %d", name, o.flag.Mono, c.x.now.Mono)
	c.that(slices.Compare(o.newest, o.held.Version) >= 0, "%s: holds version %v, newest known is %v", name, o.held.Version, o.newest)
}

func (c *check) objectLink(name string, o *object, ol *objectLink) {
	l := ol.link
	c.that(ol.object == o && l.objects[o.descriptor.Key] == ol && c.x.links[l.id] == l, "%s: records disagree", name)
	c.that(l.role == ToDownstream, "%s: not a downstream link", name)
	c.that(!ol.idle(), "%s: an idle record is kept", name)
	c.that(ol.asks == l.allowedOnObject(ol.asked, &o.descriptor), "%s: %+v is asked for, %+v counts", name, ol.asked, ol.asks)
	// Invariant: nothing goes over a link that its peer may not see.
	c.that(l.rights == nil || ol.stream == nil || !ol.wantsStream() || l.rights.Observe.HasObject(&o.descriptor), "%s: a stream beyond the link's rights", name)
	c.that(ol.exposes || ol.capacity == 0, "%s: capacity without an expose contract", name)
	c.that(!ol.revoked || ol.sink != nil, "%s: a revoked sink that is not open", name)
	// Invariant: at most one sink is in force, the elected link's.
	c.that(ol.sink == nil || ol.revoked || ol.isElected(), "%s: a sink in force though not elected", name)
	moot := (ol.sink != nil && !ol.revoked) == ol.isElected() && !ol.revoked && (ol.stream != nil) == ol.wantsStream() && (ol.stream == nil || !ol.stream.owes())
	c.that(moot || ol.pending.queued, "%s: owed something and not queued", name)
	if ol.pending.queued {
		c.unsent[o]++
	}
	for _, channel := range []*channel{ol.sink, ol.stream} {
		if channel != nil {
			c.channel(name, channel)
			c.that(l.ours[channel.number] == channel && channel.object == o, "%s: channel %d is unknown to its link", name, channel.number)
		}
	}
	if ol.asked.any() {
		c.charged(name, ol.charge, &l.books, names, objectSize(&o.descriptor))
	} else {
		c.charged(name, ol.charge, &l.books, records, recordBytes)
	}
}

// offers checks that every contract covering an object has what it is due.
func (c *check) offers(name string, o *object) {
	covering := slices.Concat(o.observers, o.exposers)
	for _, t := range o.tags {
		covering = slices.Concat(covering, t.observers, t.exposers)
	}
	for _, contract := range covering {
		f := contract.offers[o.descriptor.Key]
		if contract.due(o) {
			c.that(f != nil && (f.object == o || f.taken && f.object == nil), "%s: contract %d lacks its offer", name, contract.id)
		} else {
			c.that(f == nil || f.taken && f.object == nil, "%s: contract %d has an offer it is not due", name, contract.id)
		}
		if f != nil && f.object != nil && f.taken && !contract.exposes() {
			last, flag := o.shown(f.last, f.flag)
			c.that(f.notified || f.last == last && f.flag == flag, "%s: contract %d was not told of a change", name, contract.id)
		}
	}
}

func (c *check) tag(identity string, t *tag) {
	c.that(t.identity == identity, "tag %s is filed under another identity", identity)
	c.that(t.objects.length+len(t.observers)+len(t.exposers)+len(t.links) > 0, "tag %s is used by nothing and not forgotten", identity)
	c.that(t.summarize() == (asks{}) || c.x.upstream == nil || c.x.upstream.toldTags[identity] != nil, "tag %s: upstream will never be told of it", identity)
	c.wanted("tag "+identity, t.wanted, t.summarize().any(), tagSize(t.text, t.identity))
	for _, o := range t.objects.values() {
		c.that(c.x.objects[o.descriptor.Key] == o, "tag %s: object %d is forgotten", identity, o.number)
	}
	var observing, exposing []*tagLink
	offered := uint64(0)
	for i, tl := range t.links {
		c.that(tl.asked.any(), "tag %s: link %d holds nothing", identity, tl.link.id)
		c.that(c.x.links[tl.link.id] == tl.link && tl.link.tags[identity] == tl, "tag %s: link %d disagrees", identity, tl.link.id)
		c.that(i == 0 || t.links[i-1].link.id < tl.link.id, "tag %s: links out of order", identity)
		if tl.observes {
			observing = append(observing, tl)
		}
		if tl.exposes {
			exposing, offered = append(exposing, tl), offered+uint64(tl.capacity)
		}
		c.candidate("tag "+identity, t, tl)
	}
	c.that(slices.Equal(t.observing, observing) && slices.Equal(t.exposing, exposing) && t.offered == offered,
		"tag %s: it lists %d observing and %d exposing links of capacity %d", identity, len(t.observing), len(t.exposing), t.offered)
}

// candidate checks a link's place among those that may be elected by a tag.
func (c *check) candidate(name string, t *tag, tl *tagLink) {
	l := tl.link
	c.that((tl.weighed >= 0) == tl.exposes && (!tl.exposes || l.exposing[tl.weighed] == tl), "%s: link %d exposes it: %v, at %d", name, l.id, tl.exposes, tl.weighed)
	if tl.place < 0 {
		refused := tl.exposes && tl.capacity > 0 && l.limit.refusesForGood(l.load+shareOf(uint64(tl.capacity)), c.x.now.Mono)
		c.that(!tl.exposes || tl.capacity == 0 || refused, "%s: link %d is no candidate", name, l.id)
		return
	}
	c.that(tl.exposes && tl.capacity > 0 && t.candidates[tl.place] == tl, "%s: link %d is misplaced among the candidates", name, l.id)
	c.that(tl.expected == l.load+shareOf(uint64(tl.capacity)), "%s: candidate %d is ranked by another load", name, l.id)
	c.that(tl.place == 0 || !t.candidates.Less(tl.place, (tl.place-1)/2), "%s: candidate %d is out of order", name, l.id)
}

// candidates checks that the candidate found for an object is the best of all.
func (c *check) candidates(name string, o *object) {
	var best *link
	var load, since uint64
	for l := range o.exposing {
		p := o.part(l)
		if p.capacity == 0 {
			continue
		}
		expected := l.load + shareOf(p.capacity)
		if limit, limited := l.limit.at(c.x.now.Mono); limited && expected > limit {
			continue
		}
		if best == nil || expected < load || expected == load && p.since < since {
			best, load, since = l, expected, p.since
		}
	}
	found, expected := c.x.leastLoaded(o)
	c.that(found == best && expected == load, "%s: the least loaded link found has load %d, another has %d", name, expected, load)
}

func (c *check) contracts() {
	for _, id := range sortedKeys(c.x.contracts) {
		contract := c.x.contracts[id]
		c.that(slices.Contains(*contract.list(), contract), "contract %d is not listed", id)
		if contract.object != nil {
			c.that(c.x.objects[contract.object.descriptor.Key] == contract.object, "contract %d: its object is forgotten", id)
		}
		waiting := 0
		for _, key := range sortedKeys(contract.offers) {
			f := contract.offers[key]
			c.that(f.taken == (c.x.offers[f.id] == f), "contract %d: offer %d is taken %v", id, f.id, f.taken)
			if !f.taken {
				waiting++
			}
			if f.object != nil {
				c.that(c.x.objects[key] == f.object, "contract %d: offer %d is of a forgotten object", id, f.id)
			}
		}
		c.that(waiting == contract.waiting.length, "contract %d: %d offers wait, %d are queued", id, waiting, contract.waiting.length)
	}
}

func (c *check) links() {
	for _, id := range sortedKeys(c.x.links) {
		l := c.x.links[id]
		c.that(l.id == id, "link %d is filed under %d", l.id, id)
		c.that((l.role == ToUpstream) == (l == c.x.upstream), "link %d: role %d", id, l.role)
		pending := l.pending.length + l.pendingObjects.length + l.pendingTags.length + l.outlets.length
		c.that(l.ready || pending == 0 && l.greeted, "link %d has something to send and was not woken", id)
		for _, number := range sortedKeys(l.theirs) {
			if channel := l.theirs[number].state; channel != nil {
				c.that(c.x.objects[channel.object.descriptor.Key] == channel.object, "link %d: channel %d of a forgotten object", id, number)
				c.that(slices.Contains(channel.object.sources, channel) || slices.Contains(channel.object.outlets, channel), "link %d: channel %d is not among its object's", id, number)
				if l.theirs[number].kind == source {
					c.channel(fmt.Sprintf("link %d", id), channel)
				}
			}
		}
		for _, key := range sortedKeys(l.objects) {
			ol := l.objects[key]
			c.that(slices.Contains(ol.object.links, ol) && c.x.objects[key] == ol.object, "link %d: its record of %s is not among the object's", id, key)
			c.that((ol.begun != 0) == ol.exposes, "link %d exposes %s: %v, since %d", id, key, ol.exposes, ol.begun)
		}
		for _, identity := range sortedKeys(l.tags) {
			tl := l.tags[identity]
			c.that(slices.Contains(tl.tag.links, tl) && c.x.tags[identity] == tl.tag, "link %d: its record of tag %s is not among the tag's", id, identity)
			c.that((tl.begun != 0) == tl.exposes, "link %d exposes tag %s: %v, since %d", id, identity, tl.exposes, tl.begun)
			c.charged(fmt.Sprintf("link %d, tag %s", id, identity), tl.charge, &l.books, names, tagSize(tl.tag.text, identity))
			c.that(!tl.touched && tl.asks == tl.applied, "link %d: tag %s is not settled", id, identity)
		}
		for _, number := range sortedKeys(l.ours) {
			ol := l.ours[number].record
			c.that(number <= l.lastOurs, "link %d: channel %d is beyond the last opened", id, number)
			c.that(ol != nil && l.objects[ol.object.descriptor.Key] == ol && (ol.sink == l.ours[number] || ol.stream == l.ours[number]), "link %d: channel %d is nobody's", id, number)
		}
		for _, key := range sortedKeys(l.told) {
			c.told(l, l.told[key])
		}
		for _, identity := range sortedKeys(l.toldTags) {
			c.told(l, l.toldTags[identity])
		}
	}
}

// told checks that what upstream was told is right or about to be put right.
func (c *check) told(l *link, t *told) {
	var wanted asks
	if o := c.x.objects[t.key]; !t.isTag() && o != nil {
		wanted = o.summarize()
	}
	if known := c.x.tags[t.key]; t.isTag() && known != nil {
		wanted = known.summarize()
	}
	c.charged("told "+t.key, t.charge, &l.books, names, t.size())
	c.that(t.pending.queued == (t.summary != wanted), "link %d: upstream was told %+v of %s, it is %+v, queued %v", l.id, t.summary, t.key, wanted, t.pending.queued)
}

// counters checks what is counted per link and object.
func (c *check) counters() {
	for _, id := range sortedKeys(c.x.links) {
		c.that(c.x.links[id].load == c.loads[id], "link %d has load %d, its objects' shares make %d", id, c.x.links[id].load, c.loads[id])
	}
	for _, key := range sortedKeys(c.x.objects) {
		o := c.x.objects[key]
		c.that(o.unsent == c.unsent[o], "object %s counts %d queued channels, there are %d", key, o.unsent, c.unsent[o])
		c.that(o.unsent > 0 || o.deltas.empty(), "object %s keeps deltas that nobody waits for", key)
	}
}
