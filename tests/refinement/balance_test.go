package refinement

import (
	"fmt"
	"slices"

	"hakuban/model"
)

// Where loads are counted nothing is left open but ties: whom a tick may move it must move, and nobody else.

// mayMove reports whether a tick moves an object, or elects somebody for it. An exchange that moves nothing elects where
// nobody is.
func (w *world) mayMove(s model.State, n, o int) bool {
	return (w.moves || s.Nodes[n].Elected[o].Who == model.Nobody) && len(w.m.Moves(n, s.Nodes[n], o)) > 0
}

// tick returns the states that a tick came through. It was so late that it looked at all objects of the exchange, one after
// the other.
func (w *world) tick(before, after model.State, n int) (path []model.State, err error) {
	var objects []int
	for o := range w.m.Objects {
		objects = append(objects, o)
	}
	path, found := w.ticked(before, after, n, objects)
	if !found {
		return nil, fmt.Errorf("a tick at %s, which moves objects: %v, does not lead from\n%s\nto\n%s",
			w.m.Exchanges[n], w.moves, w.m.AppendText(nil, before), w.m.AppendText(nil, after))
	}
	return path, nil
}

// ticked looks at some objects in whatever order leads to the state after the tick.
func (w *world) ticked(s, after model.State, n int, objects []int) (path []model.State, found bool) {
	for i, o := range objects {
		others := slices.Delete(slices.Clone(objects), i, i+1)
		if !w.mayMove(s, n, o) {
			if path, found = w.ticked(s, after, n, others); found {
				return path, true
			}
			continue
		}
		w.m.Do(s, model.Step{Action: model.Rebalance, Exchange: n, Object: o}, func(next model.State) {
			if rest, leads := w.ticked(next, after, n, others); leads && !found {
				path, found = append([]model.State{next}, rest...), true
			}
		})
		if found {
			return path, true
		}
	}
	return nil, len(objects) == 0 && w.m.Equal(s, after)
}

// deadlines demands that a tick is to come wherever it would move an object.
func (w *world) deadlines(s model.State) error {
	for n := range w.cores {
		for o := range w.m.Objects {
			if _, due := w.cores[n].Deadline(); !due && w.mayMove(s, n, o) {
				return fmt.Errorf("%s may be moved at %s, where no tick is to come:\n%s", w.m.Objects[o].Name, w.m.Exchanges[n], w.m.AppendText(nil, s))
			}
		}
	}
	return nil
}

// countMoves counts the objects that a tick moved, and those that it elected somebody for.
func countMoves(before model.State, path []model.State, n int, counts map[string]int) {
	for _, after := range path {
		for o, was := range before.Nodes[n].Elected {
			switch {
			case after.Nodes[n].Elected[o] == was:
			case was.Who == model.Nobody:
				counts["elected by a tick"]++
			default:
				counts["moved by a tick"]++
			}
		}
		before = after
	}
}
