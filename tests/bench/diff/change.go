package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"hakuban/wire/diff"
)

// change is a state and what it becomes.
type change struct {
	name     string
	old, new []byte
}

// size returns how long our diff is, in bytes.
func (c change) size(encoder *diff.Encoder) int { return len(encoder.Append(nil, c.old, c.new)) }

// changes are what is compared, of about size bytes each.
func changes(size int) []change {
	records, rich := records(size), documents(1, size)
	moved := bytes.Split(rich, []byte("},"))
	source := rand.New(rand.NewPCG(2, 0))
	source.Shuffle(len(moved), func(i, j int) { moved[i], moved[j] = moved[j], moved[i] })
	many := bytes.Clone(rich)
	for count := range 200 {
		copy(many[source.IntN(size-8):], fmt.Sprintf("%06d", count))
	}
	all := []change{
		{"first, JSON of small records", nil, records},
		{"first, JSON of documents", nil, rich},
		{"one edit in documents", rich, bytes.Join([][]byte{rich[:size/2], []byte(`"edited"`), rich[size/2+5:]}, nil)},
		{"200 edits in documents", rich, many},
		{"documents in another order", rich, bytes.Join(moved, []byte("},"))},
		{"other documents", rich, documents(3, size)},
	}
	for _, count := range []int{2, 4, 8, 12, 256} {
		all = append(all, change{fmt.Sprintf("first, random of %d symbols", count), nil, symbols(uint64(count), count, size)},
			change{fmt.Sprintf("random of %d symbols to another", count), symbols(1, count, size), symbols(2, count, size)})
	}
	for index := range all {
		all[index].name = fmt.Sprintf("%d KiB: %s", size>>10, all[index].name)
	}
	return all
}

// records are alike but for their numbers.
func records(size int) []byte {
	source := rand.New(rand.NewPCG(1, 0))
	var data bytes.Buffer
	for id := 0; data.Len() < size; id++ {
		fmt.Fprintf(&data, `{"id":%d,"name":"item %d","value":%d},`, id, id, source.IntN(1000000))
	}
	return data.Bytes()[:size]
}

// documents have random ids, words, numbers and times.
func documents(seed uint64, size int) []byte {
	source := rand.New(rand.NewPCG(seed, 1))
	words := make([]string, 3000)
	for index := range words {
		words[index] = string(symbols(uint64(index), 26, 2+index%9))
	}
	word := func() string { return words[source.IntN(len(words))] }
	var data bytes.Buffer
	for data.Len() < size {
		text := make([]string, 5+source.IntN(25))
		for index := range text {
			text[index] = word()
		}
		fmt.Fprintf(&data, `{"id": "%016x%016x", "user": {"name": "%s %s", "email": "%s@example.com", "active": %t}, "score": %.12f, `,
			source.Uint64(), source.Uint64(), word(), word(), word(), source.IntN(2) == 0, 100*source.Float64())
		fmt.Fprintf(&data, `"created": "2026-%02d-%02dT%02d:%02d:%02dZ", "text": "%s"},`,
			1+source.IntN(12), 1+source.IntN(28), source.IntN(24), source.IntN(60), source.IntN(60), strings.Join(text, " "))
	}
	return data.Bytes()[:size]
}

// symbols are random bytes of some different values.
func symbols(seed uint64, count, size int) []byte {
	source := rand.New(rand.NewPCG(seed, uint64(count)))
	data := make([]byte, size)
	for index := range data {
		data[index] = byte(source.IntN(count))
		if count <= 26 {
			data[index] += 'a'
		}
	}
	return data
}
