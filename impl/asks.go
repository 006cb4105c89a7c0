package impl

import "hakuban/wire"

// asks is what one exchange asks of the one above it on an object or on a tag.
type asks struct {
	observes bool
	exposes  bool
	capacity uint32
}

func (a asks) any() bool { return a.observes || a.exposes }

// part is what a downstream link asks for on an object in all: by its contract there,
// and by those on the object's tags.
type part struct {
	observes bool
	exposes  bool
	capacity uint64
	since    uint64 // when the oldest contract began by which it exposes the object
}

func (p *part) add(a asks, begun uint64) {
	if a.exposes && (!p.exposes || begun < p.since) {
		p.since = begun
	}
	p.observes, p.exposes, p.capacity = p.observes || a.observes, p.exposes || a.exposes, p.capacity+uint64(a.capacity)
}

// part is worked out when it is needed: an object has few tags.
func (o *object) part(l *link) (p part) {
	if ol := o.record(l); ol != nil {
		p.add(ol.asks, ol.begun)
	}
	for _, t := range o.tags {
		if len(t.observing)+len(t.exposing) == 0 {
			continue
		}
		if tl := l.tags[t.identity]; tl != nil {
			p.add(tl.asks, tl.begun)
		}
	}
	p.capacity = min(p.capacity, l.rights.capacityBound())
	return p
}

// observing yields the downstream links that observe an object, oldest first.
func (o *object) observing(yield func(*link) bool) {
	o.merge(o.tally.observing, func(ol *objectLink) bool { return ol.observes }, func(t *tag) []*tagLink { return t.observing }, yield)
}

// exposing yields the downstream links that expose an object, oldest first.
func (o *object) exposing(yield func(*link) bool) {
	o.merge(o.tally.exposing, func(ol *objectLink) bool { return ol.exposes }, func(t *tag) []*tagLink { return t.exposing }, yield)
}

// merge yields the links, oldest first, of those records of an object that count, of
// which there is a number, and of a list of each of its tags.
func (o *object) merge(number int, counts func(*objectLink) bool, list func(*tag) []*tagLink, yield func(*link) bool) {
	own, last := 0, LinkID(0)
	if number == 0 {
		own = len(o.links)
	}
	for {
		var next *link
		for own < len(o.links) && (o.links[own].link.id <= last || !counts(o.links[own])) {
			own++
		}
		if own < len(o.links) {
			next = o.links[own].link
		}
		for _, t := range o.tags {
			links := list(t)
			at, found := findTagLink(links, last)
			if found {
				at++
			}
			if at < len(links) && (next == nil || links[at].link.id < next.id) {
				next = links[at].link
			}
		}
		if next == nil || !yield(next) {
			return
		}
		last = next.id
	}
}

// after is what is asked for after an action, and what is wrong with that; "": nothing.
func (a asks) after(action *wire.ControlAction) (will asks, fault string) {
	switch action.Kind {
	case wire.ActionObserveObject, wire.ActionObserveTag:
		if a.observes {
			fault = "does already"
		}
		a.observes = true
	case wire.ActionUnobserveObject, wire.ActionUnobserveTag:
		if !a.observes {
			fault = "does not observe"
		}
		a.observes = false
	case wire.ActionExposeObject, wire.ActionExposeTag:
		if a.exposes {
			fault = "does already"
		}
		a.exposes, a.capacity = true, action.Capacity
	case wire.ActionUnexposeObject, wire.ActionUnexposeTag:
		if !a.exposes {
			fault = "does not expose"
		}
		a.exposes, a.capacity = false, 0
	case wire.ActionSetObjectCapacity, wire.ActionSetTagCapacity:
		if !a.exposes {
			return a, "does not expose"
		}
		a.capacity = action.Capacity
	}
	return a, fault
}
