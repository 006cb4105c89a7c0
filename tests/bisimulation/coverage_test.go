package bisimulation

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"hakuban/model"
)

var walks = flag.Int("walks", 150, "random walks `n` of each configuration")

// coverage is what random walks came through, of what there is.
type coverage struct {
	states map[uint64]int // visits, by hash of the product
	edges  map[uint64]bool
	visits int
	steps  int
}

// How much of a configuration do seeds find without being told where to look?
// The number of states that there are is known, so this can be said, and how good
// the guess is that one would make without knowing it.
func TestCoverage_RandomWalks(t *testing.T) {
	for _, c := range []*model.Configuration{model.S(), model.M3(), model.MS()} {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			first, err := start(c)
			if err != nil {
				t.Fatal(err)
			}
			seen := coverage{states: make(map[uint64]int), edges: make(map[uint64]bool)}
			for seed := range *walks {
				if err := seen.walk(c, first, uint64(seed)); err != nil {
					t.Fatalf("walk %d: %v", seed, err)
				}
			}
			once := 0
			for _, visits := range seen.states {
				if visits == 1 {
					once++
				}
			}
			all := expected(t, c)
			percent := func(part, whole int) float64 { return 100 * float64(part) / float64(whole) }
			t.Logf("%s: %d walks, %d steps: %d of %d states (%.1f %%), %d of %d edges (%.1f %%); by Good and Turing the next state is a new one with %.2f %%; %.1f s",
				c.Name, *walks, seen.steps, len(seen.states), all.Distinct, percent(len(seen.states), all.Distinct),
				len(seen.edges), all.Generated-1, percent(len(seen.edges), all.Generated-1), percent(once, seen.visits), time.Since(begin).Seconds())
			if len(seen.states) > all.Distinct || len(seen.edges) > all.Generated-1 {
				t.Error("more than there is")
			}
		})
	}
}

func hash(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

// walk takes steps at random until there is none, in both. Each walk likes some
// actions more than others: with all alike, everything that is bounded happens
// first, and then nothing more.
func (v *coverage) walk(c *model.Configuration, first *product, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	var weights [model.Actions]int
	for action := range weights {
		weights[action] = 1 << (2 * random.IntN(5))
	}
	p := *first
	p.world = first.world.clone()
	for {
		key := p.key()
		v.states[hash(key)]++
		v.visits++
		var steps []model.Step
		sum := 0
		for action := model.Open; action < model.Rebalance; action++ {
			c.Model.Steps(action, func(step model.Step) {
				next := p
				if _, allowed := next.spend(c, step); allowed && c.Model.Do(p.world.state(), step, func(model.State) {}) == "" {
					steps = append(steps, step)
					sum += weights[action]
				}
			})
		}
		if len(steps) == 0 {
			return nil
		}
		at := 0
		for left := random.IntN(sum); left >= weights[steps[at].Action]; at++ {
			left -= weights[steps[at].Action]
		}
		step := steps[at]
		v.edges[hash(fmt.Sprint(key, step))] = true
		v.steps++
		before := p
		p.spend(c, step)
		p.world = before.world.clone()
		if done, err := p.edge(&before, step, 0, 1, &result{}, nil); err != nil || !done {
			return fmt.Errorf("%+v: done is %v, %w", step, done, err)
		}
	}
}
