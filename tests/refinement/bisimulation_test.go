package refinement

import (
	"fmt"
	"slices"
	"testing"

	"hakuban/model"
)

// product is one state of both sides: real cores, and the model's state that they stand for, with what is left of the
// budgets that bound the walk.
type product struct {
	world *world
	state model.State
	left  model.Budget
}

// TestBisimulation_OfTwoExchanges walks configuration S breadth first on both sides at once: what the cores can do from a
// state, by one alphabet of inputs, must lead to just the states that the model leads to.
func TestBisimulation_OfTwoExchanges(t *testing.T) {
	c := model.S()
	m := c.Model
	most := 1 << 30
	if testing.Short() {
		most = 300
	}
	start := product{world: newWorld(m), left: c.Budget}
	for _, k := range c.OpenAtStart {
		capacity := 0
		if m.Contracts[k].Kind == model.Expose {
			capacity = 1
		}
		start.world.do(input{Step: model.Step{Action: model.Open, Contract: k, Capacity: capacity}})
	}
	for _, l := range c.AttachedAtStart {
		start.world.do(input{Step: model.Step{Action: model.Attach, Link: l}})
		start.world.do(input{Step: model.Step{Action: model.Attach, Link: l, Below: true}})
	}
	start.world.quicken()
	start.state = start.world.abstract()

	seen := map[string]bool{start.key(m): true}
	queue := []product{start}
	states, edges := 0, 0
	for ; len(queue) > 0 && states < most; states++ {
		p := queue[0]
		queue = queue[1:]
		cores, spec := p.byCores(m, c.Room), p.byModel(m, c.Room)
		for _, text := range sortedKeys(cores) {
			if _, allowed := spec[text]; !allowed {
				t.Fatalf("the cores do what the model does not, by %+v:\nfrom %s\nto   %s", cores[text].by, m.AppendText(nil, p.state), text)
			}
			edges++
			if next := cores[text].product; !seen[next.key(m)] {
				seen[next.key(m)] = true
				queue = append(queue, next)
			}
		}
		for _, text := range sortedKeys(spec) {
			if _, done := cores[text]; !done {
				t.Fatalf("the model does what the cores do not, by %+v:\nfrom %s\nto   %s", spec[text], m.AppendText(nil, p.state), text)
			}
		}
	}
	t.Logf("%d states and %d edges compared both ways, %d states known and not walked", states, edges, len(queue))
}

type byInput struct {
	by      input
	product product
}

func (p *product) key(m *model.Model) string {
	return fmt.Sprintf("%v %s", p.left, m.AppendText(nil, p.state))
}

// spend takes an action out of the budgets; false: there is nothing left for it, or it is not in the alphabet.
func spend(m *model.Model, left *model.Budget, step model.Step) bool {
	take := func(from *int) bool { *from--; return *from >= 0 }
	switch step.Action {
	case model.Open, model.Close:
		return take(&left.Toggles)
	case model.Publish:
		return take(&left.Publishes)
	case model.Detach:
		return take(&left.Losses)
	case model.Take, model.Release:
		return m.Contracts[step.Contract].Kind == model.Expose
	case model.Read, model.SetCapacity, model.Rebalance:
		return false
	}
	return true
}

// byCores is what the cores can do, by the text of the state it leads to.
func (p *product) byCores(m *model.Model, room int) map[string]byInput {
	found := make(map[string]byInput)
	before := string(m.AppendText(nil, p.state))
	for _, in := range p.world.inputs() {
		s := &p.world.links[in.Link]
		pulls := in.Action == model.PullUp || in.Action == model.PullDown
		if pulls && !in.deliver && (in.Action == model.PullUp && len(messages(s.up)) >= room || in.Action == model.PullDown && len(messages(s.down)) >= room) {
			continue
		}
		next := product{world: p.world.clone(), left: p.left}
		if !in.deliver && !spend(m, &next.left, in.Step) {
			continue
		}
		next.world.do(in)
		next.world.quicken()
		next.state = next.world.abstract()
		if text := string(m.AppendText(nil, next.state)); text != before {
			found[text] = byInput{in, next}
		}
	}
	return found
}

// byModel is what the model can do.
func (p *product) byModel(m *model.Model, room int) map[string]model.Step {
	found := make(map[string]model.Step)
	before := string(m.AppendText(nil, p.state))
	m.Successors(p.state, func(step model.Step, next model.State) {
		left := p.left
		W := p.state.Wires[step.Link]
		if !spend(m, &left, step) || step.Action == model.PullUp && len(W.Up) >= room || step.Action == model.PullDown && len(W.Down) >= room {
			return
		}
		if text := string(m.AppendText(nil, next)); text != before {
			found[text] = step
		}
	})
	return found
}

// quicken does at once what is nothing to the model: an end that has not greeted greets, and messages that say nothing to
// the model are delivered.
func (w *world) quicken() {
	for l := range w.links {
		s := &w.links[l]
		if s.below == model.On && !s.greeted[0] {
			s.greeted[0] = true
			w.pull(l, true)
		}
		if s.above == model.On && !s.greeted[1] {
			s.greeted[1] = true
			w.pull(l, false)
		}
		for s.below == model.On && len(s.down) > 0 && s.down[0].message == nil {
			w.deliver(l, false)
		}
		for s.above == model.On && len(s.up) > 0 && s.up[0].message == nil {
			w.deliver(l, true)
		}
	}
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
