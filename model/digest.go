package model

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Digest is a digest of a set of texts: the sum, modulo 2^128, of the first 16
// bytes of each one's SHA-256, read as a big-endian number. The order in which
// they are added does not matter, but how often does.
type Digest struct{ high, low uint64 }

// Add adds a text.
func (d *Digest) Add(text []byte) {
	sum := sha256.Sum256(text)
	d.Merge(Digest{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])})
}

// Merge adds all that was added to another digest.
func (d *Digest) Merge(other Digest) {
	var carry uint64
	d.low, carry = bits.Add64(d.low, other.low, 0)
	d.high, _ = bits.Add64(d.high, other.high, carry)
}

// String returns 32 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d.high, d.low) }
