package bisimulation

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban/internal/race"
	"hakuban/model"
)

var most = flag.Int("products", 1500, "walk `n` products of each configuration but S, of which all are; 0: all")

// product is a state of the model with what is left of the budgets, and cores
// that stand for it.
type product struct {
	world     *world
	left      model.Budget
	published uint64 // bit v: state v was published
}

func (p *product) key() string {
	return fmt.Sprintf("%v %x %s", p.left, p.published, p.world.model.AppendText(nil, p.world.state()))
}

// The cores can do what the model can, and nothing else.
func TestBisimulation(t *testing.T) {
	for _, c := range []*model.Configuration{model.S(), model.H(), model.R(), model.M3(), model.MS(), model.T2(), model.Rules()} {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			limit := *most
			if c.Name == "S" || c.Name == "Rights" {
				limit = 0
			}
			if testing.Short() || race.Enabled {
				limit = 200
			}
			walk(t, c, limit)
		})
	}
}

// result is what a walk came through.
type result struct {
	products, again     int // products walked; of those, ones whose state other cores had been walked for
	steps, edges, loops int // of the products walked first
	others              int
	depth, waiting      int
	actions             map[string]int // edges, by the name of the action
}

func walk(t *testing.T, c *model.Configuration, limit int) {
	begin := time.Now()
	r, err := explore(c, limit, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.waiting == 0 {
		complete(t, c, &r)
	}
	if choice := c.Name == "H" || c.Name == "R" || c.Name == "T2" || c.Name == "Rights"; r.others > 0 && !choice {
		t.Errorf("the cores do not take %d choices of the model", r.others)
	}
	t.Logf("%s: %d products to depth %d (%d known and not walked), %d steps tried in both, %d edges taken by both, of which %d change nothing; %d choices of the model that the cores do not take; %d walked again from other cores; %.1f s",
		c.Name, r.products, r.depth, r.waiting, r.steps, r.edges, r.loops, r.others, r.again, time.Since(begin).Seconds())
}

// againEvery is how many of the products that are reached once more are walked
// from the cores that got there this time: one world stands for a state only if
// any other would do the same.
const againEvery = 16

// explore walks products breadth first until all are walked or the limit is
// reached. The cores are given what mutate makes of a step; nil: the step.
func explore(c *model.Configuration, limit int, mutate func(*model.Step)) (r result, err error) {
	r.actions = make(map[string]int)
	first, err := start(c)
	if err != nil {
		return r, err
	}
	level := []*product{first}
	seen := map[string]bool{first.key(): true}
	repeated := 0
	for len(level) > 0 && (limit == 0 || r.products < limit) {
		r.depth++
		var next []*product
		for i, p := range level {
			if limit > 0 && r.products == limit {
				r.waiting = len(level) - i
				break
			}
			r.products++
			level[i] = nil
			var others []*product
			err := p.edges(c, &r, mutate, func(q *product) {
				if key := q.key(); !seen[key] {
					seen[key] = true
					next = append(next, q)
				} else if repeated++; repeated%againEvery == 0 {
					others = append(others, q)
				}
			})
			for _, q := range others {
				r.again++
				err = errors.Join(err, q.edges(c, &result{actions: make(map[string]int)}, mutate, func(*product) {}))
			}
			if err != nil {
				return r, err
			}
		}
		r.waiting += len(next)
		level = next
	}
	if limit == 0 {
		r.waiting = 0
	}
	return r, nil
}

// complete holds a walk that came to its end to what TLC found: as many states at
// as many depths, and as many ways to get there by each action. Where TLC has
// rebalances too, which are not of the alphabet, it is held to the twin without them.
// Where cores do not take a choice of the model, the states that only it leads to
// are missing; control messages in portions are such choices.
func complete(t *testing.T, c *model.Configuration, r *result) {
	want := expected(t, c)
	if r.others > 0 {
		t.Logf("%d of %d states, %d of %d edges", r.products, want.Distinct, r.edges, want.Generated-1)
		if r.products >= want.Distinct {
			t.Errorf("no state is missing, although the cores do not take %d choices", r.others)
		}
		return
	}
	if r.products != want.Distinct || r.edges+1 != want.Generated || r.depth != want.Depth || !maps.Equal(r.actions, want.Actions) {
		t.Errorf("%d products to depth %d and %d edges, %v; expected %d states to depth %d and %d ways to them, %v",
			r.products, r.depth, r.edges, r.actions, want.Distinct, want.Depth, want.Generated-1, want.Actions)
	}
}

// expected is what TLC found, or without rebalances the twin.
func expected(t *testing.T, c *model.Configuration) (found model.Result) {
	if c.Budget.Rebalances > 0 {
		still := *c
		still.Budget.Rebalances = 0
		return still.Explore()
	}
	data, err := os.ReadFile("../../spec/golden/" + c.Name + ".json")
	if err == nil {
		err = json.Unmarshal(data, &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// start is the configuration's first state, made with the cores' own inputs.
func start(c *model.Configuration) (*product, error) {
	w := newWorld(c.Model)
	var steps []model.Step
	for _, k := range c.OpenAtStart {
		step := model.Step{Action: model.Open, Contract: k}
		if c.Model.Contracts[k].Kind == model.Expose {
			step.Capacity = 1
		}
		steps = append(steps, step)
	}
	for _, l := range c.AttachedAtStart {
		steps = append(steps, model.Step{Action: model.Attach, Link: l}, model.Step{Action: model.Attach, Link: l, Downstream: true})
	}
	// The model opens its contracts one after the other, too: a configuration's start has none that is older than another.
	start := c.Model.Empty()
	for _, step := range steps {
		if done, err := w.do(step, 0); err != nil || !done {
			return nil, fmt.Errorf("to start, %+v: done is %v, %w", step, done, err)
		}
		c.Model.Do(start, step, func(next model.State) { start = next })
	}
	if !c.Model.Equal(w.state(), start) {
		return nil, fmt.Errorf("the cores start otherwise:\n%s\n%s", c.Model.AppendText(nil, w.state()), c.Model.AppendText(nil, start))
	}
	return &product{world: w, left: c.Budget}, nil
}

// edges tries every step of the alphabet from a product, in both, and yields the
// products that the steps which are done lead to.
func (p *product) edges(c *model.Configuration, r *result, mutate func(*model.Step), yield func(*product)) (err error) {
	// Cores that did nothing are tried with the next step: what was in vain must
	// leave nothing behind.
	world := p.world.clone()
	for action := model.Open; action < model.Withdraw && err == nil; action++ {
		if action == model.Rebalance {
			continue
		}
		c.Model.Steps(action, func(step model.Step) {
			ways := max(1, len(p.world.receivable(step)))
			for which := range ways {
				next := *p
				next.world = world
				name, allowed := next.spend(c, step)
				if err != nil || !allowed {
					return
				}
				done, edgeErr := next.edge(p, step, which, ways, r, mutate)
				if edgeErr != nil {
					err = fmt.Errorf("%+v: %w; from\n%s", step, edgeErr, c.Model.AppendText(nil, p.world.state()))
				} else if done {
					r.actions[name]++
					yield(&next)
					world = p.world.clone()
				}
			}
		})
	}
	return err
}

// edge tries one step from a product, in both, and reports whether it was done.
// Where several messages may arrive next, it is one of so many ways.
func (next *product) edge(p *product, step model.Step, which, ways int, r *result, mutate func(*model.Step)) (done bool, err error) {
	m := p.world.model
	r.steps++
	var successors []model.State
	reason := m.Do(p.world.state(), step, func(s model.State) { successors = append(successors, s) })
	if mutate != nil {
		mutate(&step)
	}
	done, err = next.world.do(step, which)
	switch {
	case err != nil:
		return false, err
	case done && len(successors) == 0:
		return false, fmt.Errorf("the cores do what the model does not: it is false that %s", reason)
	case !done && len(successors) > 0:
		return false, errors.New("the model does what the cores do not")
	case !done:
		if !m.Equal(next.world.state(), p.world.state()) {
			return false, errors.New("the cores did nothing, and changed")
		}
		return false, nil
	case !slices.ContainsFunc(successors, func(s model.State) bool { return m.Equal(s, next.world.state()) }):
		return false, fmt.Errorf("the cores come to another state than the model:\n%s", m.AppendText(nil, next.world.state()))
	}
	r.edges++
	if which == 0 {
		r.others += len(successors) - ways
	}
	if m.Equal(next.world.state(), p.world.state()) {
		r.loops++
	}
	return true, nil
}

// Cores that do something else than what the model is asked are found.
func TestBisimulation_FindsMutants(t *testing.T) {
	mutants := []struct {
		name   string
		mutate func(*model.Step)
		says   string
	}{
		{"every state is current", func(s *model.Step) { s.Now = s.Now || s.Action == model.Publish }, "the cores come to another state than the model"},
		{"another state is published", func(s *model.Step) {
			if s.Action == model.Publish {
				s.State = 3 - s.State
			}
		}, "the cores come to another state than the model"},
		{"the other end leaves", func(s *model.Step) { s.Downstream = s.Downstream != (s.Action == model.Detach) }, "the cores come to another state than the model"},
		{"an offer is taken that was to be given back", func(s *model.Step) {
			if s.Action == model.Release {
				s.Action = model.Take
			}
		}, "the cores do what the model does not: it is false that the offer is taken or revoked"},
		{"a pull upwards goes downwards", func(s *model.Step) {
			if s.Action == model.PullUp {
				s.Action = model.PullDown
			}
		}, "the model does what the cores do not"},
		{"a contract does not close", func(s *model.Step) {
			if s.Action == model.Close {
				s.Action = model.Open
			}
		}, "the model does what the cores do not"},
	}
	for _, mutant := range mutants {
		t.Run(mutant.name, func(t *testing.T) {
			_, err := explore(model.S(), 300, mutant.mutate)
			if err == nil || !strings.Contains(err.Error(), mutant.says) {
				t.Errorf("%q is not in: %v", mutant.says, err)
			}
		})
	}
}

// spend takes a step out of the budgets as MC.tla does, and gives it the name that
// it has there; false: it is not allowed.
func (p *product) spend(c *model.Configuration, step model.Step) (name string, allowed bool) {
	m, s := c.Model, p.world.state()
	name, allowed = step.Action.String(), true
	take := func(from *int) { *from--; allowed = allowed && *from >= 0 }
	reader := slices.Contains(c.Readers, step.Contract)
	switch step.Action {
	case model.Open, model.Close, model.SetCapacity, model.SetRights:
		take(&p.left.Toggles)
	case model.Take:
		allowed = reader || m.Contracts[step.Contract].Kind == model.Expose
	case model.Read:
		allowed = reader
	case model.Release:
		n := m.Contracts[step.Contract].At
		spot := slices.Index(m.ContractsAt(n), step.Contract)
		if s.Nodes[n].Offers[spot][step.Object].Is == model.Taken {
			allowed = m.Contracts[step.Contract].Kind == model.Expose
			take(&p.left.Toggles)
		}
	case model.Publish:
		allowed = !c.Fresh || step.State == bits.OnesCount64(p.published)+1
		p.published |= 1 << step.State
		take(&p.left.Publishes)
	case model.Detach:
		name = "Notice"
		if W := s.Links[step.Link]; W.Downstream != model.Gone && W.Upstream != model.Gone {
			name = "Lose"
			take(&p.left.Losses)
		}
	case model.PullUp:
		allowed = len(s.Links[step.Link].Up) < c.Room
	case model.PullDown:
		allowed = len(s.Links[step.Link].Down) < c.Room
	}
	return name, allowed
}
