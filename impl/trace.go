package impl

// TraceLine is one action of the spec as it was carried out in a step.
type TraceLine struct {
	Action   string // the spec's name
	Object   string // key of the object; empty where the action has none
	Link     LinkID
	Contract ContractID
}

// Trace returns the spec's actions of the last step when Config.Trace is set.
// It is valid until the next step.
func (x *Exchange) Trace() []TraceLine { return x.trace }

func (x *Exchange) traced(action string, o *object, l LinkID, c ContractID) {
	if !x.config.Trace {
		return
	}
	line := TraceLine{Action: action, Link: l, Contract: c}
	if o != nil {
		line.Object = o.descriptor.Key
	}
	x.trace = append(x.trace, line)
}
