package sim

import (
	"slices"
	"time"
)

// Shrinking is what came of [Shrink].
type Shrinking struct {
	Tape   *Tape
	Result Result // of the last run that failed
	Runs   int
	Done   bool // nothing was left to try; false: the time ran out
}

// Record runs a configuration and returns the choices that it asked for.
func Record(config Config) (*Tape, Result) {
	recorder := &Recorder{Source: config.Source, Choices: map[Label]uint32{}}
	config.Source = recorder
	result := Run(config)
	tape := &Tape{Slots: max(1, result.Slots), Choices: recorder.Choices}
	if seed, ok := recorder.Source.(Seed); ok {
		tape.Seed = uint64(seed)
	}
	if result.Violation != nil {
		tape.Property = result.Violation.Property
	}
	return tape, result
}

// Shrink looks for a smaller tape that violates the same property, for a while.
// Big things go first: the tail, whole classes of faults, slots in halves and
// smaller parts, exchanges; then single choices, and then their values. The
// configuration gives checkers and observer only; it is asked for each run,
// because checkers are used once.
func Shrink(tape *Tape, configure func() Config, limit time.Duration) Shrinking {
	s := &shrinker{configure: configure, deadline: time.Now().Add(limit), best: tape.Clone()}
	if !s.try(tape.Clone()) {
		return Shrinking{Tape: tape, Result: s.result, Runs: s.runs}
	}
	s.lookAlways()
	for {
		before, slots, sum := len(s.best.Choices), s.best.Slots, s.weight()
		s.truncate()
		s.forgetSlots()
		s.forgetKinds()
		s.lowerShape()
		s.forgetChoices()
		s.lowerValues()
		if s.over() || len(s.best.Choices) == before && s.best.Slots == slots && s.weight() == sum {
			return Shrinking{Tape: s.best, Result: s.result, Runs: s.runs, Done: !s.over()}
		}
	}
}

type shrinker struct {
	configure func() Config
	deadline  time.Time
	best      *Tape
	result    Result
	runs      int
	dense     bool
}

func (s *shrinker) over() bool { return time.Now().After(s.deadline) }

func (s *shrinker) weight() (sum uint64) {
	for _, value := range s.best.Choices {
		sum += uint64(value)
	}
	return sum
}

// try runs a tape and keeps it, without the choices that were never asked for,
// when it violates the property.
func (s *shrinker) try(tape *Tape) bool {
	s.runs++
	config := s.configure()
	config.Source, config.Slots = tape, tape.Slots
	recorded, result := Record(config)
	if s.runs == 1 {
		s.result = result
	}
	if result.Violation == nil || result.Violation.Property != s.best.Property && s.best.Property != "" {
		return false
	}
	recorded.Seed = s.best.Seed
	s.best, s.result = recorded, result
	return true
}

// without tries to forget labels.
func (s *shrinker) without(labels []Label) bool {
	tape := s.best.Clone()
	forgotten := false
	for _, label := range labels {
		if _, ok := tape.Choices[label]; ok && !s.keeps(label) {
			delete(tape.Choices, label)
			forgotten = true
		}
	}
	return forgotten && s.try(tape)
}

// lookAlways makes the checkers look after every step, and keeps it so, when it
// was a sparse look that saw the violation: which steps that sees depends on how
// many came before, which shrinking changes.
func (s *shrinker) lookAlways() {
	if s.result.Steps%lookEvery != 0 {
		return
	}
	tape := s.best.Clone()
	tape.Choices[denseLabel] = denseAlways
	s.dense = s.try(tape)
}

// truncate drops slots from the end.
func (s *shrinker) truncate() {
	for part := s.best.Slots / 2; part > 0 && !s.over(); {
		tape := s.best.Clone()
		tape.Slots -= part
		if tape.Slots < 1 || !s.try(tape) {
			part /= 2
		} else {
			part = min(part, s.best.Slots/2)
		}
	}
}

// forgetSlots makes slots do nothing, many at a time first.
func (s *shrinker) forgetSlots() {
	s.forget(func() []Label {
		return slices.DeleteFunc(s.best.Labels(), func(l Label) bool { return l.Kind != chooseSlot })
	})
}

// forgetChoices forgets any choices, many at a time first.
func (s *shrinker) forgetChoices() { s.forget(func() []Label { return s.best.Labels() }) }

// forget is delta debugging over the labels that remain, from the end.
func (s *shrinker) forget(remaining func() []Label) {
	for size := max(1, len(remaining())/2); ; size /= 2 {
		labels := remaining()
		for end := len(labels); end > 0 && !s.over(); end -= size {
			s.without(labels[max(0, end-size):end])
		}
		if size <= 1 || s.over() {
			return
		}
	}
}

// forgetKinds forgets all choices of a kind at once.
func (s *shrinker) forgetKinds() {
	for kind := kindNone + 1; kind < kindCount && !s.over(); kind++ {
		s.without(slices.DeleteFunc(s.best.Labels(), func(l Label) bool { return l.Kind != kind }))
	}
}

// lowerShape takes exchanges away: nodes are asked for modulo their number, so
// this is tried with everything else unchanged.
func (s *shrinker) lowerShape() {
	for _, kind := range []Kind{chooseSize, chooseObjects, chooseTags, chooseParent, chooseShape} {
		for _, label := range s.best.Labels() {
			if label.Kind == kind {
				s.lower(label)
			}
		}
	}
}

// lowerValues makes the numbers that remain smaller.
func (s *shrinker) lowerValues() {
	for _, label := range s.best.Labels() {
		if s.over() {
			return
		}
		s.lower(label)
	}
}

// keeps reports whether a choice must stay as it is.
func (s *shrinker) keeps(label Label) bool { return s.dense && label == denseLabel }

func (s *shrinker) lower(label Label) {
	if s.keeps(label) {
		return
	}
	value := s.best.Choices[label]
	for _, smaller := range []uint32{0, 1, value / 4, value / 2, value - value/4, value - 1} {
		if smaller >= value || value == 0 {
			continue
		}
		tape := s.best.Clone()
		tape.Choices[label] = smaller
		if smaller == 0 {
			delete(tape.Choices, label)
		}
		if s.try(tape) {
			return
		}
	}
}
