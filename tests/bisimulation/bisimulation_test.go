package bisimulation

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban/model"
)

var most = flag.Int("products", 600, "walk `n` products of each configuration; 0: all")

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
	for _, c := range []*model.Configuration{model.S(), model.H(), model.M3(), model.MS(), model.T2()} {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			limit := *most
			if testing.Short() {
				limit = 200
			}
			walk(t, c, limit)
		})
	}
}

type result struct{ products, steps, edges, loops, others, depth, waiting int }

func walk(t *testing.T, c *model.Configuration, limit int) {
	begin := time.Now()
	r, err := explore(c, limit, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.waiting == 0 {
		complete(t, c, &r)
	}
	t.Logf("%s: %d products to depth %d (%d known and not walked), %d steps tried in both, %d edges taken by both, of which %d change nothing; %d choices of the model that the cores do not take; %.1f s",
		c.Name, r.products, r.depth, r.waiting, r.steps, r.edges, r.loops, r.others, time.Since(begin).Seconds())
}

// explore walks products breadth first until all are walked or the limit is
// reached. The cores are given what mutate makes of a step; nil: the step.
func explore(c *model.Configuration, limit int, mutate func(*model.Step)) (r result, err error) {
	first, err := start(c)
	if err != nil {
		return r, err
	}
	level := []*product{first}
	seen := map[string]bool{first.key(): true}
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
			err := p.edges(c, &r, mutate, func(q *product) {
				if key := q.key(); !seen[key] {
					seen[key] = true
					next = append(next, q)
				}
			})
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

// complete holds a walk that came to its end to what TLC found: as many states,
// and as many ways to get there. A configuration with rebalances or with control
// messages in portions has more than the alphabet.
func complete(t *testing.T, c *model.Configuration, r *result) {
	if c.Budget.Rebalances > 0 || c.Model.Chunked {
		return
	}
	data, err := os.ReadFile("../../spec/golden/" + c.Name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Generated, Distinct int }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if r.products != golden.Distinct || r.edges+1 != golden.Generated {
		t.Errorf("%d products and %d edges, TLC has %d states and %d ways to them", r.products, r.edges, golden.Distinct, golden.Generated-1)
	}
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
		steps = append(steps, model.Step{Action: model.Attach, Link: l}, model.Step{Action: model.Attach, Link: l, Below: true})
	}
	for _, step := range steps {
		if done, err := w.do(step); err != nil || !done {
			return nil, fmt.Errorf("to start, %+v: done is %v, %w", step, done, err)
		}
	}
	if !c.Model.Equal(w.state(), c.Start()) {
		return nil, fmt.Errorf("the cores start otherwise:\n%s\n%s", c.Model.AppendText(nil, w.state()), c.Model.AppendText(nil, c.Start()))
	}
	return &product{world: w, left: c.Budget}, nil
}

// edges tries every step of the alphabet from a product.
func (p *product) edges(c *model.Configuration, r *result, mutate func(*model.Step), yield func(*product)) (err error) {
	for action := model.Open; action < model.Rebalance && err == nil; action++ {
		c.Model.Steps(action, func(step model.Step) {
			next := *p
			if err == nil && next.spend(c, step) {
				if err = next.edge(p, step, r, mutate); err != nil {
					err = fmt.Errorf("%+v: %w; from\n%s", step, err, c.Model.AppendText(nil, p.world.state()))
				} else if next.world != nil {
					yield(&next)
				}
			}
		})
	}
	return err
}

// edge tries one step from a product, in both; its world is nil when neither
// does anything.
func (next *product) edge(p *product, step model.Step, r *result, mutate func(*model.Step)) error {
	m := p.world.model
	r.steps++
	var successors []model.State
	reason := m.Do(p.world.state(), step, func(s model.State) { successors = append(successors, s) })
	next.world = p.world.clone()
	if mutate != nil {
		mutate(&step)
	}
	done, err := next.world.do(step)
	switch {
	case err != nil:
		return err
	case done && len(successors) == 0:
		return fmt.Errorf("the cores do what the model does not: it is false that %s", reason)
	case !done && len(successors) > 0:
		return errors.New("the model does what the cores do not")
	case !done:
		if !m.Equal(next.world.state(), p.world.state()) {
			return errors.New("the cores did nothing, and changed")
		}
		next.world = nil
		return nil
	case !slices.ContainsFunc(successors, func(s model.State) bool { return m.Equal(s, next.world.state()) }):
		return fmt.Errorf("the cores come to another state than the model:\n%s", m.AppendText(nil, next.world.state()))
	}
	r.edges++
	r.others += len(successors) - 1
	if m.Equal(next.world.state(), p.world.state()) {
		r.loops++
	}
	return nil
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
		{"the other end leaves", func(s *model.Step) { s.Below = s.Below != (s.Action == model.Detach) }, "the cores come to another state than the model"},
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

// spend takes a step out of the budgets as MC.tla does; false: it is not allowed.
func (p *product) spend(c *model.Configuration, step model.Step) bool {
	m, s := c.Model, p.world.state()
	take := func(from *int) bool { *from--; return *from >= 0 }
	reader := func() bool { return slices.Contains(c.Readers, step.Contract) }
	switch step.Action {
	case model.Open, model.Close, model.SetCapacity:
		return take(&p.left.Toggles)
	case model.Take:
		return m.Contracts[step.Contract].Kind == model.Expose || reader()
	case model.Read:
		return reader()
	case model.Release:
		n := m.Contracts[step.Contract].At
		spot := slices.Index(m.ContractsAt(n), step.Contract)
		if s.Nodes[n].Offers[spot][step.Object].Is == model.Taken {
			return m.Contracts[step.Contract].Kind == model.Expose && take(&p.left.Toggles)
		}
	case model.Publish:
		if c.Fresh && step.State != bits.OnesCount64(p.published)+1 {
			return false
		}
		p.published |= 1 << step.State
		return take(&p.left.Publishes)
	case model.Detach:
		if W := s.Wires[step.Link]; W.Below != model.Gone && W.Above != model.Gone {
			return take(&p.left.Losses)
		}
	case model.PullUp:
		return len(s.Wires[step.Link].Up) < c.Room
	case model.PullDown:
		return len(s.Wires[step.Link].Down) < c.Room
	}
	return true
}
