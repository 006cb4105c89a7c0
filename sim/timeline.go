package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"hakuban/impl"
	"hakuban/sim/checker"
)

// ErrUnrecorded says that the recording of an exchange is missing.
var ErrUnrecorded = errors.New("the exchange at the other end was not recorded")

// ReplayedTree is what came of replaying the recordings of a tree.
type ReplayedTree struct {
	Replay
	Exchanges int
	Sessions  int // of links
	Lost      int // of those, with messages that were sent and never received
}

// ReplayRecordings steps fresh cores through the recordings of all exchanges of a
// tree, and has an observer see it: Begin, Attach, BeforeStep and AfterStep, for
// nobody recorded what the network did. Nil: no observer.
//
// Each exchange takes its inputs in its order. Between exchanges the order is that
// of the [Sequencer]; without one that of the wall clock, but a message is received
// after it was sent. An end of a session parts after the other one was attached.
// The two ends of a session know it by the same text, [impl.Input].Session. An
// observer needs both: the error is [ErrUnrecorded] when some link has received
// messages and nobody recorded its other end.
func ReplayRecordings(recordings []*Recording, observer Observer) (tree ReplayedTree, err error) {
	t := &timeline{recordings: recordings, observer: observer, tree: &tree}
	tree.Exchanges = len(recordings)
	for n, recording := range recordings {
		tree.Cut = tree.Cut || recording.Cut
		t.alone(n)
	}
	t.pair()
	if unrecorded := t.unrecorded(); unrecorded != nil && observer != nil && tree.Violation == nil {
		return tree, fmt.Errorf("%w: %s: link %d", ErrUnrecorded, recordings[unrecorded.exchange].Name, unrecorded.id)
	}
	t.play()
	return tree, nil
}

// timeline is a replay of several recordings.
type timeline struct {
	recordings []*Recording
	observer   Observer
	tree       *ReplayedTree
	links      []map[impl.LinkID]*recordedLink // by exchange
	hashes     []Hash                          // of each exchange alone
	strangers  bool                            // nobody recorded one end of some session
}

// violated notes the first violation.
func (t *timeline) violated(property string, n, i int, text string) {
	if t.tree.Violation != nil {
		return
	}
	input := &t.recordings[n].inputs[i]
	t.tree.Violation = &checker.Violation{Property: property, Exchange: n, Step: i + 1, Time: input.Now.Mono,
		Text: fmt.Sprintf("%s line %d, %s: %s", t.recordings[n].Name, input.line, DescribeInput(&input.Input), text)}
}

// step steps input i of exchange n; nil effects and false: the core panicked.
func (t *timeline) step(core *impl.Exchange, n, i int) (effects []impl.Effect, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			t.violated("no panic", n, i, fmt.Sprint(r))
		}
	}()
	input := &t.recordings[n].inputs[i]
	return core.Step(input.Now, input.Input), true
}

// alone steps an exchange without the others, which a core does not need, to see
// what it sent.
func (t *timeline) alone(n int) {
	core, links, hash := impl.New(t.recordings[n].config), make(map[impl.LinkID]*recordedLink), Hash(0)
	for i := range t.recordings[n].inputs {
		input := &t.recordings[n].inputs[i]
		switch l := links[input.Input.Link]; {
		case input.Input.Kind == impl.InputAttach:
			links[input.Input.Link] = &recordedLink{exchange: n, id: input.Input.Link, known: input.Input.Session,
				up: input.Input.Role == impl.ToUpstream, skew: t.recordings[n].skew}
		case l != nil && input.Input.Kind == impl.InputReceive:
			l.received = append(l.received, recordedMessage{input.Input.Data, input.at})
		}
		effects, ok := t.step(core, n, i)
		if !ok {
			break
		}
		hash.Effects(effects)
		for j := range effects {
			if l := links[effects[j].Link]; l != nil && effects[j].Kind == impl.EffectWrite {
				l.sent = append(l.sent, recordedMessage{effects[j].Message.Bytes(), input.at})
			}
		}
	}
	t.links, t.hashes = append(t.links, links), append(t.hashes, hash)
}

