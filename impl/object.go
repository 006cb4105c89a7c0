package impl

import (
	"cmp"
	"slices"

	"hakuban/wire"
)

// object is one shared object as this exchange knows it.
type object struct {
	number     uint64
	place      int // in its roster
	descriptor wire.Descriptor
	tags       []*tag
	carried    []entry[*object] // the object's places in its tags' objects

	observers []*contract   // local object observe contracts, by id
	exposers  []*contract   // local object expose contracts, by id
	links     []*objectLink // downstream links with anything of their own on the object, by id
	sources   []*channel    // streams that upstream has open to us, oldest first
	outlets   []*channel    // sinks that upstream has open to us, oldest first

	tally   tally   // of links
	changed []*link // those that ask for something else since the object was settled
	moved   bool    // the election has, since then

	shouldExist bool
	dataNeeded  bool
	elected     Elected
	share       uint64 // load put on the elected link at election

	held    *State       // nil: none
	flag    Synchronized // of held
	hollow  bool         // of held only the version and the format are left
	foreign bool         // held came over a link
	bringer *channel     // that it came on; nil: of our own process, or closed since
	floor   int64        // Mono when held was last known to be current: flag never falls below
	newest  []int64      // the greatest version ever held

	wanted   charge // for what upstream should be asked for
	kept     charge // for held
	answers  charge // for the channels of upstream
	streamed charge // for the last states of sources

	deltas  deltas
	unsent  int // channels of the object queued on some link
	touched bool
	balance balancing
}

// objectLink is what one downstream link asked for on one object by name, and the
// channels it has there or should have. It exists while there is any of either: what
// a link asks for by a tag alone is in the tag.
type objectLink struct {
	object *object
	link   *link

	asked  asks   // by the peer, on the object itself
	asks          // what of asked its rights allow
	begun  uint64 // when it began to expose the object itself; zero: it does not
	charge charge // for this record

	sink    *channel // open for the peer to send states to us
	revoked bool     // the sink's election ended: its states are dropped, a pull closes it
	stream  *channel // open for us to send states to the peer

	pending entry[*objectLink] // in link.pending
}

func (ol *objectLink) idle() bool {
	return !ol.asked.any() && ol.sink == nil && ol.stream == nil && !ol.isElected() && !ol.wantsStream()
}

func (ol *objectLink) isElected() bool   { return ol.object.isElected(ol.link) }
func (ol *objectLink) wantsStream() bool { return ol.object.wantsStream(ol.link) }

// isElected reports whether a downstream link is elected for the object.
func (o *object) isElected(l *link) bool {
	return o.elected.Kind == ElectedLink && o.elected.Link == l.id
}

// wantsStream is the rule for a downstream link's stream of states.
func (o *object) wantsStream(l *link) bool {
	return o.elected.Kind != ElectedNobody && !o.isElected(l) && o.part(l).observes
}

// acquire finds or makes an object. The caller settles it.
func (x *Exchange) acquire(descriptor wire.Descriptor) *object {
	o := x.objects[descriptor.Key]
	if o != nil {
		return o
	}
	x.lastObject++
	o = &object{number: x.lastObject, descriptor: descriptor}
	o.balance.init(o)
	x.objects[descriptor.Key] = o
	x.rosters.objects.add(o)
	o.carried = make([]entry[*object], len(descriptor.Tags))
	for i, text := range descriptor.Tags {
		t := x.acquireTag(text, descriptor.TagIdentities[i])
		o.tags = append(o.tags, t)
		o.carried[i].value = o
		t.objects.push(&o.carried[i])
	}
	return o
}

// acquireObjectLink finds or makes the record of a downstream link on an object.
func (x *Exchange) acquireObjectLink(o *object, l *link) *objectLink {
	at, found := o.findLink(l.id)
	if found {
		return o.links[at]
	}
	ol := &objectLink{object: o, link: l}
	ol.pending.value = ol
	o.links = slices.Insert(o.links, at, ol)
	l.objects[o.descriptor.Key] = ol
	x.chargeRecord(ol)
	return ol
}

// record is that of a downstream link on an object; nil: there is none.
func (o *object) record(l *link) *objectLink {
	at, found := o.findLink(l.id)
	if !found {
		return nil
	}
	return o.links[at]
}

func (o *object) findLink(id LinkID) (int, bool) {
	return slices.BinarySearchFunc(o.links, id, func(ol *objectLink, id LinkID) int { return cmp.Compare(ol.link.id, id) })
}

// settle recomputes all that follows from an object's contracts, links and
// channels after one of them changed. It is the one place where an object comes
// to life, changes its exposer and is forgotten.
func (x *Exchange) settle(o *object) {
	x.work++
	o.shouldExist = o.mustExist()
	o.dataNeeded = o.shouldExist && o.needsData()
	x.elect(o, x.choice(o))
	x.offer(o)
	x.refreshFlag(o)
	x.chargeObject(o)
	x.settleLinks(o)
	x.summarizeObject(o)
	x.settleBalance(o)
	x.forget(o)
}

// touch notes that a link asks for something else on an object, for settleTouched, so
// that all of a control message is taken before anything follows from it.
func (x *Exchange) touch(o *object, l *link) {
	if last := len(o.changed) - 1; last < 0 || o.changed[last] != l {
		o.changed = append(o.changed, l)
	}
	if !o.touched {
		o.touched = true
		x.touched = append(x.touched, o)
	}
}

