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
	tableBytes  = 2 << 20
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

// worst is every kind of data that could make the search long, by name.
var worst = map[string]func(length int) []byte{
	"equal":      func(length int) []byte { return bytes.Repeat([]byte{'.'}, length) },
	"ff":         func(length int) []byte { return bytes.Repeat([]byte{0xff}, length) },
	"period-2":   func(length int) []byte { return repeated([]byte("ab"), length) },
	"period-255": func(length int) []byte { return repeated(random(1, 255), length) },
	"period-7k":  func(length int) []byte { return repeated(random(2, 7000), length) },
	"escapes":    func(length int) []byte { return repeated(everyByte(), length) },
	"de-bruijn":  deBruijn,
	"fibonacci":  fibonacci,
	"rising":     rising,
	"random":     func(length int) []byte { return random(3, length) },
	"colliding":  func(length int) []byte { return colliding(1, length) },
	"records":    func(length int) []byte { return records(1, length) },
	"symbols-2":  func(length int) []byte { return symbols(1, 2, length) },
	"symbols-3":  func(length int) []byte { return symbols(1, 3, length) },
	"symbols-4":  func(length int) []byte { return symbols(1, 4, length) },
	"symbols-6":  func(length int) []byte { return symbols(1, 6, length) },
	"symbols-8":  func(length int) []byte { return symbols(1, 8, length) },
	"symbols-10": func(length int) []byte { return symbols(1, 10, length) },
	"symbols-12": func(length int) []byte { return symbols(1, 12, length) },
	"symbols-16": func(length int) []byte { return symbols(1, 16, length) },
	"symbols-26": func(length int) []byte { return symbols(1, 26, length) },
}

// repeated returns length bytes of a word that comes again and again.
func repeated(word []byte, length int) []byte {
	return bytes.Repeat(word, length/len(word)+1)[:length]
}

// worstChange returns data of a kind, from nothing (first), from its own halves
// the other way round (shifted), or from data of its kind (another).
func worstChange(name, kind string, length int) change {
	switch kind {
	case "first":
		return change{new: worst[name](length)}
	case "shifted":
		new := worst[name](length)
		return change{old: append(bytes.Clone(new[length/2:]), new[:length/2]...), new: new}
	default:
		both := worst[name](2 * length)
		return change{old: both[:length], new: both[length:]}
	}
}

// TestAppend_WorkIsBoundedForEveryByte counts, and times nothing.
func TestAppend_WorkIsBoundedForEveryByte(t *testing.T) {
	most := 0.0
	for _, size := range []int{1 << 10, 1 << 14, 1 << 18} {
		for _, name := range slices.Sorted(maps.Keys(worst)) {
			for _, kind := range []string{"first", "shifted", "another"} {
				c := worstChange(name, kind, size)
				var encoder Encoder
				diff := encoder.Append(nil, c.old, c.new)
				length := len(c.old) + len(c.new)
				if encoder.work > workPerByte*length+workAtOnce {
					t.Errorf("%s, %s: work of %d for %d bytes, at most %d a byte and %d expected", name, kind, encoder.work, length, workPerByte, workAtOnce)
				}
				if size == 1<<18 {
					most = max(most, float64(encoder.work)/float64(length))
				}
				if tables := encoder.tableBytes(); tables > tableBytes {
					t.Errorf("%s, %s: tables of %d bytes, at most %d expected", name, kind, tables, tableBytes)
				}
				if got, err := Patch(c.old, diff, len(c.new)); err != nil || !bytes.Equal(got, c.new) {
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
