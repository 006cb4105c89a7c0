package impl

import (
	"cmp"
	"slices"
)

// tag is a wildcard: contracts on it cover every live object that carries it. What
// links ask for by a tag is the tag's: objects have no record of it.
type tag struct {
	number     uint64
	place      int // in its roster
	identity   string
	wanted     charge        // for what upstream should be asked for
	text       string        // spelling sent
	objects    fifo[*object] // carrying it, oldest first
	observers  []*contract   // local, by id
	exposers   []*contract
	links      []*tagLink // downstream links with contracts on it, by id
	observing  []*tagLink // of links, those that observe it, by id
	exposing   []*tagLink // of links, those that expose it, by id
	candidates candidates // of exposing, those that may be elected
	offered    uint64     // summed capacity of exposing
}

// tagLink is what one downstream link asked for on one tag.
type tagLink struct {
	tag      *tag
	link     *link
	asked    asks   // by the peer, on the tag
	asks            // what of asked its rights allow, as of now
	begun    uint64 // when it began to expose the tag; zero: it does not
	applied  asks   // what the tag's lists say of it
	charge   charge
	touched  bool   // asks may differ from applied until the control message under way is over
	expected uint64 // load of the link with one more object of the tag, as a candidate
	place    int    // in tag.candidates; -1: it is none of them
	weighed  int    // place in link.exposing; -1: it does not expose the tag
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

// acquireTagLink finds or makes the record of a downstream link on a tag, and
// touches it: the caller changes what is asked for.
func (x *Exchange) acquireTagLink(t *tag, l *link) *tagLink {
	tl := l.tags[t.identity]
	if tl == nil {
		tl = &tagLink{tag: t, link: l, place: -1, weighed: -1}
		list(&t.links, tl, true)
		l.tags[t.identity] = tl
	}
	if !tl.touched {
		tl.touched = true
		x.touchedTags = append(x.touchedTags, tl)
	}
	return tl
}

// list puts a link into a list that is ordered by id, or takes it out.
func list(links *[]*tagLink, tl *tagLink, in bool) {
	at, found := findTagLink(*links, tl.link.id)
	switch {
	case in && !found:
		*links = slices.Insert(*links, at, tl)
	case !in && found:
		*links = slices.Delete(*links, at, at+1)
	}
}

func findTagLink(links []*tagLink, id LinkID) (int, bool) {
	return slices.BinarySearchFunc(links, id, func(tl *tagLink, id LinkID) int { return cmp.Compare(tl.link.id, id) })
}

// apply makes a tag's lists say what a link asks for on it now.
func (x *Exchange) apply(tl *tagLink) {
	t, l := tl.tag, tl.link
	x.date(&tl.begun, tl.exposes)
	list(&t.observing, tl, tl.observes)
	list(&t.exposing, tl, tl.exposes)
	t.offered += uint64(tl.capacity) - uint64(tl.applied.capacity)
	tl.applied = tl.asks
	switch {
	case tl.exposes && tl.weighed < 0:
		tl.weighed = len(l.exposing)
		l.exposing = append(l.exposing, tl)
	case !tl.exposes && tl.weighed >= 0:
		last := len(l.exposing) - 1
		l.exposing[tl.weighed], l.exposing[last].weighed = l.exposing[last], tl.weighed
		l.exposing[last], l.exposing, tl.weighed = nil, l.exposing[:last], -1
	}
	x.rank(tl)
}

// settleTags makes tags' lists agree with what a link asks for on the tags now, and
// touches the objects that this concerns: once for a control message, however often
// that changed it.
func (x *Exchange) settleTags(touched []*tagLink) {
	was := make([]asks, len(touched))
	for i, tl := range touched {
		was[i] = tl.applied
		x.apply(tl)
	}
	for i, tl := range touched {
		if was[i] != tl.asks {
			for e := tl.tag.objects.first; e != nil; e = e.next {
				if x.concerns(e.value, tl.link) {
					x.touch(e.value, tl.link)
				}
			}
		}
		tl.touched = false
		x.forgetTagLink(tl)
	}
}

// forgetTagLink drops what a link asks for on a tag once it asks for nothing, and the
// tag if that was all there was.
func (x *Exchange) forgetTagLink(tl *tagLink) {
	t := tl.tag
	if !tl.asked.any() {
		list(&t.links, tl, false)
		delete(tl.link.tags, t.identity)
	}
	x.summarizeTag(t)
	x.forgetTag(t)
}
