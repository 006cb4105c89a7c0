package diff

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// Bounds that hold for every input: see finder.
const (
	workPerByte = 3       // of old and new, in what finder counts
	workAtOnce  = 1 << 15 // what the first credit pays for
	tableBytes  = 3 << 19
)

// symbols returns random data of some different bytes.
func symbols(seed uint64, count, length int) []byte {
	source := rand.New(rand.NewPCG(seed, uint64(count)))
	data := make([]byte, length)
	for index := range data {
		data[index] = 'a' + byte(source.UintN(uint(count)))
	}
	return data
}

// fibonacci returns the first length bytes of the word in which every part comes
// again soon, but nowhere for long.
func fibonacci(length int) []byte {
	last, data := []byte("a"), []byte("ab")
	for len(data) < length {
		last, data = data, slices.Concat(data, last)
	}
	return data[:length]
}

// colliding returns data made of 4-byte words that have one hash in the table of
// latest places, however large that is.
func colliding(seed uint64, length int) []byte {
	var words [][]byte
	for value := uint64(0); len(words) < 256; value++ {
		if value<<32*multiplier>>(64-shortBits) == 0x1234 {
			words = append(words, []byte{byte(value), byte(value >> 8), byte(value >> 16), byte(value >> 24)})
		}
	}
	source := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 0, length+4)
	for len(data) < length {
		data = append(data, words[source.UintN(256)]...)
	}
	return data[:length]
}

// rising returns data in which the match at each offset is a little longer than
// the one before, so that it pays to put matches off.
func rising(length int) []byte {
	words := random(5, 64)
	data := make([]byte, 0, length+64)
	for round := 0; len(data) < length; round++ {
		for from := 32; from > 0; from-- {
			data = append(data, words[from:min(2*from, 64)]...)
			data = append(data, byte(round), byte(from))
		}
	}
	return data[:length]
}

// worst is every kind of data that could make the search long.
func worst(length int) map[string][]byte {
	data := hostile(length)
	data["fibonacci"] = fibonacci(length)
	data["colliding"] = colliding(1, length)
	data["rising"] = rising(length)
	data["records"] = records(1, length)
	for _, count := range []int{2, 3, 4, 6, 8, 10, 12, 16, 26} {
		data[fmt.Sprintf("symbols-%d", count)] = symbols(1, count, length)
	}
	return data
}

// others returns what data could be compared with, by name: nothing, itself
// turned round, and data of its kind.
func others(name string, data []byte) map[string][]byte {
	half := len(data) / 2
	result := map[string][]byte{"first": nil, "shifted": append(bytes.Clone(data[half:]), data[:half]...)}
	var count int
	if _, err := fmt.Sscanf(name, "symbols-%d", &count); err == nil {
		result["another"] = symbols(2, count, len(data))
	} else if name == "colliding" {
		result["another"] = colliding(2, len(data))
	} else if name == "random" {
		result["another"] = random(99, len(data))
	}
	return result
}

// TestAppend_WorkIsBoundedForEveryByte counts, and times nothing.
func TestAppend_WorkIsBoundedForEveryByte(t *testing.T) {
	most := 0.0
	for _, size := range []int{1 << 10, 1 << 14, 1 << 18} {
		data := worst(size)
		for _, name := range slices.Sorted(maps.Keys(data)) {
			for kind, old := range others(name, data[name]) {
				var encoder Encoder
				diff := encoder.Append(nil, old, data[name])
				bytes := len(old) + len(data[name])
				if encoder.work > workPerByte*bytes+workAtOnce {
					t.Errorf("%s, %s: work of %d for %d bytes, at most %d a byte and %d expected", name, kind, encoder.work, bytes, workPerByte, workAtOnce)
				}
				if size == 1<<18 {
					most = max(most, float64(encoder.work)/float64(bytes))
				}
				if tables := encoder.tableBytes(); tables > tableBytes {
					t.Errorf("%s, %s: tables of %d bytes, at most %d expected", name, kind, tables, tableBytes)
				}
				if got, err := Patch(old, diff, len(data[name])); err != nil || string(got) != string(data[name]) {
					t.Errorf("%s, %s: not what it was: %v", name, kind, err)
				}
			}
		}
	}
	t.Logf("at most %.2f a byte at 256 KiB", most)
}

// tableBytes returns what the tables hold, in bytes.
func (e *Encoder) tableBytes() int {
	t := &e.tables
	return 4 * (cap(t.long.places) + cap(t.short.places) + cap(t.chain) + cap(t.old.heads) + cap(t.old.links))
}

// TestAppend_RunsAtOnceInAnyNumberOfGoroutines has one Encoder for each, and the
// same data for all: run it under the race detector.
func TestAppend_RunsAtOnceInAnyNumberOfGoroutines(t *testing.T) {
	old := records(1, 1<<15)
	var wanted [][]byte
	var states [][]byte
	for count := range 8 {
		states = append(states, edited(old, fmt.Sprint("edit ", count), 0.1, 0.15+float64(count)/10))
	}
	for _, state := range states {
		wanted = append(wanted, encoded(old, state))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			var encoder Encoder
			for round := range states {
				which := (round + worker) % len(states)
				if got := encoder.Append(nil, old, states[which]); !bytes.Equal(got, wanted[which]) {
					t.Errorf("state %d: another diff than alone", which)
				}
			}
		})
	}
	group.Wait()
}
