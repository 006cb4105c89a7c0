package hakuban

// turns is a queue of links, taken from both ends.
type turns struct {
	links []*Link
	begin int // of links, those before it are taken
}

func (q *turns) length() int { return len(q.links) - q.begin }

func (q *turns) push(l *Link) {
	if q.begin > len(q.links)/2 && len(q.links) == cap(q.links) { // in place of growing
		n := copy(q.links, q.links[q.begin:])
		clear(q.links[n:])
		q.links, q.begin = q.links[:n], 0
	}
	q.links = append(q.links, l)
}

// first takes the link that has waited longest; nil: none waits.
func (q *turns) first() *Link {
	if q.length() == 0 {
		return nil
	}
	l := q.links[q.begin]
	q.links[q.begin] = nil
	q.begin++
	q.emptied()
	return l
}

// last returns the latest link, without taking it; nil: none waits.
func (q *turns) last() *Link {
	if q.length() == 0 {
		return nil
	}
	return q.links[len(q.links)-1]
}

// dropLast takes the latest link.
func (q *turns) dropLast() {
	q.links[len(q.links)-1] = nil
	q.links = q.links[:len(q.links)-1]
	q.emptied()
}

// emptied lets go of the memory of many.
func (q *turns) emptied() {
	if q.length() > 0 {
		return
	}
	q.links, q.begin = q.links[:0], 0
	if cap(q.links) > 1<<12 {
		q.links = nil
	}
}
