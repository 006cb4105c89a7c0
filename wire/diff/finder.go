package diff

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Bounds of the search.
const (
	outputReach  = 1 << 12       // bytes of output searched before the first edit
	smallSize    = 1 << 14       // bytes of output that are searched thoroughly, at most
	chainLength  = 16            // places of a chain that are looked at
	lazyLength   = 64            // bytes; a longer match is taken without improving it
	lazySteps    = 4             // times a match is put off for a better one
	niceLength   = 256           // bytes; for one this long no chain is followed
	acrossLength = 8             // bytes; for shorter output, old data is not searched at its end
	keptLength   = 32            // bytes at both ends of a long match that are found later
	maxPlace     = math.MaxInt32 // number of a place in the output
)

// Bounds of the links of chains that are followed: leastCredit and two for each
// byte at first, together mostCredit at most, then one for 1<<creditShift bytes.
// Where they are used up, as in data of few symbols, only the latest place of a
// hash is looked at.
const (
	leastCredit = 1 << 12
	mostCredit  = 1 << 14
	creditShift = 1
)

// match is a place that holds the same bytes as new at some offset.
type match struct {
	kind   byte // kindOld or kindOutput
	from   int  // offset there
	at     int  // offset in new
	length int  // bytes
	gain   int  // bytes saved against literals; 0: no match
}

// finder looks for matches of one pair of old and new data.
//
// Invariant: its work is bounded by a constant for each byte of old and new. At
// one offset it looks at a fixed number of places, and at as many more as it
// has credit for. It compares a place no further than the match it makes, and
// leaves out what a match covers, unless another is put off for it, which
// happens lazySteps times at the most.
type finder struct {
	old, new []byte
	end      int // matches end here at the latest, offset in new
	base     int // place 0 of the output, offset in new
	next     int // what the tables take in next, offset in new
	delta    int // of the last match in old: its from - at
	tail     int // of the equal tail, likewise

	long, short latest    // of the output, by 8 and by 4 bytes
	chain       []uint32  // of small data: the place before with the same short hash
	index       *oldIndex // of old, or nil

	credit   int // links that may be followed
	credited int // offset in new up to which there was credit
	work     int // places looked at, and words of 8 bytes compared, for tests
}

// newFinder returns a finder for the middle of an edit. It looks at some of old
// on both sides of it, and of the output before it, where references are
// shorter. It takes the tables for that.
func newFinder(e edit, t *tables) finder {
	reach := e.reach()
	base := max(e.head-min(reach, outputReach), 0)
	f := finder{
		old: e.old, new: e.new, end: e.end(), base: base, next: base,
		tail: len(e.old) - len(e.new), credit: min(leastCredit+2*(e.end()-e.head), mostCredit), credited: e.head,
	}
	if len(e.old) > 0 {
		f.index = &t.old
		f.index.fill(e.old, max(e.head-reach, 0), min(len(e.old)-e.tail+reach, len(e.old)))
	}
	wanted := (f.end - base) / 2
	if f.end-base <= smallSize {
		wanted = f.end - base
		t.chain = cleared(t.chain, wanted)
		f.chain = t.chain
	}
	t.long.reset(wanted, longBits)
	t.short.reset(wanted, shortBits)
	f.long, f.short = t.long, t.short
	f.take(e.head)
	return f
}

// take takes in what the output holds from next to end.
func (f *finder) take(end int) {
	for at := f.next; at < end; at++ {
		f.put(at)
	}
	f.next = max(f.next, end)
}

// put takes in what the output holds at one offset.
func (f *finder) put(at int) {
	if at-f.base > maxPlace {
		return
	}
	word := load(f.new, at)
	f.long.places[word*multiplier>>(f.long.shift&63)] = uint32(at - f.base)
	place := &f.short.places[word<<32*multiplier>>(f.short.shift&63)]
	if f.chain != nil {
		f.chain[at-f.base] = *place
	}
	*place = uint32(at - f.base)
}

// find returns the first match at offset at or later, or a better one that
// begins a little after that; the bytes from pending to at have none. Its gain
// is 0 if there is none.
func (f *finder) find(at, pending int) (best match) {
	longs, shorts, base := f.long.places, f.short.places, f.base
	longShift, shortShift := f.long.shift&63, f.short.shift&63
	new, end, begin := f.new, f.end, at
	until := base + min(end-shortest-base, maxPlace)
	steps, misses := lazySteps, 1
	if f.chain != nil {
		misses = 0 // the thorough search has seen what comes next
	}
	for at <= until {
		word := load(new, at)
		longPlace := &longs[word*multiplier>>longShift]
		shortPlace := &shorts[word<<32*multiplier>>shortShift]
		longFrom, shortFrom := int(*longPlace)+base, int(*shortPlace)+base
		*longPlace, *shortPlace = uint32(at-base), uint32(at-base)
		found := match{kind: kindOutput, at: at}
		if load(new, longFrom) == word && longFrom < at {
			f.tryOutput(&found, longFrom, word)
			if shortFrom != longFrom {
				f.tryOutput(&found, shortFrom, word)
			}
		} else if uint32(load(new, shortFrom)) == uint32(word) && shortFrom < at {
			f.tryOutput(&found, shortFrom, word)
		}
		if f.chain != nil {
			f.follow(&found, shortFrom, word)
		}
		if f.index != nil {
			f.searchOld(&found, word)
		}
		switch {
		case found.gain > best.gain:
			best = found
			at++
			if best.length >= lazyLength || steps == 0 {
				f.next, f.work = at, f.work+at-begin
				return best
			}
			steps--
		case best.gain > 0:
			at++
			if misses == 0 {
				f.next, f.work = at, f.work+at-begin
				return best
			}
			misses--
		default:
			stride := min((at-pending)>>patience|1, maxStride)
			at += stride
			if stride > 1 {
				f.put(min(at, end) - 1) // so that a run is found from its second byte on
			}
		}
	}
	f.next, f.work = at, f.work+at-begin
	return best
}

