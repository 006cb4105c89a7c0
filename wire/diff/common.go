package diff

import (
	"encoding/binary"
	"math/bits"
)

// commonHead returns how many bytes a and b have in common at their start.
func commonHead(a, b []byte) int {
	shorter := min(len(a), len(b))
	at := 0
	for ; at+8 <= shorter; at += 8 {
		if unequal := binary.LittleEndian.Uint64(a[at:]) ^ binary.LittleEndian.Uint64(b[at:]); unequal != 0 {
			return at + bits.TrailingZeros64(unequal)/8
		}
	}
	for at < shorter && a[at] == b[at] {
		at++
	}
	return at
}

// commonTail returns how many bytes a and b have in common at their end.
func commonTail(a, b []byte) int {
	shorter := min(len(a), len(b))
	at := 0
	for ; at+8 <= shorter; at += 8 {
		if binary.LittleEndian.Uint64(a[len(a)-at-8:]) != binary.LittleEndian.Uint64(b[len(b)-at-8:]) {
			break
		}
	}
	for at < shorter && a[len(a)-1-at] == b[len(b)-1-at] {
		at++
	}
	return at
}
