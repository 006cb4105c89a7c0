package diff

import "bytes"

// initialEscape is the escape byte every diff starts with.
const initialEscape = 0xff

// Values of the byte after an escape that are not references.
const (
	controlLiteral = 255 // the escape byte itself is output
	controlSwitch  = 127 // likewise, and the next byte becomes the escape
)

// source names where the bytes of a step are copied from.
type source uint8

const (
	fromDiff   source = iota // literal bytes, at from in the diff
	fromOld                  // at from in the old data
	fromOutput               // at from in the output so far; may overlap itself
)

// step is one copy that a diff asks for.
type step struct {
	source source
	from   int // offset in the source, bytes
	length int // bytes
}

// reader takes a diff apart into steps and checks each of them.
//
// Invariant: a step it returned lies inside its source, and the lengths of all
// returned steps add up to written, which is at most limit.
type reader struct {
	diff    []byte
	offset  int // next byte of diff to read
	escape  byte
	oldLen  int
	written int
	limit   int
}

// newReader returns a reader at the start of diff.
func newReader(oldLen int, diff []byte, limit int) reader {
	return reader{diff: diff, escape: initialEscape, oldLen: oldLen, limit: limit}
}

// done tells whether the whole diff was read.
func (r *reader) done() bool { return r.offset == len(r.diff) }

// next returns the next step; the reader must not be done.
func (r *reader) next() (step, error) {
	start := r.offset
	rest := r.diff[start:]
	if rest[0] != r.escape {
		length := bytes.IndexByte(rest, r.escape)
		if length < 0 {
			length = len(rest)
		}
		r.offset += length
		return r.take(start, step{fromDiff, start, length})
	}
	if len(rest) < 2 {
		return step{}, malformed(start, "diff ends after an escape byte, expected a control byte")
	}
	r.offset += 2
	switch control := rest[1]; control {
	case controlLiteral:
		return r.take(start, step{fromDiff, start, 1})
	case controlSwitch:
		if len(rest) < 3 {
			return step{}, malformed(start, "diff ends where the next escape byte was expected")
		}
		r.escape = rest[2]
		r.offset++
		return r.take(start, step{fromDiff, start, 1})
	default:
		return r.reference(start, control)
	}
}

// take counts a step that is inside its source, unless it exceeds the limit.
func (r *reader) take(start int, s step) (step, error) {
	if s.length > r.limit-r.written {
		return step{}, malformed(start, "output of at least %d+%d bytes exceeds the limit of %d bytes", r.written, s.length, r.limit)
	}
	r.written += s.length
	return s, nil
}

// reference reads the position and length of a reference whose escape byte is
// at start. All arithmetic is in int64: positions and lengths are at most u32,
// so that nothing wraps.
func (r *reader) reference(start int, control byte) (step, error) {
	position, ok := r.position(control & 0x7f)
	if !ok {
		return step{}, malformed(start, "diff ends inside the position of a reference")
	}
	length, ok := r.length()
	if !ok {
		return step{}, malformed(start, "diff ends inside the length of a reference")
	}
	output := int64(r.written)
	if control&0x80 == 0 {
		from := output - position
		// Byte-by-byte copying makes every byte before the output's end a
		// valid source, however long the copy; the end itself is not.
		if from < 0 || (length > 0 && position == 0) {
			return step{}, malformed(start, "output reference %d bytes back of %d, outside its source", position, output)
		}
		return r.takeReference(start, fromOutput, from, length)
	}
	from := output - position/2
	if position%2 == 1 {
		from = output + position/2 + 1
	}
	if from < 0 || from+length > int64(r.oldLen) {
		return step{}, malformed(start, "old reference to bytes %d to %d of %d, outside its source", from, from+length, r.oldLen)
	}
	return r.takeReference(start, fromOld, from, length)
}

// takeReference is take for int64, which a 32-bit int could not hold.
func (r *reader) takeReference(start int, s source, from, length int64) (step, error) {
	if length > int64(r.limit-r.written) {
		return step{}, malformed(start, "output of %d+%d bytes exceeds the limit of %d bytes", r.written, length, r.limit)
	}
	return r.take(start, step{s, int(from), int(length)})
}

// position returns the position that the low 7 bits of a control byte hold or
// announce, and false if the diff ends inside it.
func (r *reader) position(low byte) (int64, bool) {
	switch low {
	case 126:
		return r.bigEndian(2)
	case 125:
		return r.bigEndian(3)
	case 124:
		return r.bigEndian(4)
	default: // 127 with bit 7 set or clear is no reference
		return int64(low), true
	}
}

// length returns the length of a reference, and false if the diff ends inside
// it.
func (r *reader) length() (int64, bool) {
	first, ok := r.bigEndian(1)
	switch {
	case !ok:
		return 0, false
	case first == 255:
		return r.bigEndian(2)
	case first == 254:
		return r.bigEndian(3)
	case first == 253:
		return r.bigEndian(4)
	default:
		return first, true
	}
}

// bigEndian reads an unsigned number of the given size in bytes.
func (r *reader) bigEndian(size int) (int64, bool) {
	if len(r.diff)-r.offset < size {
		return 0, false
	}
	number := int64(0)
	for _, digit := range r.diff[r.offset : r.offset+size] {
		number = number<<8 | int64(digit)
	}
	r.offset += size
	return number, true
}
