package impl

import (
	"cmp"
	"slices"
)

// tag is a wildcard: contracts on it cover every live object that carries it.
type tag struct {
	number    uint64
	place     int // in its roster
	identity  string
	wanted    charge        // for what upstream should be asked for
	text      string        // spelling sent
	objects   fifo[*object] // carrying it, oldest first
	observers []*contract   // local, by id
	exposers  []*contract
	links     []*tagLink // downstream links with contracts on it, by id
}

// tagLink is what one downstream link asked for on one tag.
type tagLink struct {
	tag     *tag
	link    *link
	asked   asks   // by the peer, on the tag
	asks           // what of asked its rights allow, as of now
	begun   uint64 // when it began to expose the tag; zero: it does not
	applied asks   // what the link's records of the tag's objects have been told of it
	charge  charge
	touched bool // asks may differ from applied until the control message under way is over
}

// contribute adds what a link asks for on a tag to its record of an object that
// carries the tag, or with sign -1 takes it away.
func (a asks) contribute(ol *objectLink, sign int) {
	if a.observes {
		ol.tagObserves += sign
	}
	if a.exposes {
		ol.tagExposes += sign
		if sign > 0 {
			ol.tagCapacity += uint64(a.capacity)
		} else {
			ol.tagCapacity -= uint64(a.capacity)
		}
	}
}

// acquireTag finds or makes a tag.
func (x *Exchange) acquireTag(text, identity string) *tag {
	t := x.tags[identity]
	if t == nil {
		x.lastTag++
		t = &tag{number: x.lastTag, identity: identity, text: text}
		x.tags[identity] = t
		x.rosters.tags.add(t)
	}
	return t
}

// forgetTag drops a tag that has nothing on it.
func (x *Exchange) forgetTag(t *tag) {
	if t.objects.length+len(t.observers)+len(t.exposers)+len(t.links) == 0 {
		delete(x.tags, t.identity)
		x.rosters.tags.remove(t)
	}
}

func (t *tag) findLink(id LinkID) (int, bool) {
	return slices.BinarySearchFunc(t.links, id, func(tl *tagLink, id LinkID) int { return cmp.Compare(tl.link.id, id) })
}

// acquireTagLink finds or makes the record of a downstream link on a tag, and
// touches it: the caller changes what is asked for.
func (x *Exchange) acquireTagLink(t *tag, l *link) *tagLink {
	at, found := t.findLink(l.id)
	if !found {
		t.links = slices.Insert(t.links, at, &tagLink{tag: t, link: l})
		l.tags[t.identity] = t.links[at]
	}
	tl := t.links[at]
	if !tl.touched {
		tl.touched = true
		x.touchedTags = append(x.touchedTags, tl)
	}
	return tl
}

// settleTag makes the records of a tag's objects agree with what a link asks for
// on the tag now: once for a control message, however often that changed it.
func (x *Exchange) settleTag(tl *tagLink) {
	t, l := tl.tag, tl.link
	x.date(&tl.begun, tl.exposes)
	if tl.asks != tl.applied {
		for e := t.objects.first; e != nil; e = e.next {
			ol := x.acquireObjectLink(e.value, l)
			x.recount(ol, func() {
				tl.applied.contribute(ol, -1)
				tl.asks.contribute(ol, 1)
			})
			x.touch(ol)
		}
		tl.applied = tl.asks
	}
	tl.touched = false
	if !tl.asked.any() {
		at, _ := t.findLink(l.id)
		t.links = slices.Delete(t.links, at, at+1)
		delete(l.tags, t.identity)
	}
	x.summarizeTag(t)
	x.forgetTag(t)
}
