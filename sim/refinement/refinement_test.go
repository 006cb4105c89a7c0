package refinement

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hakuban/internal/race"
	"hakuban/model"
	"hakuban/sim"
)

// seeds is how many runs are refined; simulate sweep refines more.
const (
	seeds      = 100
	shortSeeds = 25
)

// Every step of every run is a step of the specification, and the runs take
// every action that the specification has.
func TestRefine_EveryStepIsAStepOfTheSpecification(t *testing.T) {
	count := seeds
	if testing.Short() || race.Enabled {
		count = shortSeeds
	}
	var total Counts
	var mutex sync.Mutex
	var workers errgroup.Group
	workers.SetLimit(2)
	start := time.Now()
	for seed := range sim.Seed(count) {
		if t.Failed() {
			break
		}
		workers.Go(func() error {
			r := New()
			result := sim.Run(sim.Config{Source: seed, Observer: r})
			if result.Violation != nil {
				t.Errorf("seed %d, %d exchanges: %v", seed, result.Exchanges, result.Violation)
			}
			mutex.Lock()
			defer mutex.Unlock()
			total.Add(r.Counts())
			return nil
		})
	}
	_ = workers.Wait()
	t.Logf("%d seeds in %.1f s: %v", count, time.Since(start).Seconds(), &total)
	for action := model.Open; action < model.SetRights; action++ { // rights change in tests/bisimulation, and nothing is sliced
		if total.Actions[action] == 0 && !t.Failed() {
			t.Errorf("no run took %v", action)
		}
	}
}
