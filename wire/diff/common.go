package diff

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// chunk is how many bytes are compared at a time while all are equal: bytes.Equal
// is several times faster than a loop over words, but does not say where it ended.
const chunk = 512

// commonHead returns how many bytes a and b have in common at their start.
func commonHead(a, b []byte) int {
	shorter := min(len(a), len(b))
	at := 0
	for ; at+chunk <= shorter && bytes.Equal(a[at:at+chunk], b[at:at+chunk]); at += chunk {
	}
	return at + commonWords(a[at:shorter], b[at:shorter])
}

// commonWords is commonHead for slices of one length that are likely to differ soon.
func commonWords(a, b []byte) int {
	at := 0
	for ; at+8 <= len(a) && at+8 <= len(b); at += 8 {
		if unequal := binary.LittleEndian.Uint64(a[at:]) ^ binary.LittleEndian.Uint64(b[at:]); unequal != 0 {
			return at + bits.TrailingZeros64(unequal)/8
		}
	}
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at
}

// commonTail returns how many bytes a and b have in common at their end.
func commonTail(a, b []byte) int {
	shorter := min(len(a), len(b))
	a, b = a[len(a)-shorter:], b[len(b)-shorter:]
	end := shorter
	for ; end >= chunk && bytes.Equal(a[end-chunk:end], b[end-chunk:end]); end -= chunk {
	}
	for ; end >= 8; end -= 8 {
		if unequal := binary.LittleEndian.Uint64(a[end-8:]) ^ binary.LittleEndian.Uint64(b[end-8:]); unequal != 0 {
			return shorter - end + bits.LeadingZeros64(unequal)/8
		}
	}
	for end > 0 && a[end-1] == b[end-1] {
		end--
	}
	return shorter - end
}
