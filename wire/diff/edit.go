package diff

// Bounds of what is searched for matches around an edit, in bytes.
const (
	shortest    = 4    // no reference is worthwhile for less
	smallNew    = 64   // of new between equal ends, at most, and
	smallOld    = 512  // of old, for an edit to be small
	smallReach  = 256  // searched on both sides of a small edit
	leastReach  = 4096 // searched on both sides of others, at least, and
	reachFactor = 64   // for each byte of new between equal ends
)

// Bounds of the strides over bytes without match.
const (
	patience  = 6  // bits; after 1<<patience such bytes, strides grow
	maxStride = 15 // bytes; odd, so that strides meet every sampled position
)

// edit is a change of old to new, divided into an equal head, a middle, and an
// equal tail. The middle becomes literals and references.
type edit struct {
	old, new   []byte
	head, tail int // bytes
}

// trim returns the edit of old to new. Equal ends that are too short for a
// reference belong to the middle.
func trim(old, new []byte) edit {
	head := commonHead(old, new)
	tail := commonTail(old[head:], new[head:])
	if !worthwhile(len(old)-len(new), tail) {
		tail = 0
	}
	if !worthwhile(0, head) {
		head = 0
	}
	return edit{old: old, new: new, head: head, tail: tail}
}

// end returns where the middle ends, offset in new.
func (e edit) end() int { return len(e.new) - e.tail }

// searched tells whether the middle is long enough for a reference.
func (e edit) searched() bool { return e.end()-e.head >= shortest }

// small tells whether so little changed that to search far would cost more than
// it can save.
func (e edit) small() bool {
	return e.end()-e.head <= smallNew && len(e.old)-e.tail-e.head <= smallOld
}

// reach returns how much is searched on both sides of the middle, in bytes.
func (e edit) reach() int {
	if e.small() {
		return smallReach
	}
	return max(leastReach, reachFactor*(e.end()-e.head))
}

// appendLiteral appends the diff with the whole middle literal.
func (e edit) appendLiteral(dst []byte) []byte {
	w := newWriter(dst, e.new, e.head, e.end())
	w.equal(0, 0, e.head)
	w.literal(e.head, e.end())
	w.equal(e.end(), len(e.old)-e.tail, e.tail)
	return w.dst
}

// appendParts appends the diff with the middle divided, from left to right,
// into literals and what the finder finds.
func (e edit) appendParts(dst []byte, f *finder) []byte {
	w := newWriter(dst, e.new, e.head, e.end())
	w.equal(0, 0, e.head)
	pending := e.head // start of the literals not yet written
	for at := e.head; at < e.end(); {
		m := f.find(at, pending)
		if m.gain <= 0 {
			break
		}
		m = f.extend(f.across(m), pending)
		w.reserve(pending)
		w.literal(pending, m.at)
		at = m.at + m.length
		pending = at
		f.taken(m)
		if at == e.end() && e.covers(m) {
			m.length += e.tail
			w.copied(m)
			return w.dst
		}
		w.copied(m)
	}
	w.literal(pending, e.end())
	w.equal(e.end(), len(e.old)-e.tail, e.tail)
	return w.dst
}

// covers tells whether what follows a match up to the end of the middle equals
// the tail too, so that the tail needs no reference of its own.
func (e edit) covers(m match) bool {
	source := e.new
	if m.kind == kindOld {
		source = e.old
	}
	from := m.from + m.length
	return len(source)-from >= e.tail && m.length+e.tail <= maxLength &&
		commonHead(source[from:], e.new[e.end():]) == e.tail
}
