package refinement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hakuban/impl"
	"hakuban/sim"
	"hakuban/sim/refinement"
)

// entry is a line of a recording, as an exchange and the sequencer write it.
type entry struct {
	Exchange int             `json:"exchange"`
	Version  int             `json:"hakuban-recording,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
	Now      *impl.Now       `json:"now,omitempty"`
	Input    *impl.Input     `json:"input,omitempty"`
}

func parse(t *testing.T, recording []byte) (entries []entry) {
	t.Helper()
	for line := range bytes.Lines(recording) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

func write(t *testing.T, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range entries {
		if err := json.NewEncoder(&b).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func (e *entry) is(kinds ...impl.InputKind) bool {
	return e.Input != nil && slices.Contains(kinds, e.Input.Kind)
}

type endOfLink struct {
	exchange int
	link     impl.LinkID
	received bool
}

type message struct {
	data []byte
	line int
}

// survey is what exchanges sent and received on each of their links, worked out without package sim; false: a core panicked.
func survey(t *testing.T, entries []entry) (messages map[endOfLink][]message, ok bool) {
	t.Helper()
	defer func() { ok = recover() == nil }()
	messages = make(map[endOfLink][]message)
	cores := make(map[int]*impl.Exchange)
	for line, e := range entries {
		if e.Input == nil {
			var config impl.Config
			if err := json.Unmarshal(e.Config, &config); err != nil {
				t.Fatal(err)
			}
			cores[e.Exchange] = impl.New(config)
			continue
		}
		if e.Input.Kind == impl.InputReceive {
			at := endOfLink{e.Exchange, e.Input.Link, true}
			messages[at] = append(messages[at], message{e.Input.Data, line})
		}
		for _, effect := range cores[e.Exchange].Step(*e.Now, *e.Input) {
			if effect.Kind == impl.EffectWrite {
				at := endOfLink{e.Exchange, effect.Link, false}
				messages[at] = append(messages[at], message{effect.Message.Bytes(), line})
			}
		}
	}
	return messages, true
}

// peers is an observer that notes which links are the ends of a session.
type peers struct {
	*refinement.Refinement
	of map[endOfLink]endOfLink // from what is sent to what is received
}

func (p *peers) Attach(s sim.Session, n int) {
	if s.ChildLink != 0 && s.ParentLink != 0 {
		p.of[endOfLink{s.Child, s.ChildLink, false}] = endOfLink{s.Parent, s.ParentLink, true}
		p.of[endOfLink{s.Parent, s.ParentLink, false}] = endOfLink{s.Child, s.ChildLink, true}
	}
	p.Refinement.Attach(s, n)
}

const (
	corruptedRuns   = 6
	corruptedOfEach = 3
)

// corruption makes of the entries, at a line, something that did not happen; false: not at this line.
type corruption struct {
	name   string
	change func(entries []entry, line int) ([]entry, bool)
}

func altered(kind impl.InputKind, change func(input *impl.Input) bool) func(entries []entry, line int) ([]entry, bool) {
	return func(entries []entry, line int) ([]entry, bool) {
		if !entries[line].is(kind) {
			return nil, false
		}
		input := *entries[line].Input
		entries[line].Input = &input
		return entries, change(&input)
	}
}

func leftOut(kinds ...impl.InputKind) func(entries []entry, line int) ([]entry, bool) {
	return func(entries []entry, line int) ([]entry, bool) {
		if !entries[line].is(kinds...) {
			return nil, false
		}
		// The line stays, with an input that changes nothing, so that lines keep their numbers.
		entries[line].Input = &impl.Input{Kind: impl.InputTick}
		return entries, true
	}
}

// sibling is the next line of the same kind and link.
func sibling(entries []entry, line int) int {
	for other := line + 1; other < len(entries); other++ {
		e := &entries[other]
		if e.Exchange == entries[line].Exchange && e.Input != nil && e.Input.Kind == entries[line].Input.Kind && e.Input.Link == entries[line].Input.Link {
			return other
		}
	}
	return -1
}

var corruptions = []corruption{
	{"a message that was received is left out", leftOut(impl.InputReceive)},
	{"a pull is left out", leftOut(impl.InputPull)},
	{"a contract that was opened is left out", leftOut(impl.InputOpen)},
	{"a contract that was closed is left out", leftOut(impl.InputClose)},
	{"a publication is left out", leftOut(impl.InputPublish)},
	{"a byte of a message is another", altered(impl.InputReceive, func(input *impl.Input) bool {
		input.Data = slices.Clone(input.Data)
		input.Data[len(input.Data)-1] ^= 1
		return true
	})},
	{"a state has another byte", altered(impl.InputPublish, func(input *impl.Input) bool {
		state := *input.State
		state.Data = append(slices.Clone(state.Data), 'x')
		input.State = &state
		return true
	})},
	{"a flag is another", altered(impl.InputPublish, func(input *impl.Input) bool {
		input.Synchronized.Now = !input.Synchronized.Now
		return true
	})},
	{"a capacity is another", altered(impl.InputOpen, func(input *impl.Input) bool {
		input.Capacity++
		return input.ContractKind == impl.ExposeObject || input.ContractKind == impl.ExposeTag
	})},
	{"two messages change places", func(entries []entry, line int) ([]entry, bool) {
		if !entries[line].is(impl.InputReceive) {
			return nil, false
		}
		other := sibling(entries, line)
		if other < 0 || bytes.Equal(entries[line].Input.Data, entries[other].Input.Data) {
			return nil, false
		}
		entries[line].Input, entries[other].Input = entries[other].Input, entries[line].Input
		return entries, true
	}},
	{"a message is received twice", func(entries []entry, line int) ([]entry, bool) {
		if !entries[line].is(impl.InputReceive) {
			return nil, false
		}
		return slices.Insert(entries, line+1, entries[line]), true
	}},
	{"a message is received before it was sent", func(entries []entry, line int) ([]entry, bool) {
		if !entries[line].is(impl.InputPull) {
			return nil, false
		}
		for at := line + 1; at < len(entries) && entries[at].Exchange != entries[line].Exchange; at++ {
			if entries[at].is(impl.InputReceive) {
				return slices.Insert(slices.Delete(entries, at, at+1), line, entries[at]), true
			}
		}
		return nil, false
	}},
}

// TestReal_CorruptedRecordingsAreRejected corrupts recordings in one place each, where it makes a difference to what somebody received:
// a message is not what was sent before. They must be rejected, not before that place, and at the latest at that message.
func TestReal_CorruptedRecordingsAreRejected(t *testing.T) {
	var runs []*recordedRun
	for seed := range uint64(corruptedRuns) {
		runs = append(runs, recordRun(t, 1000+seed))
	}
	for i, c := range corruptions {
		random := rand.New(rand.NewPCG(uint64(i), 5))
		rejected, example := 0, ""
		for attempt := 0; rejected < corruptedOfEach && !t.Failed(); attempt++ {
			if attempt == 10_000 {
				t.Fatalf("%s: only %d places for it", c.name, rejected)
			}
			run := runs[random.IntN(len(runs))]
			line := random.IntN(len(run.entries))
			changed, ok := c.change(slices.Clone(run.entries), line)
			if !ok {
				continue
			}
			last, matters := run.difference(t, changed)
			if !matters {
				continue
			}
			v := replay(t, write(t, changed), refinement.New()).Violation
			if v == nil {
				t.Errorf("%s at line %d: accepted", c.name, line+1)
			} else if at := lineOf(changed, v.Exchange, v.Step); at < line || at > last {
				t.Errorf("%s at line %d: rejected at line %d, expected by line %d: %v", c.name, line+1, at+1, last+1, v)
			} else {
				rejected++
				example, _, _ = strings.Cut(fmt.Sprintf("that of line %d: %s: %s", line+1, v.Property, v.Text), "\n")
			}
		}
		t.Logf("%s: %d rejected, such as %.300s", c.name, rejected, example)
	}
}

// recordedRun is a run and which links were the ends of its sessions.
type recordedRun struct {
	entries []entry
	peers
}

func recordRun(t *testing.T, seed uint64) *recordedRun {
	t.Helper()
	run, err := runReal(seed)
	if err != nil {
		t.Fatal(err)
	}
	r := &recordedRun{parse(t, run.file.Bytes()), peers{refinement.New(), make(map[endOfLink]endOfLink)}}
	if v := replay(t, run.file.Bytes(), &r.peers).Violation; v != nil {
		t.Fatal(v)
	}
	return r
}

// difference is the line where somebody receives what, after a corruption, is not what was sent before. The lines are those of the
// corrupted.
func (r *recordedRun) difference(t *testing.T, changed []entry) (line int, matters bool) {
	t.Helper()
	messages, ok := survey(t, changed)
	line = len(changed)
	for from, to := range r.of {
		sent := messages[from]
		for i, received := range messages[to] {
			if i >= len(sent) || !bytes.Equal(sent[i].data, received.data) || sent[i].line > received.line {
				line = min(line, received.line)
				break
			}
		}
	}
	return line, ok && line < len(changed)
}

// lineOf is the line of a step of an exchange, both counted from 0.
func lineOf(entries []entry, exchange, step int) int {
	for line, e := range entries {
		if e.Exchange == exchange && e.Input != nil {
			if step--; step == 0 {
				return line
			}
		}
	}
	return -1
}
