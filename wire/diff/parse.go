package diff

// Bounds of what is searched for matches around an edit, in bytes. A small edit
// is one whose tables fit on the stack.
const (
	shortest    = 4    // no reference is worthwhile for less
	smallNew    = 64   // of new between equal ends, at most, and
	smallOld    = 512  // of old, for an edit to be small
	smallReach  = 256  // searched on both sides of a small edit
	reach       = 4096 // searched on both sides of others, and
	reachFactor = 64   // for each byte of new between equal ends
)

// Bounds of the effort to place a match well.
const (
	lazyLength  = 64 // bytes; a longer match is taken without looking further
	patience    = 6  // bits; after 1<<patience bytes without match, strides grow
	maxStride   = 15 // bytes; odd, so that strides meet every sampled position
	firstInside = 32 // bytes at the ends of a long match that are found later
)

// parse is the making of one diff: an equal head, a middle of literals and
// references, an equal tail.
type parse struct {
	writer writer
	finder finder
	head   int // bytes
	tail   int // bytes
}

// begin trims what is equal at both ends and writes the head.
func begin(dst, old, new []byte) parse {
	head := commonHead(old, new)
	tail := commonTail(old[head:], new[head:])
	if !worthwhile(len(old)-len(new), tail) {
		tail = 0
	}
	if !worthwhile(0, head) {
		head = 0
	}
	end := len(new) - tail
	p := parse{
		writer: writer{dst: dst, new: new, end: end, escape: initialEscape},
		finder: finder{old: old, new: new, end: end},
		head:   head,
		tail:   tail,
	}
	p.writer.equal(0, 0, head)
	return p
}

// searches tells whether the middle is long enough for a reference.
func (p *parse) searches() bool { return p.finder.end-p.head > shortest-1 }

// small tells whether the edit is small enough for tables on the stack.
func (p *parse) small() bool {
	return p.searches() && p.finder.end-p.head <= smallNew && len(p.finder.old)-p.tail-p.head <= smallOld
}

// smallMiddle writes the middle of a small edit.
func (p *parse) smallMiddle() {
	var heads, links [smallOld + 2*smallReach]int32
	var newHeads, newLinks [512]int32
	p.finder.oldTable.heads, p.finder.oldTable.links = heads[:], links[:]
	p.finder.newTable.heads, p.finder.newTable.links = newHeads[:], newLinks[:]
	p.search(smallReach)
}

// middle writes the middle.
func (p *parse) middle() {
	p.search(max(reach, reachFactor*(p.finder.end-p.head)))
}

// search fills the tables with what surrounds the edit and writes the middle.
func (p *parse) search(reach int) {
	f := &p.finder
	low := max(p.head-reach, 0)
	high := min(len(f.old)-p.tail+reach, len(f.old))
	hashed := 4
	switch {
	case high-low > 1<<16:
		hashed = 8
	case high-low > 1<<12:
		hashed = 5
	}
	f.oldTable.reset(low, high-low, hashed)
	f.oldTable.sample(high)
	f.oldTable.fill(f.old, high)
	low = max(p.head-min(reach, 4096), 0)
	f.newTable.reset(low, min(f.end-low, 1<<16), 4)
	f.newTable.fill(f.new, p.head)
	p.divide()
}

// divide writes the middle as literals and references, from left to right.
func (p *parse) divide() {
	f := &p.finder
	pending := p.head // start of the literals not yet written
	for at := p.head; at < f.end; {
		f.newTable.fill(f.new, at)
		m := f.find(at)
		if m.gain <= 0 {
			at += min((at-pending)>>patience|1, maxStride)
			continue
		}
		m = f.extend(f.across(p.improve(m)), pending)
		p.writer.literal(pending, m.at)
		p.take(m)
		pending = m.at + m.length
		at = pending
	}
	p.writer.literal(pending, f.end)
}

// improve looks whether a match at one of the next offsets gains more, and
// returns the best.
func (p *parse) improve(m match) match {
	f := &p.finder
	for m.length < lazyLength && m.at+1 < f.end {
		f.newTable.fill(f.new, m.at+1)
		next := f.find(m.at + 1)
		if next.gain <= m.gain {
			return m
		}
		m = next
	}
	return m
}

// take writes a match and keeps both its ends findable.
func (p *parse) take(m match) {
	f := &p.finder
	if m.kind == kindOld {
		f.delta = m.from - m.at
	}
	if m.at+m.length == f.end && p.reachesEnd(m) {
		m.length += p.tail
		p.tail = 0
	}
	p.writer.copied(m)
	if m.length > 2*firstInside {
		f.newTable.fill(f.new, m.at+firstInside)
		f.newTable.skip(m.at + m.length - firstInside)
	}
}

// reachesEnd tells whether a match up to the tail goes on to the end of new, so
// that it needs no reference of its own.
func (p *parse) reachesEnd(m match) bool {
	if p.tail == 0 || m.length+p.tail > maxLength {
		return false
	}
	source := p.finder.new
	if m.kind == kindOld {
		source = p.finder.old
	}
	from := m.from + m.length
	return len(source)-from >= p.tail && commonHead(source[from:], p.finder.new[p.finder.end:]) == p.tail
}

// finish writes what is left and returns the diff.
func (p *parse) finish() []byte {
	if !p.searches() {
		p.writer.literal(p.head, p.finder.end)
	}
	p.writer.equal(len(p.finder.new)-p.tail, len(p.finder.old)-p.tail, p.tail)
	return p.writer.dst
}
