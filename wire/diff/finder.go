package diff

// Bounds of the search for one reference.
const (
	maxProbes    = 16      // places tried in each table
	niceLength   = 256     // bytes; one this long is taken without looking further
	outputReach  = 1 << 12 // bytes of output searched before the first edit
	outputSlots  = 1 << 16 // bytes of output searched thoroughly
	lazyLength   = 64      // bytes; a longer match is taken without improving it
	keptLength   = 32      // bytes at both ends of a long match that are found later
	acrossProbes = 4       // places tried per offset across a match's end
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
type finder struct {
	old, new []byte
	end      int // matches end here at the latest, offset in new
	delta    int // of the last match in old: its from - at
	tail     int // of the equal tail, likewise
	oldTable *table
	newTable *table
}

// newFinder returns a finder for the middle of an edit. It looks at some of old
// on both sides of it, and of the output before it, where references are
// shorter. It takes both tables for that.
func newFinder(e edit, oldTable, newTable *table) finder {
	reach := e.reach()
	low := max(e.head-reach, 0)
	high := min(len(e.old)-e.tail+reach, len(e.old))
	hashed := 4
	switch {
	case high-low > 1<<16:
		hashed = 8
	case high-low > 1<<12:
		hashed = 5
	}
	oldTable.reset(low, high-low, hashed)
	oldTable.sample(high)
	oldTable.fill(e.old, high)
	outputLow := max(e.head-min(reach, outputReach), 0)
	newTable.reset(outputLow, min(e.end()-outputLow, outputSlots), 4)
	newTable.fill(e.new, e.head)
	return finder{
		old:      e.old,
		new:      e.new,
		end:      e.end(),
		tail:     len(e.old) - len(e.new),
		oldTable: oldTable,
		newTable: newTable,
	}
}

// find returns the match of greatest gain at offset at, one with gain 0 if
// there is none. It tries a bounded number of places.
//
// Invariant: time is proportional to the length returned: no other place tried
// is longer by more than the greatest difference in size of two references.
func (f *finder) find(at int) match {
	f.newTable.fill(f.new, at)
	var best match
	f.tryOld(&best, at, at+f.tail) // first of equals: it may go on to the end
	f.tryOld(&best, at, at+f.delta)
	number := f.newTable.latest(f.new, at)
	for probes := maxProbes; number >= 0 && probes > 0 && best.length < niceLength; probes-- {
		f.tryOutput(&best, at, f.newTable.position(number))
		number = f.newTable.before(number)
	}
	number = f.oldTable.latest(f.new, at)
	for probes := maxProbes; number >= 0 && probes > 0 && best.length < niceLength; probes-- {
		f.tryOld(&best, at, f.oldTable.position(number))
		number = f.oldTable.before(number)
	}
	return best
}

// improve returns the best of a match and those at the next offsets, as long as
// each gains more than the one before.
func (f *finder) improve(m match) match {
	for m.length < lazyLength && m.at+1 < f.end {
		next := f.find(m.at + 1)
		if next.gain <= m.gain {
			break
		}
		m = next
	}
	return m
}

// across returns the better of a match and the places in old that hold the same
// bytes and more: among what is hashed there, only what crosses the match's end
// tells them from all others that merely begin alike, as records of one form do.
func (f *finder) across(m match) match {
	table := f.oldTable
	end := m.at + m.length
	for at := max(m.at, end-table.hashed+1); at <= end && at < f.end && m.length < niceLength; at++ {
		number := table.latest(f.new, at)
		for probes := acrossProbes; number >= 0 && probes > 0; probes-- {
			f.tryOld(&m, m.at, table.position(number)-(at-m.at))
			number = table.before(number)
		}
	}
	return m
}

// tryOld makes the old data at offset from the best match if it gains more.
func (f *finder) tryOld(best *match, at, from int) {
	if from < 0 || from >= len(f.old) {
		return
	}
	length := min(commonHead(f.old[from:], f.new[at:f.end]), maxLength)
	position := oldPosition(int64(from) - int64(at))
	f.better(best, match{kind: kindOld, from: from, at: at, length: length}, position)
}

// tryOutput makes the output at offset from the best match if it gains more.
func (f *finder) tryOutput(best *match, at, from int) {
	length := min(commonHead(f.new[from:], f.new[at:f.end]), maxLength)
	f.better(best, match{kind: kindOutput, from: from, at: at, length: length}, int64(at)-int64(from))
}

// better replaces best by the other match if that one gains more.
func (f *finder) better(best *match, other match, position int64) {
	if position > maxPosition {
		return
	}
	other.gain = other.length - referenceSize(position, int64(other.length))
	if other.gain > best.gain {
		*best = other
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

// taken tells the finder that a match goes into the diff. Of a long one only
// the ends are found later, since its source is found already.
func (f *finder) taken(m match) {
	if m.kind == kindOld {
		f.delta = m.from - m.at
	}
	if m.length > 2*keptLength {
		f.newTable.fill(f.new, m.at+keptLength)
		f.newTable.skip(m.at + m.length - keptLength)
	}
}
