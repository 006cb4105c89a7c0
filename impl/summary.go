package impl

import (
	"math"

	"hakuban/wire"
)

// told is what upstream was told of one object or tag. It outlives the object:
// upstream must still be told that nothing is asked for any more.
type told struct {
	key        string // object key or tag identity
	tag        bool
	descriptor wire.Descriptor // of a tag: JSON only
	summary    asks            // last told
	pending    entry[*told]    // in link.pendingObjects or link.pendingTags
}

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
	s := asks{observes: len(t.observers) > 0, exposes: len(t.exposers) > 0}
	for _, tl := range t.links {
		s.observes = s.observes || tl.observes
		s.exposes = s.exposes || tl.exposes
	}
	s.capacity = uint32(min(t.capacity(), math.MaxUint32))
	return s
}

func (t *tag) capacity() (sum uint64) {
	for _, c := range t.exposers {
		sum += uint64(c.capacity)
	}
	for _, tl := range t.links {
		sum += uint64(tl.capacity)
	}
	return sum
}

// summarizeObject queues an object for upstream when its summary is not what
// upstream was told, and takes it out of the queue when it is again.
func (x *Exchange) summarizeObject(o *object) {
	l := x.upstream
	if l == nil {
		return
	}
	entry := l.told[o.descriptor.Key]
	if entry == nil {
		entry = &told{key: o.descriptor.Key, descriptor: o.descriptor}
	}
	x.queueTold(l, l.told, &l.pendingObjects, entry, o.summarize())
}

func (x *Exchange) summarizeTag(t *tag) {
	l := x.upstream
	if l == nil {
		return
	}
	entry := l.toldTags[t.identity]
	if entry == nil {
		entry = &told{key: t.identity, tag: true, descriptor: wire.Descriptor{JSON: t.text}}
	}
	x.queueTold(l, l.toldTags, &l.pendingTags, entry, t.summarize())
}

func (x *Exchange) queueTold(l *link, all map[string]*told, queue *fifo[*told], entry *told, wanted asks) {
	if entry.summary == wanted {
		queue.remove(&entry.pending)
		if wanted == (asks{}) {
			delete(all, entry.key)
		}
		return
	}
	entry.pending.value = entry
	all[entry.key] = entry
	queue.push(&entry.pending)
	x.wake(l)
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
		return entry.change(l.told, wanted, actions)
	}
	entry := l.pendingTags.first.value
	l.pendingTags.remove(l.pendingTags.first)
	var wanted asks
	if t := x.tags[entry.key]; t != nil {
		wanted = t.summarize()
	}
	return entry.change(l.toldTags, wanted, actions)
}

// change appends the actions from what was told to what is wanted: observe
// before expose.
func (t *told) change(all map[string]*told, wanted asks, actions []wire.ControlAction) []wire.ControlAction {
	action := func(object, tag wire.ActionKind, capacity uint32) {
		kind := object
		if t.tag {
			kind = tag
		}
		actions = append(actions, wire.ControlAction{Kind: kind, Tags: t.descriptor.Tags, JSON: t.descriptor.JSON, Capacity: capacity})
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
		delete(all, t.key)
	}
	return actions
}
