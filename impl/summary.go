package impl

import (
	"math"

	"hakuban/wire"
)

// told is what upstream was told of one object or tag. It outlives the object:
// upstream must still be told that nothing is asked for any more.
type told struct {
	key        string           // object key or tag identity
	descriptor *wire.Descriptor // nil: a tag
	text       string           // of a tag, as it is spelled
	summary    asks             // last told
	place      int              // in its roster
	pending    entry[*told]     // in link.pendingObjects or link.pendingTags
	charge     charge           // for what upstream is asked for
}

func (t *told) isTag() bool { return t.descriptor == nil }

// summarize is what upstream should be told of an object: what a tag contract
// does to it is not repeated, tags go up as tags.
//
// spec: Summary
func (o *object) summarize() asks {
	s := asks{observes: len(o.observers)+o.tally.observing > 0, exposes: len(o.exposers)+o.tally.exposing > 0}
	s.capacity = uint32(min(o.capacity(), math.MaxUint32))
	return s
}

// capacity is the sum of all object expose contracts' capacities.
func (o *object) capacity() uint64 {
	sum := o.tally.capacity
	for _, c := range o.exposers {
		sum += uint64(c.capacity)
	}
	return sum
}

func (t *tag) summarize() asks {
	s := asks{observes: len(t.observers)+len(t.observing) > 0, exposes: len(t.exposers)+len(t.exposing) > 0}
	s.capacity = uint32(min(t.capacity(), math.MaxUint32))
	return s
}

func (t *tag) capacity() uint64 {
	sum := t.offered
	for _, c := range t.exposers {
		sum += uint64(c.capacity)
	}
	return sum
}

// summarizeObject queues an object for upstream when its summary is not what
// upstream was told, and takes it out of the queue when it is again.
func (x *Exchange) summarizeObject(o *object) {
	wanted := o.summarize()
	x.chargeWanted(&o.wanted, wanted.any(), objectSize(&o.descriptor))
	l := x.upstream
	if l == nil {
		return
	}
	entry := l.told[o.descriptor.Key]
	if entry == nil {
		entry = &told{key: o.descriptor.Key, descriptor: &o.descriptor}
	}
	x.queueTold(l, l.told, &l.pendingObjects, entry, wanted)
}

func (x *Exchange) summarizeTag(t *tag) {
	wanted := t.summarize()
	x.chargeWanted(&t.wanted, wanted.any(), tagSize(t.text, t.identity))
	l := x.upstream
	if l == nil {
		return
	}
	entry := l.toldTags[t.identity]
	if entry == nil {
		entry = &told{key: t.identity, text: t.text}
	}
	x.queueTold(l, l.toldTags, &l.pendingTags, entry, wanted)
}

func (x *Exchange) queueTold(l *link, all map[string]*told, queue *fifo[*told], entry *told, wanted asks) {
	if entry.summary == wanted {
		queue.remove(&entry.pending)
		if wanted == (asks{}) {
			x.forgetTold(l, all, entry)
		}
		return
	}
	entry.pending.value = entry
	if all[entry.key] == nil {
		all[entry.key] = entry
		l.toldRoster.add(entry)
		x.charge(&entry.charge, &l.books, names, entry.size())
	}
	queue.push(&entry.pending)
	x.wake(l)
}

// forgetTold drops what upstream was told once nothing is asked for any more.
func (x *Exchange) forgetTold(l *link, all map[string]*told, t *told) {
	if all[t.key] == t {
		delete(all, t.key)
		l.toldRoster.remove(t)
		x.charge(&t.charge, nil, 0, 0)
	}
}

// size is what it takes upstream, in bytes.
func (t *told) size() int {
	if t.isTag() {
		return tagSize(t.text, t.key)
	}
	return objectSize(t.descriptor)
}

// knowsObject and knowsTag report whether upstream is asked for it, or will be.

func (x *Exchange) knowsObject(key string) bool {
	if x.upstream != nil && x.upstream.told[key] != nil {
		return true
	}
	o := x.objects[key]
	return o != nil && o.summarize().any()
}

func (x *Exchange) knowsTag(identity string) bool {
	if x.upstream != nil && x.upstream.toldTags[identity] != nil {
		return true
	}
	t := x.tags[identity]
	return t != nil && t.summarize().any()
}

// tell takes the first queued object or tag, notes that upstream is told its
// summary of now, and appends the actions that say so.
func (x *Exchange) tell(l *link, actions []wire.ControlAction) []wire.ControlAction {
	if first := l.pendingObjects.first; first != nil {
		entry := first.value
		l.pendingObjects.remove(first)
		var wanted asks
		if o := x.objects[entry.key]; o != nil {
			wanted = o.summarize()
		}
		return x.change(l, l.told, entry, wanted, actions)
	}
	entry := l.pendingTags.first.value
	l.pendingTags.remove(l.pendingTags.first)
	var wanted asks
	if t := x.tags[entry.key]; t != nil {
		wanted = t.summarize()
	}
	return x.change(l, l.toldTags, entry, wanted, actions)
}

// change appends the actions from what was told to what is wanted: observe
// before expose.
func (x *Exchange) change(l *link, all map[string]*told, t *told, wanted asks, actions []wire.ControlAction) []wire.ControlAction {
	action := func(object, tag wire.ActionKind, capacity uint32) {
		said := wire.ControlAction{Kind: tag, JSON: t.text, Capacity: capacity}
		if !t.isTag() {
			said.Kind, said.Tags, said.JSON = object, t.descriptor.Tags, t.descriptor.JSON
		}
		actions = append(actions, said)
	}
	was := t.summary
	t.summary = wanted
	switch {
	case wanted.observes && !was.observes:
		action(wire.ActionObserveObject, wire.ActionObserveTag, 0)
	case !wanted.observes && was.observes:
		action(wire.ActionUnobserveObject, wire.ActionUnobserveTag, 0)
	}
	switch {
	case wanted.exposes && !was.exposes:
		action(wire.ActionExposeObject, wire.ActionExposeTag, wanted.capacity)
	case !wanted.exposes && was.exposes:
		action(wire.ActionUnexposeObject, wire.ActionUnexposeTag, 0)
	case wanted.capacity != was.capacity:
		action(wire.ActionSetObjectCapacity, wire.ActionSetTagCapacity, wanted.capacity)
	}
	if wanted == (asks{}) {
		x.forgetTold(l, all, t)
	}
	return actions
}