// unrecorded is a link that received messages of an exchange that was not
// recorded; nil: there is none.
func (t *timeline) unrecorded() *recordedLink {
	for _, links := range t.links {
		for _, id := range slices.Sorted(maps.Keys(links)) {
			if l := links[id]; l.session.ends[1-l.end()] == nil && len(l.received) > 0 {
				return l
			}
		}
	}
	return nil
}

// play steps all exchanges together.
func (t *timeline) play() {
	cores, next, hashes := make([]*impl.Exchange, len(t.recordings)), make([]int, len(t.recordings)), make([]Hash, len(t.recordings))
	for n, recording := range t.recordings {
		cores[n] = impl.New(recording.config)
		if t.observer != nil {
			t.observer.Begin(n, cores[n])
		}
	}
	if t.observer != nil && t.strangers {
		t.observer.Begin(len(t.recordings), nil)
	}
	for t.tree.Violation == nil {
		n := t.first(next)
		if n < 0 {
			break
		}
		effects := t.observed(cores[n], n, next[n])
		hashes[n].Effects(effects)
		t.tree.Hash.Effects(effects)
		t.tree.Steps++
		next[n]++
	}
	for n := range t.recordings {
		if last := len(t.recordings[n].inputs) - 1; last >= 0 && hashes[n] != t.hashes[n] {
			t.violated("the same inputs have the same effects", n, last, "stepped twice, it did something else")
		}
	}
	for n := range t.links {
		for _, l := range t.links[n] {
			if s := l.session; l.up && s.sent != s.received {
				t.tree.Lost++
			}
		}
	}
}

// first is the exchange whose input is next; negative: all are over. It is the
// one with the earliest of those inputs that nothing has to come before; when
// there is none, which no real run has, the earliest.
func (t *timeline) first(next []int) int {
	first, free := -1, false
	for n, recording := range t.recordings {
		if next[n] == len(recording.inputs) {
			continue
		}
		input := &recording.inputs[next[n]]
		switch ready := !t.waits(n, &input.Input); {
		case first < 0, ready && !free, ready == free && input.at < t.recordings[first].inputs[next[first]].at:
			first, free = n, ready
		}
	}
	return first
}

// waits reports whether an input comes after something that was not stepped yet.
func (t *timeline) waits(n int, input *impl.Input) bool {
	l := t.links[n][input.Link]
	if l == nil {
		return false
	}
	end := l.end()
	switch other := l.session.ends[1-end]; input.Kind {
	case impl.InputReceive:
		s := l.session
		return other != nil && s.sent[1-end] == s.received[1-end] && other.sentBefore(s.sent[1-end], &l.received[s.received[1-end]])
	case impl.InputDetach:
		return other != nil && !l.session.on[1-end]
	}
	return false
}

// observed steps input i of exchange n before the observer's eyes.
func (t *timeline) observed(core *impl.Exchange, n, i int) []impl.Effect {
	input := &t.recordings[n].inputs[i]
	l := t.links[n][input.Input.Link]
	if input.Input.Kind == impl.InputAttach {
		s := l.session
		s.on[l.end()] = true
		if l.up {
			s.public.ChildLink = l.id
		} else {
			s.public.ParentLink = l.id
		}
		if t.observer != nil {
			t.observer.Attach(s.public, n)
		}
	}
	if t.observer != nil {
		t.observer.BeforeStep(n, core, input.Now, &input.Input)
	}
	effects, ok := t.step(core, n, i)
	if !ok {
		return nil
	}
	if l != nil && input.Input.Kind == impl.InputReceive {
		l.session.received[1-l.end()]++
	}
	for j := range effects {
		switch e := &effects[j]; {
		case l == nil:
		case e.Kind == impl.EffectWrite:
			l.session.sent[l.end()]++
		case e.Kind == impl.EffectEnd && l.session.ends[1-l.end()] != nil && !errors.Is(e.Err, impl.ErrTooLarge):
			t.violated("peers keep the protocol", n, i, e.Err.Error())
		}
	}
	if err := core.Check(); err != nil {
		t.violated("invariant", n, i, err.Error())
	}
	if t.observer != nil {
		if err := t.observer.AfterStep(n, core, input.Now, &input.Input, effects); err != nil {
			t.violated(t.observer.Property(), n, i, err.Error())
		}
	}
	return effects
}
