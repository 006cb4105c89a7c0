package refinement

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hakuban/internal/race"
	"hakuban/model"
)

var walks = flag.Int("walks", 100, "random walks of 200 steps in each configuration")

// parametric is a configuration's model without what belongs to its bounds: a load limit may refuse any link, and a control
// message may be a portion.
func parametric(from *model.Model) *model.Model {
	return (&model.Model{
		Exchanges: from.Exchanges, Links: from.Links, Objects: from.Objects, Tags: from.Tags, Contracts: from.Contracts,
		Capacities: from.Capacities, Version: from.Version, Limited: true, Chunked: true,
	}).Prepare()
}

// refine reports how the model goes from one state to the next by one of the actions; "" where that is no step of it.
func refine(m *model.Model, before, after model.State, actions []model.Action) (found string, err error) {
	if m.Equal(before, after) {
		return "stutter", nil
	}
	var reached []string
	for _, action := range actions {
		m.Steps(action, func(step model.Step) {
			m.Do(before, step, func(next model.State) {
				if found == "" && m.Equal(next, after) {
					found = action.String()
				}
				reached = append(reached, string(m.AppendText(nil, next)))
			})
		})
	}
	if found != "" {
		return found, nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "no step of the model by %v\nbefore %s\nafter  %s\n", actions, m.AppendText(nil, before), m.AppendText(nil, after))
	for _, action := range actions {
		m.Explain(before, action, func(step model.Step, reason string) {
			if reason != "" {
				fmt.Fprintf(&text, "%+v: false is %s\n", step, reason)
			}
		})
	}
	for _, other := range reached {
		fmt.Fprintf(&text, "model  %s\n", other)
	}
	return "", fmt.Errorf("%s", text.String())
}

// walk takes random steps from a seed, each refined, and returns the states that it was in.
func walk(m *model.Model, seed uint64, steps int, counts map[string]int) (states []model.State, actions []string, err error) {
	random := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(m)
	before := w.abstract()
	states = append(states, before)
	for range steps {
		in := choose(w, random)
		if in.at > 0 {
			counts["overtaken"]++
		}
		candidates := w.do(in)
		after := w.abstract()
		action, err := refine(m, before, after, candidates)
		if err != nil {
			return states, actions, fmt.Errorf("seed %d, step %d, input %+v: %w", seed, len(states), in, err)
		}
		counts[action]++
		if action != "stutter" {
			states, actions = append(states, after), append(actions, action)
		}
		before = after
	}
	return states, actions, nil
}

// choose takes an input at random: mostly what moves things along, seldom what tears them down.
func choose(w *world, random *rand.Rand) input {
	list := w.inputs()
	for {
		in := list[random.IntN(len(list))]
		if random.IntN(16) < likely(in) {
			return in
		}
	}
}

// likely is how often an input is taken that could be, in sixteenths.
func likely(in input) int {
	if in.deliver {
		return 16
	}
	switch in.Action {
	case model.Attach, model.PullUp, model.PullDown:
		return 16
	case model.Open, model.Take, model.Rebalance:
		return 8
	case model.Publish, model.Read:
		return 2
	}
	return 1 // Close, SetCapacity, Release, Detach
}

func TestWalk_EveryStepIsOneOfTheSpecification(t *testing.T) {
	walks := *walks
	if testing.Short() || race.Enabled {
		walks = 20
	}
	total := make(map[string]int)
	for _, c := range model.Configurations() {
		m := parametric(c.Model)
		counts := make(map[string]int)
		for seed := range uint64(walks) {
			if _, _, err := walk(m, seed, 200, counts); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
		}
		if overtakes := slices.ContainsFunc(m.Links, func(l model.Link) bool { return !l.Ordered }); overtakes != (counts["overtaken"] > 0) {
			t.Errorf("%s: %d messages overtook others", c.Name, counts["overtaken"])
		}
		t.Logf("%s: %v", c.Name, counts)
		for action, count := range counts {
			total[action] += count
		}
	}
	for action := model.Open; action < model.Actions && !testing.Short() && !race.Enabled; action++ {
		if total[action.String()] == 0 {
			t.Errorf("no walk had a step %v", action)
		}
	}
}
