package interop

import (
	"fmt"
	"slices"
)

// streamChecks holds the last state seen on each stream, to check on every stream of every scenario that
// versions never go back and that a version never changes its data.
type streamChecks map[uint64]State

// observe returns what is wrong with an event, or nothing.
func (checks streamChecks) observe(e event) string {
	if e.Event != "state" {
		return ""
	}
	state := e.state()
	last, seen := checks[e.Stream]
	checks[e.Stream] = state
	if !seen {
		return ""
	}
	switch order := slices.Compare(state.Version, last.Version); {
	case order < 0:
		return fmt.Sprintf("stream %d of %s went back from %v to %v", e.Stream, e.Contract, last, state)
	case order == 0 && !state.SameData(last):
		return fmt.Sprintf("stream %d of %s changed %v to %v under one version", e.Stream, e.Contract, last, state)
	}
	return ""
}
