package sim

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"hakuban/impl"
	"hakuban/sim/checker"
)

// mutant shows a checker a world in which something is not as it was.
type mutant struct {
	checker.Checker
	step  func(*checker.Step)
	look  func(*checker.Look)
	quiet func(*checker.Quiet)
}

func (m *mutant) Step(s *checker.Step) error {
	stepper, ok := m.Checker.(checker.Stepper)
	if !ok {
		return nil
	}
	if m.step == nil {
		return stepper.Step(s)
	}
	tampered := *s
	tampered.Effects = slices.Clone(s.Effects)
	for i := range tampered.Effects {
		if s.Answer == &s.Effects[i] {
			tampered.Answer = &tampered.Effects[i]
		}
	}
	m.step(&tampered)
	return stepper.Step(&tampered)
}

func (m *mutant) Glance(l *checker.Look) error {
	if glancer, ok := m.Checker.(checker.Glancer); ok {
		return m.tampered(l, glancer.Glance)
	}
	return nil
}

func (m *mutant) Look(l *checker.Look) error {
	if looker, ok := m.Checker.(checker.Looker); ok {
		return m.tampered(l, looker.Look)
	}
	return nil
}

func (m *mutant) tampered(l *checker.Look, look func(*checker.Look) error) error {
	if m.look == nil {
		return look(l)
	}
	tampered := *l
	tampered.Snapshot = cloneSnapshot(l.Snapshot)
	m.look(&tampered)
	return look(&tampered)
}

func (m *mutant) Quiet(q *checker.Quiet) (int, error) {
	quieter, ok := m.Checker.(checker.Quieter)
	if !ok {
		return 0, nil
	}
	tampered := *q
	if m.quiet != nil {
		tampered.Exchanges = slices.Clone(q.Exchanges)
		for i := range tampered.Exchanges {
			tampered.Exchanges[i].Snapshot = cloneSnapshot(q.Exchanges[i].Snapshot)
		}
		m.quiet(&tampered)
	}
	return quieter.Quiet(&tampered)
}

// cloneSnapshot copies what the mutants change.
func cloneSnapshot(s *impl.Snapshot) *impl.Snapshot {
	c := *s
	c.Objects, c.Tags, c.Links = slices.Clone(s.Objects), slices.Clone(s.Tags), slices.Clone(s.Links)
	for i := range c.Objects {
		c.Objects[i].Links = slices.Clone(c.Objects[i].Links)
		c.Objects[i].Outlets = slices.Clone(c.Objects[i].Outlets)
		c.Objects[i].Sources = slices.Clone(c.Objects[i].Sources)
	}
	for i := range c.Links {
		c.Links[i].Told = slices.Clone(c.Links[i].Told)
	}
	return &c
}

// anyObject changes the first object of a look that f accepts.
func anyObject(f func(*impl.ObjectSnapshot) bool) func(*checker.Look) {
	return func(l *checker.Look) {
		for i := range l.Snapshot.Objects {
			if f(&l.Snapshot.Objects[i]) {
				return
			}
		}
	}
}

// anywhere changes the first object of a tree at rest that f accepts.
func anywhere(phase checker.Phase, f func(*impl.ObjectSnapshot) bool) func(*checker.Quiet) {
	return func(q *checker.Quiet) {
		if q.Phase != phase {
			return
		}
		for i := range q.Exchanges {
			for k := range q.Exchanges[i].Snapshot.Objects {
				if f(&q.Exchanges[i].Snapshot.Objects[k]) {
					return
				}
			}
		}
	}
}

// shown changes what a read of a stream shows.
func shown(f func(*impl.Effect)) func(*checker.Step) {
	return func(s *checker.Step) {
		if s.Input.Kind == impl.InputRead && s.Answer != nil && s.Answer.State != nil {
			f(s.Answer)
		}
	}
}

type mutantCase struct {
	name string
	make func() checker.Checker
}

