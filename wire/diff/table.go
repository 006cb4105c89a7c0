package diff

import (
	"encoding/binary"
	"math/bits"
)

// Bounds of the tables, as powers of 2.
const (
	longBits  = 17 // hashes of 8 bytes
	shortBits = 16 // hashes of 4 bytes
)

// multiplier spreads the bytes hashed: 2^64 divided by the golden ratio.
const multiplier = 0x9e3779b97f4a7c15

// tables are where a finder looks places up, kept from diff to diff for their
// memory: at most 2 MiB.
type tables struct {
	long, short latest
	chain       []uint32 // see finder
	old         oldIndex
}

// latest knows the latest place of each hash. A hash without any has place 0,
// which is looked at in vain then: entries need no mark.
type latest struct {
	places []uint32
	shift  int // 64 - bits of a hash
}

// reset forgets all places. It makes room for as many as are wanted, or for
// 1<<most.
func (l *latest) reset(wanted, most int) {
	width := min(max(bits.Len(uint(wanted))-1, 4), most)
	l.places = cleared(l.places, 1<<width)
	l.shift = 64 - width
}

// cleared returns a slice of zeros, of the same memory if that is enough.
func cleared(memory []uint32, length int) []uint32 {
	if cap(memory) < length {
		return make([]uint32, length)
	}
	memory = memory[:length]
	clear(memory)
	return memory
}

// load returns the 8 bytes at offset at, with zeros after the end of data.
func load(data []byte, at int) uint64 {
	if at+8 <= len(data) {
		return binary.LittleEndian.Uint64(data[at:])
	}
	var last [8]byte
	copy(last[:], data[at:])
	return binary.LittleEndian.Uint64(last[:])
}
