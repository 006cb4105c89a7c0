package sim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"hakuban/impl"
	"hakuban/sim/checker"
)

// Replay is what came of replaying a recording.
type Replay struct {
	Steps     int
	Hash      Hash
	Cut       bool // the last line is incomplete and was left out
	Violation *checker.Violation
}

// recordingEntry is any line of a recording. Those of several exchanges can be
// in one file: then each line says which it is of.
type recordingEntry struct {
	impl.RecordingHeader
	impl.RecordedInput
	Exchange *int `json:"exchange"`
}

// ReplayRecording steps a fresh core through a recording. It prints every step:
// the input, the effects, and what changed.
func ReplayRecording(r io.Reader, out io.Writer) (replay Replay, err error) {
	lines := recordingReader{lines: bufio.NewReader(r)}
	header, err := lines.next()
	if err == nil {
		err = checkVersion(header.Version)
	}
	if err != nil {
		return replay, fmt.Errorf("recording header: %w: %w", ErrFormat, err)
	}
	core := impl.New(header.Config)
	defer func() {
		if r := recover(); r != nil {
			replay.Violation = &checker.Violation{Property: "no panic", Step: replay.Steps, Text: fmt.Sprint(r)}
		}
	}()
	var before impl.Snapshot
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			replay.Cut = lines.cut
			return replay, nil
		} else if err != nil {
			return replay, err
		}
		replay.Steps++
		fmt.Fprintf(out, "%d  %.3f ms  %s\n", replay.Steps, float64(line.Now.Mono)/1e6, DescribeInput(&line.Input))
		effects := core.Step(line.Now, line.Input)
		replay.Hash.Effects(effects)
		for i := range effects {
			fmt.Fprintf(out, "    → %s\n", DescribeEffect(&effects[i]))
		}
		after := core.Snapshot(line.Now)
		describeChanges(out, &before, &after)
		before = after
		if checkErr := core.Check(); checkErr != nil {
			replay.Violation = &checker.Violation{Property: "invariant", Step: replay.Steps, Time: line.Now.Mono, Text: checkErr.Error()}
			return replay, nil
		}
	}
}

func checkVersion(version int) error {
	switch {
	case version > 0 && version < impl.RecordingVersion:
		return fmt.Errorf("a recording of version %d is of an older hakuban-router, whose core took other steps: "+
			"replay it with a simulate of the same age: %w", version, ErrFormat)
	case version != impl.RecordingVersion:
		return fmt.Errorf("recording version %d, expected %d: %w", version, impl.RecordingVersion, ErrFormat)
	}
	return nil
}

// recordingReader reads a recording line by line.
type recordingReader struct {
	lines *bufio.Reader
	line  int  // the number of the last one, from 1
	cut   bool // the last line is incomplete and was left out
}

// next reads a line; io.EOF: there is none.
func (r *recordingReader) next() (entry recordingEntry, err error) {
	text, err := r.lines.ReadBytes('\n')
	last := errors.Is(err, io.EOF)
	if err != nil && !last || len(text) == 0 {
		return entry, err
	}
	r.line++
	if err = json.Unmarshal(text, &entry); err == nil {
		return entry, nil
	}
	if r.cut = last && r.line > 1; r.cut {
		return entry, io.EOF
	}
	return entry, fmt.Errorf("recording line %d: %w: %w", r.line, ErrFormat, err)
}

// describeChanges prints what differs between two snapshots, object by object.
func describeChanges(out io.Writer, before, after *impl.Snapshot) {
	for i := range after.Objects {
		o := &after.Objects[i]
		was := slices.IndexFunc(before.Objects, func(b impl.ObjectSnapshot) bool { return b.Number == o.Number })
		if was < 0 {
			fmt.Fprintf(out, "    + object %s: %s\n", describeDescriptor(o.Descriptor), describeObject(o))
		} else if now, then := describeObject(o), describeObject(&before.Objects[was]); now != then {
			fmt.Fprintf(out, "    ~ object %s: %s, was %s\n", describeDescriptor(o.Descriptor), now, then)
		}
	}
	for i := range before.Objects {
		o := &before.Objects[i]
		if !slices.ContainsFunc(after.Objects, func(a impl.ObjectSnapshot) bool { return a.Number == o.Number }) {
			fmt.Fprintf(out, "    - object %s\n", describeDescriptor(o.Descriptor))
		}
	}
}

func describeObject(o *impl.ObjectSnapshot) string {
	elected := [...]string{"nobody elected", "upstream elected", "contract %d elected", "tag contract %d elected", "link %d elected"}[o.Elected.Kind]
	switch o.Elected.Kind {
	case impl.ElectedObjectContract, impl.ElectedTagContract:
		elected = fmt.Sprintf(elected, o.Elected.Contract)
	case impl.ElectedLink:
		elected = fmt.Sprintf(elected, o.Elected.Link)
	}
	if o.State == nil {
		return elected + ", no state"
	}
	return fmt.Sprintf("%s, version %v, %s", elected, o.State.Version, describeFlag(o.Synchronized))
}
