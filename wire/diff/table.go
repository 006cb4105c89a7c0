package diff

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Bounds of a table.
const (
	maxHeads = 1 << 16 // entries by hash
	maxSlots = 1 << 18 // positions chained
)

// table finds earlier places of the bytes at hand: by a hash of hashed bytes it
// holds a chain of positions, latest first. It is bounded: of the old data it
// takes every step-th position, so that all fit; of the output it chains the
// latest, and an older one is found only while it is the last of its hash.
//
// Positions are numbered from 0 at base, step bytes apart, and held plus one,
// so that a cleared entry holds none.
type table struct {
	heads    []int32 // number+1 of the latest position, by hash
	links    []int32 // number+1 of the one before, by number modulo its length
	base     int     // position numbered 0, offset in the data
	stepBits int     // step = 1 << stepBits
	count    int     // numbers given so far
	hashed   int     // bytes hashed, 4 to 8
	headBits int
}

// reset empties the table, for positions from base on, at most the given number
// of them chained. The memory it has is used where it is enough.
func (t *table) reset(base, positions, hashed int) {
	positions = max(positions, 16)
	slots := 1 << min(bits.Len(uint(positions-1)), bits.Len(maxSlots-1))
	headBits := min(bits.Len(uint(slots-1)), bits.Len(maxHeads-1))
	heads := resized(t.heads, 1<<headBits)
	clear(heads)
	*t = table{heads: heads, links: resized(t.links, slots), base: base, hashed: hashed, headBits: headBits}
}

// sample widens the step until all positions from base to end stay chained.
func (t *table) sample(end int) {
	for (end-t.base)>>t.stepBits > len(t.links) {
		t.stepBits++
	}
}

// resized returns a slice of the given length, of the same memory if it fits.
func resized(memory []int32, length int) []int32 {
	if cap(memory) < length {
		return make([]int32, length)
	}
	return memory[:length]
}

// hash returns the hash of the bytes at position, of which there are as many as
// are hashed.
func (t *table) hash(data []byte, position int) uint64 {
	word := uint64(0)
	if position+8 <= len(data) {
		word = binary.LittleEndian.Uint64(data[position:])
	} else {
		for index, value := range data[position:] {
			word |= uint64(value) << (8 * index)
		}
	}
	return (word << (64 - 8*t.hashed) * 0x9e3779b97f4a7c15) >> (64 - t.headBits)
}

// fill takes in the positions up to end, in steps, and leaves out those with
// fewer bytes of data after them than are hashed.
func (t *table) fill(data []byte, end int) {
	end = min(end, len(data)-t.hashed+1)
	for position := t.base + t.count<<t.stepBits; position < end; position += 1 << t.stepBits {
		if t.count >= math.MaxInt32 {
			return
		}
		hash := t.hash(data, position)
		t.links[t.count&(len(t.links)-1)] = t.heads[hash]
		t.count++
		t.heads[hash] = int32(t.count)
	}
}

// skip leaves out the positions before position.
func (t *table) skip(position int) {
	t.count = max(t.count, (position-t.base)>>t.stepBits)
}

// latest returns the number of the last position with the hash of the bytes
// given, or -1.
func (t *table) latest(data []byte, position int) int {
	if position+t.hashed > len(data) {
		return -1
	}
	return int(t.heads[t.hash(data, position)]) - 1
}

// before returns the number before this one in its chain, or -1 if the chain
// ends or is no longer known.
func (t *table) before(number int) int {
	if t.count-number > len(t.links) {
		return -1
	}
	return int(t.links[number&(len(t.links)-1)]) - 1
}

// position returns the position with the given number.
func (t *table) position(number int) int { return t.base + number<<t.stepBits }
