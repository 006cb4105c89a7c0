package sim

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// tapeVersion is the version of the tape's format that this package writes and reads.
const tapeVersion = 1

// Tape is a source that answers with recorded choices, and with zero elsewhere.
type Tape struct {
	Seed     uint64           // where it came from, for people
	Slots    int              // of the chaos
	Property string           // that the run violates; empty: none
	Choices  map[Label]uint32 // none is zero
}

// Choose implements [Source].
func (t *Tape) Choose(label Label, n uint32) uint32 { return t.Choices[label] % n }

// Clone copies the tape.
func (t *Tape) Clone() *Tape {
	return &Tape{Seed: t.Seed, Slots: t.Slots, Property: t.Property, Choices: maps.Clone(t.Choices)}
}

// Labels returns the labels of the choices that are not zero, in order.
func (t *Tape) Labels() []Label {
	return slices.SortedFunc(maps.Keys(t.Choices), func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Ordinal, b.Ordinal))
	})
}

type tapeHeader struct {
	Version  int    `json:"hakuban-tape"`
	Seed     uint64 `json:"seed"`
	Slots    int    `json:"slots"`
	Property string `json:"property,omitempty"`
}

type tapeLine struct {
	Label string `json:"choice"`
	Value uint32 `json:"value"`
}

// Write writes the tape as lines of JSON: a header, then a line per choice.
func (t *Tape) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(tapeHeader{tapeVersion, t.Seed, t.Slots, t.Property}); err != nil {
		return err
	}
	for _, label := range t.Labels() {
		if err := encoder.Encode(tapeLine{label.String(), t.Choices[label]}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// ErrFormat marks a file that is no tape or recording of a known version.
var ErrFormat = errors.New("unknown format")

// ReadTape reads what [Tape.Write] wrote. Lines after the header may be in any
// order, and may be missing.
func ReadTape(r io.Reader) (*Tape, error) {
	decoder := json.NewDecoder(r)
	var header tapeHeader
	if err := decoder.Decode(&header); err != nil {
		return nil, fmt.Errorf("tape header: %w: %w", ErrFormat, err)
	}
	if header.Version != tapeVersion {
		return nil, fmt.Errorf("tape version %d, expected %d: %w", header.Version, tapeVersion, ErrFormat)
	}
	if header.Slots < 0 || header.Slots > maxSlots {
		return nil, fmt.Errorf("tape of %d slots, expected 0 to %d: %w", header.Slots, maxSlots, ErrFormat)
	}
	t := &Tape{Seed: header.Seed, Slots: header.Slots, Property: header.Property, Choices: map[Label]uint32{}}
	for line := 2; ; line++ {
		var l tapeLine
		if err := decoder.Decode(&l); errors.Is(err, io.EOF) {
			return t, nil
		} else if err != nil {
			return nil, fmt.Errorf("tape line %d: %w: %w", line, ErrFormat, err)
		}
		label, err := ParseLabel(l.Label)
		if err != nil {
			return nil, fmt.Errorf("tape line %d: %w: %w", line, ErrFormat, err)
		}
		if l.Value != 0 {
			t.Choices[label] = l.Value
		}
	}
}
