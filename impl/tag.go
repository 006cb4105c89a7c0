package impl

import (
	"cmp"
	"slices"
)

// tag is a wildcard: contracts on it cover every live object that carries it.
type tag struct {
	number    uint64
	identity  string
	text      string        // spelling sent
	objects   fifo[*object] // carrying it, oldest first
	observers []*contract   // local, by id
	exposers  []*contract
	links     []*tagLink // downstream links with contracts on it, by id
}

// tagLink is what one downstream link asked for on one tag.
type tagLink struct {
	tag      *tag
	link     *link
	observes bool
	exposes  bool
	capacity uint32
}

// contribute adds what the link asked for on the tag to its record of an object
// that carries the tag, or with sign -1 takes it away.
func (tl *tagLink) contribute(ol *objectLink, sign int) {
	if tl.observes {
		ol.tagObserves += sign
	}
	if tl.exposes {
		ol.tagExposes += sign
		if sign > 0 {
			ol.tagCapacity += uint64(tl.capacity)
		} else {
			ol.tagCapacity -= uint64(tl.capacity)
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
	}
	return t
}

// forgetTag drops a tag that has nothing on it.
func (x *Exchange) forgetTag(t *tag) {
	if t.objects.length+len(t.observers)+len(t.exposers)+len(t.links) == 0 {
		delete(x.tags, t.identity)
	}
}

func (t *tag) findLink(id LinkID) (int, bool) {
	return slices.BinarySearchFunc(t.links, id, func(tl *tagLink, id LinkID) int { return cmp.Compare(tl.link.id, id) })
}

// changeTagLink changes what a link asks for on a tag, on the tag and on every
// object that carries it, which it touches.
func (x *Exchange) changeTagLink(t *tag, l *link, change func(*tagLink)) {
	at, found := t.findLink(l.id)
	if !found {
		t.links = slices.Insert(t.links, at, &tagLink{tag: t, link: l})
		l.tags[t.identity] = t.links[at]
	}
	tl := t.links[at]
	before := *tl
	change(tl)
	for e := t.objects.first; e != nil; e = e.next {
		ol := x.acquireObjectLink(e.value, l)
		before.contribute(ol, -1)
		tl.contribute(ol, 1)
		x.touch(e.value)
	}
	if !tl.observes && !tl.exposes {
		at, _ := t.findLink(l.id)
		t.links = slices.Delete(t.links, at, at+1)
		delete(l.tags, t.identity)
	}
	x.summarizeTag(t)
	x.forgetTag(t)
}