// tryOutput makes the output at offset from the match if it gains more; word is
// what new holds at the match's offset.
func (f *finder) tryOutput(m *match, from int, word uint64) {
	unequal := load(f.new, from) ^ word
	if uint32(unequal) != 0 {
		return
	}
	length := bits.TrailingZeros64(unequal) / 8
	if length == 8 {
		length = commonWords(f.new[from:], f.new[m.at:f.end])
		f.work += length / 8
	}
	length = min(length, f.end-m.at, maxLength)
	if gain := length - referenceSize(int64(m.at-from), int64(length)); gain > m.gain {
		m.kind, m.from, m.length, m.gain = kindOutput, from, length, gain
	}
}

// follow tries the places of the output that are chained to the one at offset
// from, and chains the match's offset to it.
func (f *finder) follow(m *match, from int, word uint64) {
	f.chain[m.at-f.base] = uint32(from - f.base)
	for links := chainLength; links > 0 && f.credit > 0; links-- {
		before := int(f.chain[from-f.base]) + f.base
		if before >= from {
			return
		}
		from = before
		f.credit--
		f.work++
		f.tryOutput(m, from, word)
	}
}

// searchOld makes a place in old the match if it gains more. Of equals it
// prefers the one that may go on to the end.
func (f *finder) searchOld(m *match, word uint64) {
	if from := m.at + f.delta; f.mayMatch(from, word) {
		f.tryOld(m, from)
	}
	if from := m.at + f.tail; f.delta != f.tail && f.mayMatch(from, word) {
		f.tryOld(m, from)
	}
	if m.length < niceLength {
		f.lookUp(m, m.at, word)
	}
}

// mayMatch tells whether the first bytes of word are at offset from in old, or
// may be: where old ends soon, a match has to be tried.
func (f *finder) mayMatch(from int, word uint64) bool {
	f.work++
	return from >= 0 && (from+4 > len(f.old) || binary.LittleEndian.Uint32(f.old[from:]) == uint32(word))
}

// lookUp tries the places in old that hold word, which new holds at offset at,
// at the match's offset or after it.
func (f *finder) lookUp(m *match, at int, word uint64) {
	head, tag := f.index.hash(word)
	entry, ok := f.index.heads[head], true
	for links := chainLength; ok && links > 0; links-- {
		f.work++
		if entry&(1<<tagBits-1) == tag {
			f.tryOld(m, f.index.place(entry)-(at-m.at))
		}
		if f.credit <= 0 {
			return
		}
		f.credit--
		entry, ok = f.index.before(entry)
	}
}

// across returns the better of a match and the places in old that hold the same
// bytes and more: among what is hashed there, only what crosses the match's end
// tells them from all others that merely begin alike, as records of one form do.
func (f *finder) across(m match) match {
	if f.index == nil || f.credit <= 0 || m.kind == kindOutput && m.length < acrossLength && f.chain == nil {
		return m
	}
	end := m.at + m.length
	for at := max(m.at, end-7+f.index.unhashed/8); at <= end && at+8 <= len(f.new) && m.length < niceLength; at++ {
		f.lookUp(&m, at, load(f.new, at))
	}
	return m
}

// tryOld makes the old data at offset from the match if it gains more.
func (f *finder) tryOld(m *match, from int) {
	if from < 0 || from >= len(f.old) {
		return
	}
	position := oldPosition(int64(from) - int64(m.at))
	if position > maxPosition {
		return
	}
	length := min(commonWords(f.old[from:], f.new[m.at:f.end]), maxLength)
	f.work += 1 + length/8
	gain := length - referenceSize(position, int64(length))
	if gain > m.gain || gain == m.gain && from-m.at == f.tail {
		m.kind, m.from, m.length, m.gain = kindOld, from, length, gain
	}
}

// extend moves the start of a match back, over bytes that are equal too, to
// floor at the most.
func (f *finder) extend(m match, floor int) match {
	source := f.new
	if m.kind == kindOld {
		source = f.old
	}
	for m.at > floor && m.from > 0 && m.length < maxLength && source[m.from-1] == f.new[m.at-1] {
		m.at, m.from, m.length = m.at-1, m.from-1, m.length+1
	}
	return m
}

// taken tells the finder that a match goes into the diff. Of its bytes only
// some are found later, since most of what they make up is found in their source.
func (f *finder) taken(m match) {
	end := m.at + m.length
	if m.kind == kindOld {
		f.delta = m.from - m.at
	}
	f.credit += (end - f.credited) >> creditShift
	f.credited = end
	if f.chain == nil {
		if m.at+2 >= f.next {
			f.put(m.at + 2)
		}
		f.put(end - 2)
		f.put(end - 1)
		f.next = max(f.next, end)
		return
	}
	if m.length > 2*keptLength {
		f.take(m.at + keptLength)
		f.next = max(f.next, end-keptLength)
	}
	f.take(end)
}
