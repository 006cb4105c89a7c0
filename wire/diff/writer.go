package diff

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// writer appends the parts of a diff. It is told about new data in order, from
// its first byte to its last, so that the length of the output so far is always
// the offset in new that it is told.
type writer struct {
	dst    []byte
	new    []byte
	from   int // literals begin here at the earliest, offset in new
	end    int // they end here at the latest
	start  int // of the diff in dst
	escape byte
}

// newWriter returns a writer that appends to dst; literals lie in new[from:end].
func newWriter(dst, new []byte, from, end int) writer {
	return writer{dst: dst, new: new, from: from, end: end, start: len(dst), escape: initialEscape}
}

// reserve makes room where little is left, for all that the parts so far let
// expect of the rest; the next part begins at offset at in new.
func (w *writer) reserve(at int) {
	if cap(w.dst)-len(w.dst) >= 64 {
		return
	}
	done, rest := at-w.from+64, w.end-at
	size := int(float64(len(w.dst)-w.start) / float64(done) * float64(rest))
	w.dst = slices.Grow(w.dst, min(max(size+size/16, len(w.dst)/4), MaxSize(rest))+64)
}

// copied appends a reference for a match. Where there is room for 8 bytes, it
// writes the common forms at once.
func (w *writer) copied(m match) {
	position := int64(m.at) - int64(m.from)
	if m.kind == kindOld {
		position = oldPosition(-position)
	}
	if m.length >= 253 || position >= 1<<24 || cap(w.dst)-len(w.dst) < 8 {
		w.dst = appendReference(w.dst, w.escape, m.kind, position, int64(m.length))
		return
	}
	size := len(w.dst)
	word := uint64(w.escape) | uint64(m.kind)<<8
	switch {
	case position < 124:
		word |= uint64(position)<<8 | uint64(m.length)<<16
		w.dst = w.dst[:size+3]
	case position < 1<<16:
		word |= 126<<8 | uint64(bits.ReverseBytes16(uint16(position)))<<16 | uint64(m.length)<<32
		w.dst = w.dst[:size+5]
	default:
		word |= 125<<8 | uint64(bits.ReverseBytes32(uint32(position))>>8)<<16 | uint64(m.length)<<40
		w.dst = w.dst[:size+6]
	}
	binary.LittleEndian.PutUint64(w.dst[size:size+8], word)
}

// equal appends references to length bytes of the old data at offset from,
// which new holds at offset at; it must be worthwhile.
func (w *writer) equal(at, from, length int) {
	for length > 0 {
		part := min(length, maxLength)
		w.copied(match{kind: kindOld, at: at, from: from, length: part})
		at, from, length = at+part, from+part, length-part
	}
}

// literal appends new[from:to] as literal bytes: few of them 8 at a time.
func (w *writer) literal(from, to int) {
	for from < to {
		if to-from > 32 || from+8 > len(w.new) || cap(w.dst)-len(w.dst) < 8 {
			length := bytes.IndexByte(w.new[from:to], w.escape)
			if length < 0 {
				w.dst = append(w.dst, w.new[from:to]...)
				return
			}
			w.dst = append(w.dst, w.new[from:from+length]...)
			from += length
			w.escaped(from)
			from++
			continue
		}
		word := binary.LittleEndian.Uint64(w.new[from:])
		size := len(w.dst)
		binary.LittleEndian.PutUint64(w.dst[size:size+8], word)
		length := min(to-from, 8)
		if clean := firstByte(word, w.escape); clean < length {
			w.dst = w.dst[:size+clean]
			w.escaped(from + clean)
			from += clean + 1
			continue
		}
		w.dst = w.dst[:size+length]
		from += length
	}
}

// firstByte returns how many bytes of a word come before the first of the given
// value, 8 if none has it.
func firstByte(word uint64, value byte) int {
	const ones = 0x0101010101010101
	word ^= uint64(value) * ones
	return bits.TrailingZeros64((word-ones)&^word&(ones<<7)) / 8
}

// escaped appends the escape byte, which new holds at offset at, as a literal.
// It doubles the byte (1 byte more) or makes another byte the escape (2 bytes
// more), whichever is cheaper per byte until the next such place.
//
// Invariant: after a doubling the escape byte does not follow in the next 127
// bytes of new, and after a switch not in the next 255: see MaxSize.
func (w *writer) escaped(at int) {
	next, again, clean := w.lookAhead(at)
	if again < 0 || (clean >= 0 && 2*again >= clean) {
		w.dst = append(w.dst, w.escape, controlLiteral)
		return
	}
	w.dst = append(w.dst, w.escape, controlSwitch, next)
	w.escape = next
}

// lookAheadLimit bounds how far the choice of an escape byte looks, in bytes.
const lookAheadLimit = 4096

// lookAhead looks at new after offset at. It returns the byte value that comes
// latest or never, how far away the present escape byte comes again (-1: not
// seen), and how far away next comes (-1: not seen).
func (w *writer) lookAhead(at int) (next byte, again, clean int) {
	ahead := w.new[at+1 : min(at+1+lookAheadLimit, max(w.end, at+1))]
	var seen [256]bool
	count := 0
	again = -1
	for index, value := range ahead {
		if seen[value] {
			continue
		}
		seen[value] = true
		count++
		if value == w.escape {
			again = index + 1
		}
		if count == 256 {
			return value, again, index + 1
		}
	}
	for value := 255; value >= 0; value-- {
		if !seen[value] {
			return byte(value), again, -1
		}
	}
	return 0, again, -1 // not reached: fewer than 256 values were seen
}

// MaxSize returns a bound on the length in bytes of any diff that an Encoder
// makes for new data of newLen bytes: newLen + newLen/128 + 2.
//
// Proof: Every byte of new is a literal or inside a reference, and a reference
// is shorter than what it stands for, so that only escape bytes among the
// literals add to newLen. A doubled one adds 1, and the escape is at least 128
// bytes away from its next place; a switch adds 2, and the new escape byte is
// at least 256 bytes away, since the 255 bytes after cannot hold all 256 values.
// Each but the last therefore adds at most 1 per 128 bytes up to the next, and
// the last adds at most 2.
func MaxSize(newLen int) int { return newLen + newLen/128 + 2 }
