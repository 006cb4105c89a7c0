package impl

import "hakuban/wire"

// asks is what one exchange asks of the one above it on an object or on a tag.
type asks struct {
	observes bool
	exposes  bool
	capacity uint32
}

func (a asks) any() bool { return a.observes || a.exposes }

// after is what is asked for after an action, and what is wrong with that; "": nothing.
func (a asks) after(action *wire.ControlAction) (will asks, fault string) {
	switch action.Kind {
	case wire.ActionObserveObject, wire.ActionObserveTag:
		if a.observes {
			fault = "does already"
		}
		a.observes = true
	case wire.ActionUnobserveObject, wire.ActionUnobserveTag:
		if !a.observes {
			fault = "does not observe"
		}
		a.observes = false
	case wire.ActionExposeObject, wire.ActionExposeTag:
		if a.exposes {
			fault = "does already"
		}
		a.exposes, a.capacity = true, action.Capacity
	case wire.ActionUnexposeObject, wire.ActionUnexposeTag:
		if !a.exposes {
			fault = "does not expose"
		}
		a.exposes, a.capacity = false, 0
	case wire.ActionSetObjectCapacity, wire.ActionSetTagCapacity:
		if !a.exposes {
			return a, "does not expose"
		}
		a.capacity = action.Capacity
	}
	return a, fault
}