func (x *Exchange) settleTouched() {
	x.settleTags(x.touchedTags)
	x.touchedTags = emptied(x.touchedTags)
	for _, o := range x.touched {
		o.touched = false
		for _, l := range o.changed {
			if ol := o.record(l); ol != nil {
				x.date(&ol.begun, ol.exposes)
			}
		}
		x.settle(o)
	}
	x.touched = emptied(x.touched)
}

// concerns reports whether anything may follow for an object from what a link asks
// for on its tags now: whether [Exchange.settle] could find something to do.
func (x *Exchange) concerns(o *object, l *link) bool {
	x.work++
	switch {
	case o.touched, len(o.sources)+len(o.outlets) > 0, o.dataNeeded != (o.shouldExist && o.needsData()):
		return true
	case o.elected.Kind == ElectedNobody:
		return o.dataNeeded && o.exposedBy(1) || x.rebalances(o) != o.balance.queued
	case o.elected.Kind == ElectedLink && (o.elected.Link == l.id || x.rebalances(o) != o.balance.queued):
		return true
	}
	ol := o.record(l)
	return (ol != nil && ol.stream != nil) != o.wantsStream(l) || ol != nil && ol.idle()
}

// settleLinks queues the links for the object whose channels there are not what
// they should be: when the election moved it may be any, and otherwise only those
// that ask for something else.
func (x *Exchange) settleLinks(o *object) {
	if !o.moved {
		for _, l := range o.changed {
			x.settleLink(o, l)
		}
	} else {
		for _, ol := range slices.Clone(o.links) {
			x.settleLink(o, ol.link)
		}
		for _, t := range o.tags {
			for _, tl := range t.observing {
				x.settleLink(o, tl.link)
			}
		}
	}
	o.changed, o.moved = emptied(o.changed), false
}

func (x *Exchange) settleLink(o *object, l *link) {
	x.work++
	ol, wantsStream := o.record(l), o.wantsStream(l)
	if ol == nil && !wantsStream && !o.isElected(l) {
		return
	}
	if ol == nil {
		ol = x.acquireObjectLink(o, l)
	}
	hasSink := ol.sink != nil && !ol.revoked
	if hasSink != ol.isElected() || ol.revoked || (ol.stream != nil) != wantsStream {
		x.queueLink(ol)
	}
	x.forgetLink(ol)
}

// forgetLink drops a record once nothing is left of it.
func (x *Exchange) forgetLink(ol *objectLink) {
	if ol.idle() {
		at, _ := ol.object.findLink(ol.link.id)
		ol.object.links = slices.Delete(ol.object.links, at, at+1)
		x.dropObjectLink(ol)
	}
}

// mustExist is the rule for when an object is live. Tag contracts alone keep
// nothing alive.
func (o *object) mustExist() bool {
	if len(o.sources) > 0 || len(o.outlets) > 0 || len(o.observers) > 0 || len(o.exposers) > 0 {
		return true
	}
	return o.tally.observing+o.tally.exposing > 0
}

// streams reports whether a stream to a downstream link is open.
func (o *object) streams() bool {
	return slices.ContainsFunc(o.links, func(ol *objectLink) bool { return ol.stream != nil })
}

// needsData is the rule for when a live object's states are wanted.
func (o *object) needsData() bool {
	if len(o.sources) > 0 || len(o.outlets) > 0 || len(o.observers) > 0 {
		return true
	}
	for _, t := range o.tags {
		if len(t.observers) > 0 {
			return true
		}
	}
	if o.tally.observing > 1 {
		return true
	}
	var only *link
	for l := range o.observing {
		if only != nil {
			return true
		}
		only = l
	}
	return only != nil && !o.part(only).exposes
}

// exposedBy reports whether at least a number of downstream links expose the object.
func (o *object) exposedBy(number int) bool {
	most := o.tally.exposing
	for _, t := range o.tags {
		most = max(most, len(t.exposing))
	}
	if most == 0 || most >= number {
		return most >= number
	}
	for range o.exposing {
		if number--; number == 0 {
			return true
		}
	}
	return false
}

// forget drops an object that nothing needs any more, once the last of its channels
// is closed, then tags without anything on them.
func (x *Exchange) forget(o *object) {
	if o.shouldExist || o.tally.asked > 0 { // a contract that was left out may count again
		return
	}
	if slices.ContainsFunc(o.links, func(ol *objectLink) bool { return ol.sink != nil || ol.stream != nil }) {
		return
	}
	for _, ol := range o.links {
		x.dropObjectLink(ol)
	}
	o.links = nil
	delete(x.objects, o.descriptor.Key)
	x.rosters.objects.remove(o)
	for i, t := range o.tags {
		t.objects.remove(&o.carried[i])
		x.forgetTag(t)
	}
}

// dropObjectLink removes an idle record from its link; the caller removes it
// from the object.
func (x *Exchange) dropObjectLink(ol *objectLink) {
	x.unqueueLink(ol)
	x.leave(ol)
	delete(ol.link.objects, ol.object.descriptor.Key)
}
