package impl

import "container/heap"

// weigh changes the load of a link, and its place among the candidates of the tags
// that it exposes.
func (x *Exchange) weigh(l *link, load uint64) {
	l.load = load
	for _, tl := range l.exposing {
		x.rank(tl)
	}
}

// candidates are the links that may be elected by a tag, as a heap: first the one
// whose load would be least with one more object, of equals the one that has exposed
// the tag for longest. A link that its load limit refuses for good is none.
type candidates []*tagLink

// rank puts a link in its place among the candidates of a tag, or takes it out.
func (x *Exchange) rank(tl *tagLink) {
	x.work++
	is := tl.exposes && tl.capacity > 0
	if is {
		tl.expected = tl.link.load + shareOf(uint64(tl.capacity))
		is = !tl.link.limit.refusesForGood(tl.expected, x.now.Mono)
	}
	switch all := &tl.tag.candidates; {
	case is && tl.place < 0:
		heap.Push(all, tl)
	case is:
		heap.Fix(all, tl.place)
	case tl.place >= 0:
		heap.Remove(all, tl.place)
	}
}

// firstOf goes through the candidates of a tag, the first one first, until one is
// allowed.
func (x *Exchange) firstOf(t *tag, allowed func(*link) bool) {
	var refused []*tagLink
	for len(t.candidates) > 0 && !allowed(t.candidates[0].link) {
		refused = append(refused, heap.Pop(&t.candidates).(*tagLink))
	}
	for _, tl := range refused {
		x.rank(tl)
	}
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (c candidates) Len() int { return len(c) }

func (c candidates) Less(i, j int) bool {
	if c[i].expected != c[j].expected {
		return c[i].expected < c[j].expected
	}
	return c[i].begun < c[j].begun
}

func (c candidates) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].place, c[j].place = i, j
}

func (c *candidates) Push(tl any) {
	tl.(*tagLink).place = len(*c)
	*c = append(*c, tl.(*tagLink))
}

func (c *candidates) Pop() any {
	last := len(*c) - 1
	tl := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	tl.place = -1
	return tl
}
