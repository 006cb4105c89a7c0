package diff

import "math"

// Kinds of references, as bit 7 of the control byte.
const (
	kindOutput = 0x00
	kindOld    = 0x80
)

// Bounds of the encodings of references, in bytes. The length is an int, which
// on a 32-bit machine holds less.
const (
	maxPosition = math.MaxUint32
	maxLength   = math.MaxUint32 & math.MaxInt
)

// oldPosition returns the position that says "delta bytes after the output's
// end, in the old data", delta being negative for before.
func oldPosition(delta int64) int64 {
	if delta > 0 {
		return 2*delta - 1
	}
	return -2 * delta
}

// positionSize returns how many bytes a position adds to a reference.
func positionSize(position int64) int {
	switch {
	case position < 124:
		return 0
	case position < 1<<16:
		return 2
	case position < 1<<24:
		return 3
	default:
		return 4
	}
}

// lengthSize returns how many bytes a length takes in a reference.
func lengthSize(length int64) int {
	switch {
	case length < 253:
		return 1
	case length < 1<<16:
		return 3
	case length < 1<<24:
		return 4
	default:
		return 5
	}
}

// referenceSize returns the size of one reference in bytes, at most 11.
func referenceSize(position, length int64) int {
	return 2 + positionSize(position) + lengthSize(length)
}

// appendReference appends one reference in its shortest form. The kind is
// kindOld or kindOutput, position and length at most maxPosition and maxLength.
func appendReference(dst []byte, escape, kind byte, position, length int64) []byte {
	switch size := positionSize(position); size {
	case 0:
		dst = append(dst, escape, kind|byte(position))
	default:
		dst = append(dst, escape, kind|byte(128-size)) // 126, 125, 124
		dst = appendBigEndian(dst, position, size)
	}
	switch size := lengthSize(length); size {
	case 1:
		return append(dst, byte(length))
	default:
		dst = append(dst, byte(258-size)) // 255, 254, 253
		return appendBigEndian(dst, length, size-1)
	}
}

// appendBigEndian appends the low size bytes of number, highest first.
func appendBigEndian(dst []byte, number int64, size int) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(number>>shift))
	}
	return dst
}

// worthwhile tells whether a reference to the old data, delta bytes after the
// output's end, can be encoded and is shorter than the bytes it stands for.
func worthwhile(delta, length int) bool {
	position := oldPosition(int64(delta))
	return position <= maxPosition && referenceSize(position, int64(length)) < length
}
