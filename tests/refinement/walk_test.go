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

// parametric is a configuration's model without what belongs to its bounds: a control message may be a portion, and a load
// limit may refuse any link, unless loads are counted.
//
// Then capacities and limits are such that the specification and the core count alike: shares of 6 and 3, limits of whole
// objects. The threshold is one that moves of 3 do not pass, and moves of 6 do. Of several objects that one step elects for
// the core takes those of a tag in the order in which it came to know them, and so on; the specification has one order.
func parametric(from *model.Model) *model.Model {
	m := &model.Model{
		Exchanges: from.Exchanges, Links: slices.Clone(from.Links), Objects: from.Objects, Tags: from.Tags, Contracts: from.Contracts,
		Capacities: from.Capacities, Version: from.Version, Loads: from.Loads, Limited: !from.Loads, Chunked: true, Rights: from.Rights,
	}
	if m.Loads {
		m.Threshold = loadUnit / 2
		for l := range m.Links {
			m.Links[l].Limit -= m.Links[l].Limit % loadUnit
		}
		if len(m.Tags) > 0 { // the capacities of an object and its tag are added
			m.Capacities = []int{0, 1}
		}
	}
	return m.Prepare()
}

// refine reports how the model goes from one state to the next by one of the actions; "" where that is no step of it.
func refine(m *model.Model, before, after model.State, actions []model.Action) (found string, err error) {
	if m.Equal(before, after) {
		return "stutter", nil
	}
	var reached []model.State
	for _, action := range actions {
		m.Steps(action, func(step model.Step) {
			m.Do(before, step, func(next model.State) {
				if found == "" && m.Equal(next, after) {
					found = action.String()
				}
				reached = append(reached, next)
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
		fmt.Fprintf(&text, "model  %s\n", m.AppendText(nil, other))
	}
	return "", fmt.Errorf("%s", text.String())
}

// walk takes random steps from a seed, each refined, and returns the states that it was in.
func walk(m *model.Model, seed uint64, steps int, counts map[string]int) (states []model.State, actions []string, err error) {
	random := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(m, !m.Loads || seed%2 == 0)
	before := w.abstract()
	states = append(states, before)
	for range steps {
		in := choose(w, random)
		if in.at > 0 {
			counts["overtaken"]++
		}
		candidates := w.do(in)
		after := w.abstract()
		action, path := model.Rebalance.String(), []model.State(nil)
		if m.Loads && !in.deliver && in.Action == model.Rebalance {
			path, err = w.tick(before, after, in.Exchange)
			countMoves(before, path, in.Exchange, counts)
		} else if action, err = refine(m, before, after, candidates); action != "stutter" {
			path = []model.State{after}
		}
		if err == nil && m.Loads {
			err = w.deadlines(after)
		}
		if err != nil {
			return states, actions, fmt.Errorf("seed %d, step %d, input %+v: %w", seed, len(states), in, err)
		}
		for _, s := range path {
			counts[action]++
			states, actions = append(states, s), append(actions, action)
		}
		if len(path) == 0 {
			counts["stutter"]++
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
		if random.IntN(64) < likely(in) {
			return in
		}
	}
}

// likely is how often an input is taken that could be, of 64 times.
func likely(in input) int {
	if in.deliver {
		return 64
	}
	switch in.Action {
	case model.Open, model.Take:
		return 32
	case model.Publish, model.Read:
		return 8
	case model.Release, model.SetCapacity:
		return 4
	case model.Close, model.SetRights:
		return 2
	case model.Detach:
		return 1
	}
	return 64 // Attach, PullUp, PullDown, Rebalance
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
		t.Logf("%s: %v", c.Name, counts)
		for action, count := range counts {
			total[action] += count
		}
	}
	if walks < 100 {
		return
	}
	wanted := []string{"overtaken", "elected by a tick", "moved by a tick"}
	for action := model.Open; action < model.Withdraw; action++ { // these cores do nothing in slices
		wanted = append(wanted, action.String())
	}
	for _, what := range wanted {
		if total[what] == 0 {
			t.Errorf("no walk had a step %q", what)
		}
	}
}
