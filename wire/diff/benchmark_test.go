package diff

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// random returns length bytes that depend on seed only.
func random(seed uint64, length int) []byte {
	source := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, length)
	for index := range data {
		data[index] = byte(source.Uint32())
	}
	return data
}

// records returns about length bytes of JSON records that differ in numbers.
func records(seed uint64, length int) []byte {
	source := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 0, length+64)
	for id := 0; len(data) < length; id++ {
		data = append(data, `{"id":`...)
		data = strconv.AppendInt(data, int64(id), 10)
		data = append(data, `,"name":"item `...)
		data = strconv.AppendInt(data, int64(id), 10)
		data = append(data, `","value":`...)
		data = strconv.AppendInt(data, int64(source.Uint32N(1000000)), 10)
		data = append(data, `},`...)
	}
	return data
}

// edited returns data with each of the places, in parts of its length, replaced
// by text of another length.
func edited(data []byte, text string, places ...float64) []byte {
	result := []byte{}
	last := 0
	for _, place := range places {
		at := int(place * float64(len(data)))
		result = append(append(result, data[last:at]...), text...)
		last = at + len(text)/2
	}
	return append(result, data[last:]...)
}

// deBruijn returns the first length bytes of a sequence in which short words
// come again as late as they can.
func deBruijn(length int) []byte {
	data := make([]byte, 0, length)
	register := uint32(1)
	for len(data) < length {
		word := byte(0)
		for range 8 { // x^23 + x^18 + 1, maximal
			bit := (register>>22 ^ register>>17) & 1
			register = (register<<1 | bit) & (1<<23 - 1)
			word = word<<1 | byte(bit)
		}
		data = append(data, 'a'+word&3)
	}
	return data
}

// hostile is data of about a length that could take more than linear time or space.
func hostile(length int) map[string][]byte {
	data := make(map[string][]byte)
	for _, name := range []string{"equal", "ff", "period-2", "period-255", "period-7k", "de-bruijn", "random", "escapes"} {
		data[name] = worst[name](length)
	}
	return data
}

func everyByte() []byte {
	data := make([]byte, 256)
	for index := range data {
		data[index] = byte(255 - index)
	}
	return data
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20} {
		data := records(1, size)
		noise := random(1, size)
		for _, c := range []change{
			{name: "edit-middle", old: data, new: edited(data, "edited", 0.5)},
			{name: "append", old: data, new: append(data[:len(data):len(data)], `{"id":-1,"name":"new"}`...)},
			{name: "edits-4", old: data, new: edited(data, `{"edited":true}`, 0.1, 0.35, 0.6, 0.9)},
			{name: "random", old: noise, new: random(2, size)},
			{name: "first", old: nil, new: data},
		} {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, c.name), func(b *testing.B) { benchmark(b, c) })
		}
	}
}

// BenchmarkWorst is to show much the same time per byte at all sizes.
func BenchmarkWorst(b *testing.B) {
	for _, size := range []int{8 << 10, 128 << 10, 1 << 20, 60 << 20} {
		for _, name := range slices.Sorted(maps.Keys(worst)) {
			for _, kind := range []string{"first", "shifted", "another"} {
				b.Run(fmt.Sprintf("%s/%dKiB/%s", name, size>>10, kind), func(b *testing.B) {
					benchmark(b, worstChange(name, kind, size))
				})
			}
		}
	}
}

// benchmark measures a used Encoder with a dst that is large enough.
func benchmark(b *testing.B, c change) {
	dst := make([]byte, 0, MaxSize(len(c.new)))
	b.SetBytes(int64(len(c.new)))
	b.ReportAllocs()
	var encoder Encoder
	encoder.Append(dst, c.old, c.new) // makes its tables
	for b.Loop() {
		dst = encoder.Append(dst[:0], c.old, c.new)
	}
	b.ReportMetric(float64(len(dst)), "diff-bytes")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(c.new)), "ns/byte")
}

func BenchmarkPatch(b *testing.B) {
	data := records(1, 1<<20)
	for _, c := range []change{
		{name: "edit-middle", old: data, new: edited(data, "edited", 0.5)},
		{name: "first", old: nil, new: data},
	} {
		diff := encoded(c.old, c.new)
		b.Run("1024KiB/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.new)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Patch(c.old, diff, len(c.new)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAppend_TakesNoMemoryOnceItsTablesAreThere is about what a router does for
// every state.
func TestAppend_TakesNoMemoryOnceItsTablesAreThere(t *testing.T) {
	data := records(1, 64<<10)
	var encoder Encoder
	dst := make([]byte, 0, 256)
	for name, new := range map[string][]byte{
		"edit":   edited(data, "edited", 0.5),
		"append": append(data[:len(data):len(data)], `{"id":-1,"name":"new"}`...),
		"edits":  edited(data, `{"edited":true}`, 0.1, 0.35, 0.6, 0.9),
		"same":   data,
	} {
		if count := testing.AllocsPerRun(10, func() { encoder.Append(dst, data, new) }); count != 0 {
			t.Errorf("%s: %v allocations, expected none", name, count)
		}
	}
}
