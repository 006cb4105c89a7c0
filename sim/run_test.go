package sim

import (
	"context"
	"testing"

	"hakuban/impl"
	"hakuban/internal/race"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
)

func TestSweep_EverySeedHoldsAndEveryFaultIsSometimesThere(t *testing.T) {
	seeds := 300
	if testing.Short() || race.Enabled {
		seeds = 100
	}
	s := Sweep{First: 1, Seeds: seeds, Workers: 2}
	c := s.Run(context.Background())
	for _, f := range c.Failed {
		t.Errorf("seed %d: %v", f.Seed, f.Violation)
	}
	if c.Repeated == 0 {
		t.Error("no seed was run twice")
	}
	for class, count := range c.Faults {
		if count*20 < seeds || count*5 > seeds*4 {
			t.Errorf("fault %q is in %d of %d seeds, expected at least one in 20, and absent in one of 5", faultNames[class], count, seeds)
		}
	}
	hit := 0
	for _, m := range mark.All() {
		if c.Marks[m] > 0 {
			hit++
		}
	}
	if all := len(mark.All()); hit < all*9/10 || all < 50 {
		t.Errorf("%d of %d marks hit, expected nine in ten of at least 50", hit, all)
	}
}

func TestRecord_TapeReplaysToTheSameHash(t *testing.T) {
	for seed := range Seed(20) {
		tape, first := Record(Config{Source: seed})
		again := Run(Config{Source: tape, Slots: tape.Slots})
		if first.Hash != again.Hash || first.Steps != again.Steps {
			t.Errorf("seed %d: %d steps, hash %x; its tape: %d steps, hash %x", seed, first.Steps, first.Hash, again.Steps, again.Hash)
		}
		if unchecked := Run(Config{Source: seed, Unchecked: true}); unchecked.Hash != first.Hash {
			t.Errorf("seed %d: checking it changes it", seed)
		}
	}
}

func TestRun_EmptyTapeIsDull(t *testing.T) {
	result := Run(Config{Source: &Tape{}, Slots: 100})
	if result.Violation != nil || result.Actions != 0 || result.Exchanges != 2 {
		t.Errorf("%d actions, %d exchanges, violation %v; expected nothing but two linked exchanges", result.Actions, result.Exchanges, result.Violation)
	}
}

// Reads of propagated states are not linearizable. A checker that says they are
// must be refuted, or the checkers see nothing.
func TestLinearizable_MustFail(t *testing.T) {
	for seed := range Seed(10) {
		if v := Run(Config{Source: seed, Checkers: []checker.Checker{&checker.Linearizable{}}}).Violation; v != nil {
			t.Logf("seed %d: %v", seed, v)
			return
		}
	}
	t.Error("ten seeds are linearizable; one of the checkers, or the network, does nothing")
}

// counting is an observer that counts what it is told.
type counting struct {
	t                                      *testing.T
	before, after, sent, delivered, losses int
	lives, crashes                         int
}

func (c *counting) Property() string                                      { return "counting" }
func (c *counting) Begin(int, *impl.Exchange)                             { c.lives++ }
func (c *counting) Crash(int)                                             { c.crashes++ }
func (c *counting) Attach(Session, int)                                   {}
func (c *counting) BeforeStep(int, *impl.Exchange, impl.Now, *impl.Input) { c.before++ }
func (c *counting) Send(_ Session, from, to int, _ []byte) error          { c.sent++; return nil }
func (c *counting) Deliver(_ Session, from, to int, _ []byte) error       { c.delivered++; return nil }
func (c *counting) Lose(_ Session, from, to int, _ bool) error            { c.losses++; return nil }
func (c *counting) Respell(_ Session, from, to int, was, now [][]byte) error {
	c.sent += len(now) - len(was)
	return nil
}
func (c *counting) AfterStep(int, *impl.Exchange, impl.Now, *impl.Input, []impl.Effect) error {
	c.after++
	return nil
}

func TestObserver_SeesEveryStepAndMessage(t *testing.T) {
	for seed := range Seed(40) {
		c := &counting{t: t}
		r := Run(Config{Source: seed, Observer: c})
		if r.Violation != nil {
			t.Fatalf("seed %d: %v", seed, r.Violation)
		}
		if c.before != r.Steps || c.after != r.Steps {
			t.Errorf("seed %d: %d and %d of %d steps seen", seed, c.before, c.after, r.Steps)
		}
		if c.sent != c.delivered+c.losses || c.sent == 0 {
			t.Errorf("seed %d: %d messages sent, %d delivered, %d lost", seed, c.sent, c.delivered, c.losses)
		}
		if c.lives != r.Exchanges+c.crashes {
			t.Errorf("seed %d: %d lives, %d exchanges, %d crashes", seed, c.lives, r.Exchanges, c.crashes)
		}
	}
}
