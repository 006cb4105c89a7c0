package diff

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// bomb is a diff of the given number of references that double its output, of
// one byte at first.
func bomb(references int) []byte {
	diff := []byte{'x'}
	for round := range references {
		length := int64(1) << min(round, 31)
		diff = appendReference(diff, initialEscape, kindOutput, 1, length)
	}
	return diff
}

// wholeOld is a diff that copies all 10 bytes of old the given number of times.
func wholeOld(times int) []byte {
	diff := []byte{}
	for round := range times {
		diff = appendReference(diff, initialEscape, kindOld, oldPosition(int64(-10*round)), 10)
	}
	return diff
}

func TestPatch_RefusesEveryMalformedDiff(t *testing.T) {
	old := []byte("0123456789")
	for _, c := range []struct {
		name   string
		diff   []byte
		offset int
		reason string
	}{
		{"escape at the end", []byte{'a', 0xff}, 1, "ends after an escape byte"},
		{"switch without its byte", []byte{'a', 0xff, 127}, 1, "next escape byte"},
		{"switched escape at the end", []byte{0xff, 127, 'e', 'a', 'e'}, 4, "ends after an escape byte"},
		{"no length", []byte{0xff, 0x80}, 0, "inside the length"},
		{"u16 position cut", []byte{0xff, 126, 0}, 0, "inside the position"},
		{"u24 position cut", []byte{0xff, 125, 0, 0}, 0, "inside the position"},
		{"u32 position cut", []byte{0xff, 0x80 | 124, 0, 0, 0}, 0, "inside the position"},
		{"u16 length cut", []byte{0xff, 0x80, 255, 0}, 0, "inside the length"},
		{"u24 length cut", []byte{0xff, 0x80, 254, 0, 0}, 0, "inside the length"},
		{"u32 length cut", []byte{0xff, 0x80, 253, 0, 0, 0}, 0, "inside the length"},
		{"position whole, length missing", []byte{0xff, 0x80 | 126, 0, 0}, 0, "inside the length"},
		{"output reference before the start", []byte{'a', 0xff, 2, 1}, 1, "2 bytes back of 1, outside its source"},
		{"output reference far before the start", []byte{'a', 0xff, 124, 255, 255, 255, 255, 1}, 1, "outside its source"},
		{"output reference to its own end", []byte{'a', 0xff, 0, 1}, 1, "0 bytes back of 1, outside its source"},
		{"output reference without output", []byte{0xff, 1, 1}, 0, "1 bytes back of 0, outside its source"},
		{"old reference before the start", []byte{'a', 0xff, 0x80 | 4, 1}, 1, "bytes -1 to 0 of 10, outside its source"},
		{"old reference one too long", []byte{0xff, 0x80, 11}, 0, "bytes 0 to 11 of 10, outside its source"},
		{"old reference one too far", []byte{0xff, 0x80 | 19, 1}, 0, "bytes 10 to 11 of 10, outside its source"},
		{"old reference after the end", []byte{0xff, 0x80 | 124, 255, 255, 255, 255, 0}, 0, "outside its source"},
		{"old reference of 4 GiB", []byte{0xff, 0x80, 253, 255, 255, 255, 255}, 0, "outside its source"},
		{"literals over the limit", bytes.Repeat([]byte{'a'}, 101), 0, "exceeds the limit of 100"},
		{"escaped literal over the limit", append(bytes.Repeat([]byte{'a'}, 100), 0xff, 0xff), 100, "exceeds the limit of 100"},
		{"old data over the limit", wholeOld(11), 36, "output of 100+10 bytes exceeds the limit of 100"},
		{"expansion of 8 bytes to 4 GiB", []byte{'a', 0xff, 1, 253, 255, 255, 255, 255}, 1, "exceeds the limit of 100"},
		{"expansion by doubling", bomb(40), 19, "exceeds the limit of 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Patch(old, c.diff, 100)
			var refusal *MalformedError
			if !errors.As(err, &refusal) || got != nil {
				t.Fatalf("got %d bytes and error %v, expected a MalformedError", len(got), err)
			}
			if refusal.Offset != c.offset || !strings.Contains(refusal.Reason, c.reason) {
				t.Errorf("got %v, expected %q at byte %d", err, c.reason, c.offset)
			}
			size, sizeErr := Size(len(old), c.diff, 100)
			if size != 0 || sizeErr == nil || sizeErr.Error() != err.Error() {
				t.Errorf("Size gave %d and %v, Patch %v", size, sizeErr, err)
			}
		})
	}
}

// TestPatch_AllocatesNothingForABomb shows that refusing costs no output.
func TestPatch_AllocatesNothingForABomb(t *testing.T) {
	diff := bomb(60)
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := Patch(nil, diff, 1<<30); err == nil {
				b.Fatal("a bomb was accepted")
			}
		}
	})
	if bytes := result.AllocedBytesPerOp(); bytes > 1<<10 {
		t.Errorf("%d bytes allocated for a refused diff, expected the error alone", bytes)
	}
}

func TestPatch_AcceptsWhatIsOddButInside(t *testing.T) {
	old := []byte("0123456789")
	for _, c := range []struct {
		name, diff, want string
	}{
		{"empty", "", ""},
		{"reference of no length", "a\xff\x80\x00\xff\x00\x00b", "ab"},
		{"old reference of no length at the end", "\xff\x93\x00", ""},
		{"whole old", "\xff\x80\x0a", "0123456789"},
		{"old after and before", "\xff\x93\x00\xff\x91\x01a\xff\x84\x01", "9a0"},
		{"long forms of small numbers", "\xff\xfc\x00\x00\x00\x00\xfd\x00\x00\x00\x02", "01"},
		{"escape doubled", "\xff\xff", "\xff"},
		{"escape switched to 255 again", "\xff\x7f\xffa\xff\xff", "\xffa\xff"},
		{"escape switched to 127 and on to a", "\xff\x7f\x7f\x7f\xff\x7f\x7faba\xff", "\xff\x7f\x7fba"},
		{"overlap", "ab\xff\x02\x05", "abababa"},
	} {
		got, err := Patch(old, []byte(c.diff), 100)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q and %v, expected %q", c.name, got, err, c.want)
		}
	}
}

func TestPatch_TakesANegativeLimitForZero(t *testing.T) {
	if got, err := Patch([]byte("old"), []byte{0xff, 0x80, 0}, -1); err != nil || len(got) != 0 {
		t.Errorf("got %q and %v, expected no data", got, err)
	}
	if _, err := Patch(nil, []byte{'a'}, -1); err == nil {
		t.Errorf("a byte was accepted")
	}
}
