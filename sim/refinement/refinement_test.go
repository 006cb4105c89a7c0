package refinement

import (
	"testing"

	"hakuban/sim"
)

func TestRefine_EveryStepIsAStepOfTheSpecification(t *testing.T) {
	var total Counts
	for seed := range sim.Seed(20) {
		r := New()
		result := sim.Run(sim.Config{Source: seed, Observer: r})
		if result.Violation != nil {
			t.Errorf("seed %d, %d exchanges: %v", seed, result.Exchanges, result.Violation)
		}
		total.Add(r.Counts())
	}
	t.Logf("%+v", total)
}
