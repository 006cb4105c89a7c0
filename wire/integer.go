package wire

import "encoding/binary"

// An integer below firstMarker is one byte; a greater one is a marker that tells the size, then the value in little-endian.
// Source: bincode 2, configuration "standard".
const (
	firstMarker  = 251
	uint16Marker = 251
	uint32Marker = 252
	uint64Marker = 253
)

// appendUint appends n in its shortest encoding.
func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n < firstMarker:
		return append(dst, byte(n))
	case n < 1<<16:
		return binary.LittleEndian.AppendUint16(append(dst, uint16Marker), uint16(n))
	case n < 1<<32:
		return binary.LittleEndian.AppendUint32(append(dst, uint32Marker), uint32(n))
	}
	return binary.LittleEndian.AppendUint64(append(dst, uint64Marker), n)
}

// appendInt appends n, folded so that small negative numbers stay short: 0, -1, 1, -2 … become 0, 1, 2, 3 ….
func appendInt(dst []byte, n int64) []byte {
	return appendUint(dst, uint64(n)<<1^uint64(n>>63))
}

// unfoldInt is the inverse of the folding in appendInt.
func unfoldInt(n uint64) int64 {
	return int64(n>>1) ^ -int64(n&1)
}

// uint reads an unsigned integer in any of its encodings; the reference takes longer ones than necessary too.
func (d *decoder) uint(noun string) uint64 {
	start := d.offset
	marker := d.byte(noun)
	size := 0
	switch marker {
	default:
		return uint64(marker)
	case uint16Marker:
		size = 2
	case uint32Marker:
		size = 4
	case uint64Marker:
		size = 8
	case 254, 255:
		d.fail(start, noun+": byte "+decimal(uint64(marker))+" does not start an integer")
		return 0
	}
	raw := d.take(uint64(size), noun)
	switch len(raw) {
	case 2:
		return uint64(binary.LittleEndian.Uint16(raw))
	case 4:
		return uint64(binary.LittleEndian.Uint32(raw))
	case 8:
		return binary.LittleEndian.Uint64(raw)
	}
	return 0
}

// uint32 reads an unsigned integer of 32 bits. The reference refuses the 64-bit encoding whatever its value.
func (d *decoder) uint32(noun string) uint32 {
	if d.err == nil && d.offset < len(d.data) && d.data[d.offset] == uint64Marker {
		d.fail(d.offset, noun+": a 64-bit integer where 32 bits are wanted")
		return 0
	}
	return uint32(d.uint(noun))
}