func mutants() []mutantCase {
	return []mutantCase{
		{"a read goes back", func() checker.Checker {
			first := map[string]*impl.State{}
			return &mutant{Checker: &checker.Monotonic{}, step: func(s *checker.Step) {
				if s.Input.Kind == impl.InputRead && s.Answer != nil && s.Answer.State != nil {
					key := fmt.Sprint(s.Exchange, s.Life, s.Input.Offer)
					if first[key] == nil {
						first[key] = s.Answer.State
					}
					s.Answer.State = first[key]
				}
			}}
		}},
		{"a read shows nothing after something", func() checker.Checker {
			return &mutant{Checker: &checker.Monotonic{}, step: func(s *checker.Step) {
				if s.Offer != nil && s.Offer.Seen != nil && s.Answer != nil {
					s.Answer.State = nil
				}
			}}
		}},
		{"a version that nobody published", func() checker.Checker {
			return &mutant{Checker: &checker.Somewhere{}, step: shown(func(e *impl.Effect) {
				e.State = &impl.State{Version: append(slices.Clone(e.State.Version), 7), Data: e.State.Data, Format: e.State.Format}
			})}
		}},
		{"one byte of a held state changed", func() checker.Checker {
			return &mutant{Checker: &checker.Somewhere{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				if o.State == nil {
					return false
				}
				o.State = &impl.State{Version: o.State.Version, Data: append(slices.Clone(o.State.Data), 'x'), Format: o.State.Format}
				return true
			})}
		}},
		{"other data under the same version elsewhere", func() checker.Checker {
			return &mutant{Checker: &checker.Coherent{}, step: func(s *checker.Step) {
				if s.Exchange == 1 {
					shown(func(e *impl.Effect) {
						e.State = &impl.State{Version: e.State.Version, Data: []byte("other"), Format: e.State.Format}
					})(s)
				}
			}}
		}},
		{"a state last current in the future", func() checker.Checker {
			return &mutant{Checker: &checker.Flag{}, step: shown(func(e *impl.Effect) {
				e.Synchronized = impl.Synchronized{Mono: math.MaxInt64}
			})}
		}},
		{"now without a source", func() checker.Checker {
			return &mutant{Checker: &checker.Flag{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				if o.State == nil || o.Synchronized.Now {
					return false
				}
				o.Synchronized = impl.Synchronized{Now: true}
				return true
			})}
		}},
		{"an offer twice", func() checker.Checker {
			return &mutant{Checker: &checker.Offers{}, step: func(s *checker.Step) {
				for _, e := range s.Effects {
					if e.Kind == impl.EffectTaken && e.Offer != 0 {
						s.Effects = append(s.Effects, impl.Effect{Kind: impl.EffectRevoked, Offer: e.Offer + 1000})
					}
				}
			}}
		}},
		{"a live stream refused", func() checker.Checker {
			return &mutant{Checker: &checker.Offers{}, step: shown(func(e *impl.Effect) {
				e.Kind, e.Err = impl.EffectRefused, impl.ErrRevoked
			})}
		}},
		{"a state that a revoked sink brought", func() checker.Checker {
			return &mutant{Checker: &checker.Intake{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					o.Links[i].Revoked = true
				}
				return false
			})}
		}},
		{"a last-at of another moment", func() checker.Checker {
			return &mutant{Checker: &checker.Flag{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				if o.Synchronized.Now {
					return false
				}
				o.Synchronized.Mono -= 1000
				return false
			})}
		}},
		{"an object that should not exist", func() checker.Checker {
			return &mutant{Checker: &checker.Lifetime{}, look: anyObject(func(o *impl.ObjectSnapshot) bool { o.ShouldExist = !o.ShouldExist; return true })}
		}},
		{"data needed by nobody", func() checker.Checker {
			return &mutant{Checker: &checker.Lifetime{}, look: anyObject(func(o *impl.ObjectSnapshot) bool { o.DataNeeded = !o.DataNeeded; return true })}
		}},
		{"nobody elected", func() checker.Checker {
			return &mutant{Checker: &checker.Election{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				if o.Elected.Kind != impl.ElectedLink {
					return false
				}
				o.Elected = impl.Elected{}
				return true
			})}
		}},
		{"another link elected", func() checker.Checker {
			return &mutant{Checker: &checker.Election{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				if o.Elected.Kind != impl.ElectedLink || len(o.Links) < 2 {
					return false
				}
				for i := range o.Links {
					if o.Links[i].Link != o.Elected.Link {
						o.Elected.Link = o.Links[i].Link
						return true
					}
				}
				return false
			})}
		}},
		{"a second sink open", func() checker.Checker {
			return &mutant{Checker: &checker.Channels{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					if o.Elected.Kind == impl.ElectedLink && o.Links[i].Link != o.Elected.Link {
						o.Links[i].Sink.Number = 99
						return true
					}
				}
				return false
			})}
		}},
		{"a stream that forgot the newest state", func() checker.Checker {
			return &mutant{Checker: &checker.Channels{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					if o.Links[i].Stream.Version != nil {
						o.Links[i].Stream.Version = []int64{0}
					}
				}
				return false
			})}
		}},
		{"a share that was not given back", func() checker.Checker {
			return &mutant{Checker: &checker.Loads{}, look: func(l *checker.Look) {
				for i := range l.Snapshot.Links {
					l.Snapshot.Links[i].Load++
				}
			}}
		}},
		{"a load limit that a link did not tell", func() checker.Checker {
			return &mutant{Checker: &checker.Loads{}, look: func(l *checker.Look) {
				for i := range l.Snapshot.Links {
					l.Snapshot.Links[i].HasLoadLimit = true
				}
			}}
		}},
		{"another share", func() checker.Checker {
			return &mutant{Checker: &checker.Election{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					o.Links[i].Share /= 2
				}
				return false
			})}
		}},
		{"a capacity from nowhere", func() checker.Checker {
			return &mutant{Checker: &checker.Loads{}, look: anyObject(func(o *impl.ObjectSnapshot) bool { o.Capacity++; return true })}
		}},
		{"upstream told too much", func() checker.Checker {
			return &mutant{Checker: &checker.Summaries{}, look: func(l *checker.Look) {
				for i := range l.Snapshot.Links {
					for k := range l.Snapshot.Links[i].Told {
						l.Snapshot.Links[i].Told[k].Capacity++
					}
				}
			}}
		}},
		{"a link of an old session", func() checker.Checker {
			return &mutant{Checker: &checker.Ghosts{}, look: func(l *checker.Look) {
				if len(l.Snapshot.Links) > 0 {
					l.Snapshot.Links[0].Link += 1000
				}
			}}
		}},
		{"a contract that the parent lost", func() checker.Checker {
			return &mutant{Checker: &checker.Agreement{}, quiet: anywhere(checker.Settled, func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					if o.Links[i].Observes {
						o.Links[i].Observes = false
						return true
					}
				}
				return false
			})}
		}},
		{"a channel that only one end has", func() checker.Checker {
			return &mutant{Checker: &checker.Agreement{}, quiet: anywhere(checker.Settled, func(o *impl.ObjectSnapshot) bool {
				removed := len(o.Sources) > 0
				o.Sources = nil
				return removed
			})}
		}},
		{"an observer left with an old state", func() checker.Checker {
			return &mutant{Checker: &checker.Convergent{}, quiet: anywhere(checker.Fresh, func(o *impl.ObjectSnapshot) bool {
				if o.State == nil || o.Elected.Kind != impl.ElectedUpstream {
					return false
				}
				o.State = &impl.State{Version: []int64{math.MinInt64}, Data: o.State.Data}
				return true
			})}
		}},
		{"an observer without its exposer", func() checker.Checker {
			return &mutant{Checker: &checker.Convergent{}, quiet: anywhere(checker.Settled, func(o *impl.ObjectSnapshot) bool {
				if o.ObjectObserveContracts == 0 {
					return false
				}
				o.Elected = impl.Elected{}
				return true
			})}
		}},
		{"a link ended that took little", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: func(l *checker.Look) {
				for i := range l.Snapshot.Links {
					if l.Input.Kind == impl.InputRead && len(l.Effects) > 0 {
						l.Effects = append(slices.Clone(l.Effects), impl.Effect{Kind: impl.EffectEnd, Link: l.Snapshot.Links[i].Link, Err: &impl.ProtocolError{Limited: true}})
					}
				}
			}}
		}},
		{"a link that takes too much and goes on", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Links {
					if o.Links[i].Sink.State != nil {
						o.Links[i].Sink.State = &impl.State{Version: o.Links[i].Sink.Version, Data: make([]byte, 20_000)}
						return true
					}
				}
				return false
			})}
		}},
		{"a state withheld for ever", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				for i := range o.Outlets {
					o.Outlets[i].Withheld = true
				}
				return false
			})}
		}},
		{"a state hollow though there is room", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: anyObject(func(o *impl.ObjectSnapshot) bool {
				o.Hollow = o.State != nil
				return false
			})}
		}},
		{"a contract refused though there is room", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: func(l *checker.Look) {
				if l.Input.Kind == impl.InputOpen {
					l.Effects = []impl.Effect{{Kind: impl.EffectRefused, Err: impl.ErrTooLarge}}
				}
			}}
		}},
		{"upstream asked for too much", func() checker.Checker {
			return &mutant{Checker: &checker.Limits{}, look: func(l *checker.Look) {
				for i := range l.Snapshot.Links {
					if told := l.Snapshot.Links[i].Told; len(told) > 0 {
						l.Snapshot.Links[i].Told = slices.Repeat(told, 50)
					}
				}
			}}
		}},
		{"an object that is never forgotten", func() checker.Checker {
			return &mutant{Checker: &checker.Forgotten{}, quiet: func(q *checker.Quiet) {
				if q.Phase == checker.Closed {
					q.Exchanges[0].Snapshot.Objects = append(q.Exchanges[0].Snapshot.Objects, impl.ObjectSnapshot{})
				}
			}}
		}},
	}
}

func TestCheckers_CatchTheirMutants(t *testing.T) {
	caught := map[string]bool{}
	for _, c := range mutants() {
		t.Run(c.name, func(t *testing.T) {
			name := c.make().Name()
			for seed := range Seed(30) {
				if v := Run(Config{Source: seed, Checkers: []checker.Checker{c.make()}}).Violation; v != nil {
					if v.Property != name {
						t.Fatalf("seed %d: caught as %q, expected %q: %v", seed, v.Property, name, v)
					}
					caught[name] = true
					return
				}
			}
			t.Errorf("%q did not catch it in 30 seeds", name)
		})
	}
	for _, c := range checker.All() {
		if !caught[c.Name()] {
			t.Errorf("checker %q has no mutant that it caught", c.Name())
		}
	}
}
