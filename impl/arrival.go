package impl

import (
	"math"

	"hakuban/wire"
	"hakuban/wire/diff"
)

// Arrival is one message of a peer, made ready for the core: decoded, its names
// spelled, and large states patched. All of that is a function of the message and
// of the state that it changes, and takes time, so whoever drives the core does it
// before, while others step the core. What was not done before, the core does.
type Arrival struct {
	event  wire.Event
	err    error
	limits *wire.Limits
	names  []name // of the first actions or types of the message
	base   *State // what states are patched from
	states [][]byte
}

// name is what an action or a type of a message is about, spelled.
type name struct {
	descriptor wire.Descriptor // of a tag: JSON and Key
	err        error
}

// maxNames bounds the names that are spelled before the core takes them: they take
// memory all at once.
const maxNames = 1 << 16

// Decode makes a of a message that is not empty. Until the core has taken it, data
// must not change.
func (a *Arrival) Decode(data []byte, limits *wire.Limits) {
	names := a.names[:0]
	if cap(names) > 64 {
		names = nil
	}
	*a = Arrival{limits: limits}
	a.event, a.err = wire.DecodeEvent(data, limits)
	if a.err != nil || a.event.Kind != wire.EventMessage {
		return
	}
	m := &a.event.Message
	for i := range m.Initialize {
		names = append(names, spelled(m.Initialize[i].Kind >= wire.ChannelSink, false, m.Initialize[i].Tags, m.Initialize[i].JSON, limits))
	}
	for i := range m.Control[:min(len(m.Control), maxNames)] {
		action := &m.Control[i]
		names = append(names, spelled(action.Kind.OnObject(), action.Kind.OnTag(), action.Tags, action.JSON, limits))
	}
	a.names = names
}

// spelled spells a name of an object or of a tag, or of neither.
func spelled(object, tag bool, tags []string, json string, limits *wire.Limits) (n name) {
	switch {
	case object:
		n.descriptor, n.err = wire.NewDescriptor(tags, json, limits)
	case tag:
		n.descriptor.JSON, n.descriptor.Key, n.err = wire.Canonical(json, limits)
	}
	return n
}

// Release lets go of what a message brought, but for the memory to decode another.
func (a *Arrival) Release() {
	clear(a.names)
	*a = Arrival{names: a.names[:0]}
}

// object is the descriptor of the object that an action or type is about.
func (a *Arrival) object(i int, tags []string, json string) (wire.Descriptor, error) {
	if i < len(a.names) {
		return a.names[i].descriptor, a.names[i].err
	}
	return wire.NewDescriptor(tags, json, a.limits)
}

// tag is the spelling and the identity of the tag that an action is about.
func (a *Arrival) tag(i int, json string) (text, identity string, err error) {
	if i < len(a.names) {
		return a.names[i].descriptor.JSON, a.names[i].descriptor.Key, a.names[i].err
	}
	return wire.Canonical(json, a.limits)
}

// smallPatch is how many bytes of states the core patches itself.
const smallPatch = 16 << 10

// Heavy reports whether the message makes so many bytes of states that they should
// be made outside of the core, see [Exchange.Base]. It takes time proportional to
// the message at most.
func (a *Arrival) Heavy() bool {
	left := smallPatch
	for i := range a.event.Message.States {
		if left -= len(a.event.Message.States[i].Diff); left < 0 {
			return true
		}
	}
	left = smallPatch
	for i := range a.event.Message.States {
		// Of references only the lengths matter: any old data is long enough.
		size, err := diff.Size(math.MaxInt32, a.event.Message.States[i].Diff, left)
		if left -= size; err != nil || left < 0 {
			return true
		}
	}
	return false
}

// longMessage is how many actions make a message long.
const longMessage = 16

// Long reports whether it takes long to take the message: then others should be let in first.
func (a *Arrival) Long() bool { return len(a.event.Message.Control) > longMessage }

// Base is what the states of a message are to be patched from.
type Base struct {
	state *State // nil: nothing
	room  int    // bytes that each state may take; negative: the core will take none
}

// NoBase is the base of a message that the core will not take.
var NoBase = Base{room: -1}

// Base returns what a message that arrived on a link is about to change, for
// [Arrival.Patch]. It changes nothing.
func (x *Exchange) Base(id LinkID, a *Arrival) Base {
	l, channel := x.links[id], a.event.Channel
	if l == nil {
		return NoBase
	}
	c := l.theirs[channel.Number].state
	if channel.Origin == l.origin() {
		c = l.ours[channel.Number]
		if c != nil && (c.record.sink != c || c.record.revoked) {
			c = nil
		}
	}
	if c == nil {
		return NoBase
	}
	return Base{c.last, min(x.config.Limits.Wire.State, x.roomFor(c))}
}

// Patch makes the states that a message brings, as far as the core is going to take
// them. It is for the core to say what is wrong with the others.
func (a *Arrival) Patch(base Base) {
	a.base = base.state
	old, made := base.state.data(), 0
	for i := range a.event.Message.States {
		action := &a.event.Message.States[i]
		if action.Kind != wire.StatePatch {
			continue
		}
		data, err := diff.Patch(old, action.Diff, base.room)
		if err != nil {
			return
		}
		a.states = append(a.states, data)
		if made += len(data); made > maxMade(a.limits) {
			return
		}
		old = data
	}
}

// Made is how many bytes of states were made ahead.
func (a *Arrival) Made() (bytes int) {
	for _, state := range a.states {
		bytes += len(state)
	}
	return bytes
}

// maxMade is how many bytes of states one message may make.
func maxMade(limits *wire.Limits) int { return 2 * limits.State }

// patchedFrom returns the states that were patched already, if the base was right.
func (a *Arrival) patchedFrom(base *State) [][]byte {
	if a.base != base {
		return nil
	}
	return a.states
}
