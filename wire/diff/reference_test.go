package diff

import (
	"math"
	"testing"
)

// TestReference_ReadsBackAtEveryBound writes references at the bounds of their
// encodings and reads them again; no data is needed for it.
func TestReference_ReadsBackAtEveryBound(t *testing.T) {
	bounds := []int64{0, 1, 2, 123, 124, 125, 252, 253, 254, 1<<16 - 1, 1 << 16, 1<<24 - 1, 1 << 24, math.MaxUint32}
	for _, position := range bounds {
		for _, length := range bounds {
			for _, kind := range []byte{kindOutput, kindOld} {
				diff := appendReference(nil, 'e', kind, position, length)
				if len(diff) != referenceSize(position, length) {
					t.Errorf("position %d, length %d: %d bytes, expected %d", position, length, len(diff), referenceSize(position, length))
				}
				reader := newReader(0, diff, 0)
				reader.offset = 2
				gotPosition, _ := reader.position(diff[1] & 0x7f)
				gotLength, ok := reader.length()
				if diff[1]&0x80 != kind || gotPosition != position || gotLength != length || !ok || !reader.done() {
					t.Errorf("position %d, length %d read back as %d, %d", position, length, gotPosition, gotLength)
				}
			}
		}
	}
}

func TestOldPosition_GoesBothWaysFromTheOutput(t *testing.T) {
	for delta, want := range map[int64]int64{0: 0, 1: 1, -1: 2, 2: 3, -2: 4, 1 << 31: math.MaxUint32, -(1<<31 - 1): math.MaxUint32 - 1} {
		if got := oldPosition(delta); got != want {
			t.Errorf("delta %d: position %d, expected %d", delta, got, want)
		}
	}
	if math.MaxInt > math.MaxInt32 {
		far := math.MaxInt32
		far++
		if !worthwhile(far, 100) || worthwhile(far+1, 100) || !worthwhile(1-far, 100) || worthwhile(-far, 100) {
			t.Errorf("references are possible from 2^31-1 bytes before to 2^31 after, and no further")
		}
	}
}

// TestEqual_DividesWhatOneLengthCannotSay stands for data of more than 4 GiB.
func TestEqual_DividesWhatOneLengthCannotSay(t *testing.T) {
	if math.MaxInt == math.MaxInt32 {
		t.Skip("data of more than 4 GiB cannot exist here")
	}
	length := math.MaxInt32
	length = length*6 + 11
	w := newWriter(nil, nil, 0, 0)
	w.equal(0, 0, length)
	size, err := Size(length, w.dst, math.MaxInt)
	if err != nil || size != length {
		t.Errorf("%d bytes and %v, expected %d", size, err, length)
	}
}
