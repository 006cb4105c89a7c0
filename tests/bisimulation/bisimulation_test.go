package bisimulation

import (
	"flag"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"hakuban/model"
)

var most = flag.Int("products", 1500, "walk `n` products of each configuration; 0: all")

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
	level := []*product{start(t, c)}
	seen := map[string]bool{level[0].key(): true}
	var r result
	for len(level) > 0 && (limit == 0 || r.products < limit) {
		r.depth++
		var next []*product
		for i, p := range level {
			if limit > 0 && r.products == limit {
				r.waiting = len(level) - i
				break
			}
			r.products++
			edges(t, c, p, &r, func(q *product) {
				if key := q.key(); !seen[key] {
					seen[key] = true
					next = append(next, q)
				}
			})
			if t.Failed() {
				return
			}
		}
		r.waiting += len(next)
		level = next
	}
	t.Logf("%s: %d products to depth %d (%d known and not walked), %d steps tried in both, %d edges taken by both, of which %d change nothing; %d choices of the model that the cores do not take; %.1f s",
		c.Name, r.products, r.depth, r.waiting, r.steps, r.edges, r.loops, r.others, time.Since(begin).Seconds())
}

// start is the configuration's first state, made with the cores' own inputs.
func start(t *testing.T, c *model.Configuration) *product {
	w := newWorld(c.Model)
	must := func(step model.Step) {
		if done, err := w.do(step); err != nil || !done {
			t.Fatalf("to start, %+v: %v, %v", step, done, err)
		}
	}
	for _, k := range c.OpenAtStart {
		capacity := 0
		if c.Model.Contracts[k].Kind == model.Expose {
			capacity = 1
		}
		must(model.Step{Action: model.Open, Contract: k, Capacity: capacity})
	}
	for _, l := range c.AttachedAtStart {
		must(model.Step{Action: model.Attach, Link: l})
		must(model.Step{Action: model.Attach, Link: l, Below: true})
	}
	if !c.Model.Equal(w.state(), c.Start()) {
		t.Fatalf("the cores start otherwise:\n%s\n%s", c.Model.AppendText(nil, w.state()), c.Model.AppendText(nil, c.Start()))
	}
	return &product{world: w, left: c.Budget}
}

// edges tries every step of the alphabet from a product.
func edges(t *testing.T, c *model.Configuration, p *product, r *result, yield func(*product)) {
	m := c.Model
	for action := model.Open; action < model.Rebalance; action++ {
		m.Steps(action, func(step model.Step) {
			next := *p
			if t.Failed() || !next.spend(c, step) {
				return
			}
			r.steps++
			var successors []model.State
			reason := m.Do(p.world.state(), step, func(s model.State) { successors = append(successors, s) })
			next.world = p.world.clone()
			done, err := next.world.do(step)
			complain := func(what string) {
				t.Errorf("%+v: %s; the model says %q; from\n%s", step, what, reason, m.AppendText(nil, p.world.state()))
			}
			switch {
			case err != nil:
				complain(err.Error())
			case done != (len(successors) > 0):
				complain(fmt.Sprintf("the cores did something: %v; the model leads to %d states", done, len(successors)))
			case !done:
				if !m.Equal(next.world.state(), p.world.state()) {
					complain("the cores did nothing, and changed")
				}
			case !slices.ContainsFunc(successors, func(s model.State) bool { return m.Equal(s, next.world.state()) }):
				complain("the cores came to another state")
			default:
				r.edges++
				r.others += len(successors) - 1
				if m.Equal(next.world.state(), p.world.state()) {
					r.loops++
				}
				yield(&next)
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
