package diff

import (
	"encoding/binary"
	"math/bits"
)

// Bounds of an index, as powers of 2.
const (
	oldBits    = 16 // hashes
	numberBits = 17 // places
	tagBits    = 32 - numberBits
)

// oldIndex finds places of old data. It takes in every step-th one, so that all
// of them have a number. Places of one hash are chained, the latest first. An
// entry is the number of a place, and a tag, which is more of the hash: most
// places that hold other bytes are told apart without looking at them.
type oldIndex struct {
	heads    []uint32 // entry of the latest place, by hash
	links    []uint32 // entry of the place before in its chain, by number
	base     int      // place 0, offset in old
	stepBits int      // step = 1 << stepBits
	unhashed int      // bits of a word that are not hashed
	shift    int      // 64 - bits of a hash
}

// fill makes the index that of old[low:high]. It uses the memory it has.
func (x *oldIndex) fill(old []byte, low, high int) {
	places := max(high-low-7, 0)
	x.base, x.stepBits, x.unhashed = low, 0, 32
	switch {
	case places > 1<<16:
		x.unhashed = 0
	case places > 1<<12:
		x.unhashed = 24
	}
	for places>>x.stepBits >= 1<<numberBits {
		x.stepBits++
	}
	count := (places + 1<<x.stepBits - 1) >> x.stepBits
	width := min(max(bits.Len(uint(count)), 4), oldBits)
	x.shift = 64 - width
	x.heads = cleared(x.heads, 1<<width)
	x.links = cleared(x.links, count)
	for number := range count {
		head, tag := x.hash(binary.LittleEndian.Uint64(old[low+number<<x.stepBits:]))
		x.links[number] = x.heads[head]
		x.heads[head] = uint32(number)<<tagBits | tag
	}
}

// hash returns the hash and the tag of the bytes of word.
func (x *oldIndex) hash(word uint64) (head int, tag uint32) {
	hash := word << (x.unhashed & 63) * multiplier
	return int(hash >> (x.shift & 63)), uint32(hash>>((x.shift-tagBits)&63)) & (1<<tagBits - 1)
}

// before returns the entry before one in its chain, and false if there is none.
func (x *oldIndex) before(entry uint32) (uint32, bool) {
	number := entry >> tagBits
	if int(number) >= len(x.links) {
		return 0, false
	}
	before := x.links[number]
	return before, before>>tagBits < number
}

// place returns the offset in old that an entry names.
func (x *oldIndex) place(entry uint32) int { return x.base + int(entry>>tagBits)<<x.stepBits }
