// Package checker holds the properties of a tree of exchanges, one file each.
//
// A checker sees steps ([Stepper]), what elects in an exchange after each step
// ([Glancer]), exchanges looked at whole now and then ([Looker]), and the tree at
// rest ([Quieter]). It computes what should be so
// from docs/spec-map.md and from what the applications did; it calls nothing of
// package impl. What all of them need to remember of the past is in the
// [Ledger].
package checker

import (
	"fmt"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Violation is a property that does not hold.
type Violation struct {
	Property string
	Exchange int
	Step     int
	Time     int64 // virtual
	Text     string
}

// Error says everything.
func (v *Violation) Error() string {
	return fmt.Sprintf("property %q violated at exchange %d, step %d, %.3f ms: %s", v.Property, v.Exchange, v.Step, float64(v.Time)/1e6, v.Text)
}

// Step is one step of one core. Offer, Object and Read are filled in by the Set.
type Step struct {
	Exchange int
	Life     int // counts the exchange's crashes
	Number   int
	Time     int64
	Now      impl.Now
	Input    *impl.Input
	Effects  []impl.Effect

	Offer   *Offer       // the offer that the input is about
	Object  *Object      // its object
	Answer  *impl.Effect // EffectState or EffectRefused
	Skipped bool         // a read passed over versions
}

// Attached is a link that the driver holds attached to an exchange.
type Attached struct {
	Link     impl.LinkID
	Upstream bool // the peer is this exchange's parent
	Peer     int
	PeerLink impl.LinkID // zero: the other end is not attached
	Drained  bool        // nothing is owed to the link
	Current  bool        // the network still carries it
}

// Look is one exchange as it stands after a step.
type Look struct {
	Exchange int
	Life     int
	Step     int
	Now      impl.Now
	Snapshot *impl.Snapshot
	Before   *impl.Snapshot // before that step; nil: not taken
	Input    *impl.Input    // of that step; nil: none
	Effects  []impl.Effect  // of that step, in a glance
	Attached []Attached
	AtRest   bool // nothing is under way anywhere
}

// Phase says why a tree is at rest.
type Phase uint8

// The phases of a calm.
const (
	Settled Phase = iota // the faults healed
	Fresh                // every taken sink published once more
	Closed               // every contract closed
)

// Quiet is the whole tree at rest.
type Quiet struct {
	Phase     Phase
	Step      int
	Exchanges []Look // by exchange
}

// Checker checks one property.
type Checker interface {
	Name() string
	bind(*Ledger)
}

// Stepper is a checker of steps. The error says what is wrong.
type Stepper interface{ Step(*Step) error }

// Glancer is a checker of what elects: it sees each exchange after each step,
// but only its objects, and its links without what they were told.
type Glancer interface{ Glance(*Look) error }

// Looker is a checker of whole exchanges.
type Looker interface{ Look(*Look) error }

// Quieter is a checker of the tree at rest. It returns the exchange at which
// something is wrong.
type Quieter interface{ Quiet(*Quiet) (int, error) }

// base is embedded by every checker.
type base struct{ ledger *Ledger }

func (b *base) bind(l *Ledger) { b.ledger = l }

// All returns a new checker of every property that must hold.
func All() []Checker {
	return []Checker{
		&Monotonic{}, &Somewhere{}, &Coherent{}, &Flag{}, &Offers{}, &Intake{},
		&Lifetime{}, &Election{}, &Channels{}, &Loads{}, &Summaries{}, &Ghosts{},
		&Agreement{}, &Convergent{}, &Forgotten{}, &Limits{},
	}
}

// Set runs checkers over one world.
type Set struct {
	ledger   *Ledger
	checkers []Checker
	steppers []Stepper
	glancers []Glancer
	lookers  []Looker
}

// NewSet makes a set of checkers, which must be new.
func NewSet(checkers []Checker, marks *mark.Set) *Set {
	s := &Set{ledger: newLedger(marks), checkers: checkers}
	for _, c := range checkers {
		c.bind(s.ledger)
		if stepper, ok := c.(Stepper); ok {
			s.steppers = append(s.steppers, stepper)
		}
		if glancer, ok := c.(Glancer); ok {
			s.glancers = append(s.glancers, glancer)
		}
		if looker, ok := c.(Looker); ok {
			s.lookers = append(s.lookers, looker)
		}
	}
	return s
}

// Begin tells that a life of an exchange begins.
func (s *Set) Begin(exchange, life int, config *impl.Config) { s.ledger.begin(exchange, life, config) }

// Step checks a step.
func (s *Set) Step(step *Step) *Violation {
	s.ledger.before(step)
	for _, c := range s.steppers {
		if err := c.Step(step); err != nil {
			return &Violation{Property: c.(Checker).Name(), Exchange: step.Exchange, Step: step.Number, Text: err.Error()}
		}
	}
	s.ledger.after(step)
	return nil
}

// Glance checks one exchange of which only the objects and links are shown.
func (s *Set) Glance(look *Look) *Violation {
	for _, c := range s.glancers {
		if err := c.Glance(look); err != nil {
			return &Violation{Property: c.(Checker).Name(), Exchange: look.Exchange, Step: look.Step, Text: err.Error()}
		}
	}
	return nil
}

// Look checks one exchange.
func (s *Set) Look(look *Look) *Violation {
	for _, c := range s.lookers {
		if err := c.Look(look); err != nil {
			return &Violation{Property: c.(Checker).Name(), Exchange: look.Exchange, Step: look.Step, Text: err.Error()}
		}
	}
	return nil
}

// Quiet checks the tree at rest: every exchange, then all of them together.
func (s *Set) Quiet(quiet *Quiet) *Violation {
	for i := range quiet.Exchanges {
		if v := s.Look(&quiet.Exchanges[i]); v != nil {
			return v
		}
	}
	for _, c := range s.checkers {
		if quieter, ok := c.(Quieter); ok {
			if exchange, err := quieter.Quiet(quiet); err != nil {
				return &Violation{Property: c.Name(), Exchange: exchange, Step: quiet.Step, Text: err.Error()}
			}
		}
	}
	return nil
}
