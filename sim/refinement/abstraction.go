package refinement

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/wire"
)

// object is one object of the run, with a model of its own: all exchanges, the
// object and its tags, a slot for every session and a place for every contract
// that can be there at one time.
type object struct {
	descriptor wire.Descriptor
	things     []string // the object, then its tags, as in the model
	model      *model.Model
	fixed      bool // the model was given: see NewFor
	slots      []slot
	places     []place

	raw   model.State // channels as they are numbered on the wire
	state model.State // the same, channels numbered as the specification does

	numbers  map[string]int // of a state, by all it is made of
	pointers map[*impl.State]int
	versions [][]int64 // by number; that of 0 is nil

	unknown string // something that the abstraction has no name for
}

// slot is a link slot of the model and the session that it holds.
type slot struct {
	child, parent int
	session       *session // nil: free
}

// place is a contract of the model and the local contract that it stands for.
type place struct {
	exchange int
	kind     model.Kind
	on       int
	contract impl.ContractID // zero: none
}

// newObject makes an object that was just named for the first time.
func newObject(r *Refinement, descriptor wire.Descriptor) *object {
	o := &object{
		descriptor: descriptor,
		things:     []string{objectThing(descriptor.Key)},
		numbers:    make(map[string]int),
		pointers:   make(map[*impl.State]int),
		versions:   [][]int64{nil},
	}
	for _, identity := range descriptor.TagIdentities {
		o.things = append(o.things, tagThing(identity))
	}
	for n, x := range r.exchanges {
		for id, c := range x.contracts {
			o.place(n, id, c)
		}
	}
	numbers := make([]int, 0, len(r.sessions))
	for number := range r.sessions {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		if s := r.sessions[number]; !s.over() {
			o.seat(s)
		}
	}
	o.rebuild(r)
	return o
}

// seat gives a session a slot, and reports whether it had to make one.
func (o *object) seat(s *session) bool {
	if o.fixed {
		o.slots[s.Number%len(o.slots)].session = s
		return false
	}
	free := -1
	for i := range o.slots {
		switch {
		case o.slots[i].session == s:
			return false
		case o.slots[i].session == nil && o.slots[i].child == s.Child && free < 0:
			free = i
		}
	}
	if free >= 0 {
		o.slots[free].session = s
		return false
	}
	o.slots = append(o.slots, slot{s.Child, s.Parent, s})
	return true
}

// place gives a contract a place when it covers the object, and reports whether
// it had to make one.
func (o *object) place(n int, id impl.ContractID, c contract) bool {
	on := slices.Index(o.things, c.thing)
	if on < 0 {
		return false
	}
	for i := range o.places {
		if p := &o.places[i]; p.contract == 0 && p.exchange == n && p.kind == c.kind && p.on == on {
			p.contract = id
			return false
		}
	}
	o.places = append(o.places, place{n, c.kind, on, id})
	return true
}

// rebuild makes the model anew after slots or places were added, and with it the
// state that the run is in.
func (o *object) rebuild(r *Refinement) {
	if !o.fixed {
		o.model = o.measured(r)
		o.rank()
	}
	o.raw = model.State{}
	for n := range r.exchanges {
		o.raw.Nodes = append(o.raw.Nodes, o.node(r, n))
	}
	for i := range o.slots {
		o.raw.Wires = append(o.raw.Wires, o.wire(i))
	}
	o.state = o.renumbered(o.raw)
}

// measured is a model to the measure of the run.
func (o *object) measured(r *Refinement) *model.Model {
	m := &model.Model{
		Capacities: []int{0, 1, 2},
		Limited:    r.limited,
		Chunked:    true,
		Ceiling:    math.MaxUint32,
	}
	for n := range r.exchanges {
		m.Exchanges = append(m.Exchanges, fmt.Sprintf("exchange %d", n))
	}
	for i, s := range o.slots {
		m.Links = append(m.Links, model.Link{Name: fmt.Sprintf("slot %d (%d to %d)", i, s.child, s.parent), Parent: s.parent, Child: s.child, Ordered: true})
	}
	x := model.Object{Name: o.things[0]}
	for t, thing := range o.things[1:] {
		m.Tags = append(m.Tags, thing)
		x.Tags = append(x.Tags, t)
	}
	m.Objects = []model.Object{x}
	for i, p := range o.places {
		what := "observes"
		if p.kind == model.Expose {
			what = "exposes"
		}
		m.Contracts = append(m.Contracts, model.Contract{Name: fmt.Sprintf("contract %d (%d %s %s)", i, p.exchange, what, o.things[p.on]), At: p.exchange, Kind: p.kind, On: p.on})
	}
	return m.Prepare()
}

func (o *object) renumbered(s model.State) model.State {
	for i := range o.slots {
		if o.slots[i].session != nil {
			s = o.model.Renumbered(s, i)
		}
	}
	return s
}

// publish gives a state that was just published its number, and ranks the versions.
func (o *object) publish(state *impl.State) int {
	key := contentOf(state)
	number, known := o.numbers[key]
	if !known {
		number = len(o.versions)
		o.numbers[key] = number
		o.versions = append(o.versions, state.Version)
		o.rank()
	}
	o.pointers[state] = number
	return number
}

// rank gives each state's version its place among all there are; equal versions
// have one place. What was greater stays greater.
func (o *object) rank() {
	order := slices.Clone(o.versions[1:])
	slices.SortFunc(order, slices.Compare[[]int64])
	order = slices.CompactFunc(order, slices.Equal[[]int64])
	ranks := make([]int, len(o.versions))
	for number, version := range o.versions[1:] {
		at, _ := slices.BinarySearchFunc(order, version, slices.Compare[[]int64])
		ranks[number+1] = at + 1
	}
	o.model.Version = ranks
}

// number is that of a state that somebody published, 0 of none.
func (o *object) number(state *impl.State) int {
	if state == nil {
		return 0
	}
	if number, known := o.pointers[state]; known {
		return number
	}
	number, known := o.numbers[contentOf(state)]
	if !known {
		o.unknown = fmt.Sprintf("a state of version %v with %d bytes that nobody published", state.Version, len(state.Data))
		return 0
	}
	o.pointers[state] = number
	return number
}

func contentOf(state *impl.State) string {
	return fmt.Sprintf("%v %q ", state.Version, state.Format) + string(state.Data)
}

// flag is a state with its flag, of which the time is forgotten.
func (o *object) flag(state *impl.State, synchronized impl.Synchronized) model.Flag {
	if state == nil {
		return model.Flag{}
	}
	return model.Flag{State: o.number(state), Now: synchronized.Now}
}

func (o *object) channel(c *impl.ChannelSnapshot) model.Channel {
	return model.Channel{Number: int(c.Number), Flag: o.flag(c.State, c.Synchronized)}
}

func (o *object) channels(all []impl.ChannelSnapshot) []model.Channel {
	var channels []model.Channel
	for i := range all {
		channels = append(channels, o.channel(&all[i]))
	}
	slices.SortFunc(channels, func(a, b model.Channel) int { return cmp.Compare(a.Number, b.Number) })
	return channels
}

// node is what exchange n knows of the object.
func (o *object) node(r *Refinement, n int) *model.Node {
	N := o.model.NewNode(n)
	x := r.exchanges[n]
	if x.snapshot == nil {
		return N
	}
	for spot, k := range o.model.ContractsAt(n) {
		o.contract(x.snapshot, o.places[k].contract, N, spot)
	}
	for i := range x.snapshot.Objects {
		if s := &x.snapshot.Objects[i]; s.Descriptor.Key == o.descriptor.Key {
			o.objectOf(r, n, s, N)
		}
	}
	for i := range x.snapshot.Tags {
		tag := &x.snapshot.Tags[i]
		if d := slices.Index(o.things, tagThing(r.identity(tag.JSON))); d > 0 {
			for _, l := range tag.Links {
				if at := o.below(r, n, l.Link); at >= 0 {
					N.Below[at].Contract[d] = model.Asks{Observes: l.Observes, Exposes: l.Exposes, Capacity: int(l.Capacity)}
				}
			}
		}
	}
	for i := range x.snapshot.Links {
		if l := &x.snapshot.Links[i]; l.Link == x.snapshot.Upstream {
			for _, told := range l.Told {
				thing := objectThing(told.Descriptor.Key)
				if told.Tag {
					thing = tagThing(r.identity(told.Descriptor.JSON))
				}
				if d := slices.Index(o.things, thing); d >= 0 {
					N.Told[d] = model.Asks{Observes: told.Observes, Exposes: told.Exposes, Capacity: int(told.Capacity)}
				}
			}
		}
	}
	if r.distort != nil {
		r.distort(n, N)
	}
	return N
}

// contract is a local contract with its offer of the object.
func (o *object) contract(x *impl.Snapshot, id impl.ContractID, N *model.Node, spot int) {
	at := slices.IndexFunc(x.Contracts, func(c impl.ContractSnapshot) bool { return c.Contract == id })
	if id == 0 || at < 0 {
		return
	}
	c := &x.Contracts[at]
	N.Contracts[spot] = int(c.Capacity)
	for _, f := range c.Offers {
		if f.Key != o.descriptor.Key {
			continue
		}
		switch {
		case f.Revoked:
			N.Offers[spot][0] = model.Offer{Is: model.Revoked}
		case f.Taken:
			N.Offers[spot][0] = model.Offer{Is: model.Taken, Flag: o.flag(f.State, f.Synchronized)}
		default:
			N.Offers[spot][0] = model.Offer{Is: model.Offered}
		}
	}
}

// objectOf is the object's part of a node: the state held, the channels with
// upstream, who is elected, and the links below.
func (o *object) objectOf(r *Refinement, n int, s *impl.ObjectSnapshot, N *model.Node) {
	N.Held[0] = o.flag(s.State, s.Synchronized)
	N.Sources[0], N.Outlets[0] = o.channels(s.Sources), o.channels(s.Outlets)
	N.Elected[0] = o.elected(r, n, s.Elected)
	for i := range s.Links {
		l := &s.Links[i]
		at := o.below(r, n, l.Link)
		if at < 0 {
			o.unknown = fmt.Sprintf("link %d has something on the object, and is not attached", l.Link)
			continue
		}
		b := &N.Below[at]
		b.Contract[0] = model.Asks{Observes: l.Observes, Exposes: l.Exposes, Capacity: int(l.Capacity)}
		if l.Revoked {
			b.Revoked[0] = int(l.Sink.Number)
		} else {
			b.Sink[0] = o.channel(&l.Sink)
		}
		b.Stream[0] = o.channel(&l.Stream)
	}
}

func (o *object) elected(r *Refinement, n int, elected impl.Elected) model.Elected {
	switch elected.Kind {
	case impl.ElectedUpstream:
		return model.Elected{Who: model.Upstream}
	case impl.ElectedObjectContract, impl.ElectedTagContract:
		for spot, k := range o.model.ContractsAt(n) {
			if o.places[k].contract == elected.Contract {
				return model.Elected{Who: model.LocalContract, Index: spot}
			}
		}
		o.unknown = fmt.Sprintf("contract %d is elected, which is not open", elected.Contract)
	case impl.ElectedLink:
		if at := o.below(r, n, elected.Link); at >= 0 {
			return model.Elected{Who: model.LinkBelow, Index: at}
		}
		o.unknown = fmt.Sprintf("link %d is elected, which is not attached", elected.Link)
	}
	return model.Elected{}
}

// below is the index of a link among those below exchange n; negative: none.
func (o *object) below(r *Refinement, n int, link impl.LinkID) int {
	s := r.exchanges[n].links[link].session
	return slices.IndexFunc(o.model.Below(n), func(l int) bool { return s != nil && o.slots[l].session == s })
}

// slotOf is the slot that a session has.
func (o *object) slotOf(s *session) int {
	return slices.IndexFunc(o.slots, func(other slot) bool { return other.session == s })
}

// wire is what is between the two ends of a slot's session.
func (o *object) wire(i int) *model.Wire {
	s := o.slots[i].session
	if s == nil {
		return &model.Wire{}
	}
	return &model.Wire{
		Below: s.ends[childEnd], Above: s.ends[parentEnd],
		Up: o.queue(s.queues[childEnd]), Down: o.queue(s.queues[parentEnd]),
	}
}

func (o *object) queue(q []message) []model.Message {
	var messages []model.Message
	for i := range q {
		m := &q[i]
		if !o.concerns(m) {
			continue
		}
		switch m.kind {
		case model.ContractsMessage:
			told := make([]model.Asks, len(o.things))
			for d, thing := range o.things {
				told[d] = m.told[thing]
			}
			messages = append(messages, model.Message{Kind: model.ContractsMessage, Told: told})
		case model.OpenMessage:
			messages = append(messages, model.Message{Kind: model.OpenMessage, Channel: int(m.channel), Sink: m.sink})
		case model.CloseMessage:
			messages = append(messages, model.Message{Kind: model.CloseMessage, Channel: int(m.channel)})
		case model.StateMessage:
			messages = append(messages, model.Message{Kind: model.StateMessage, Channel: int(m.channel),
				Flag: o.flag(m.state, impl.Synchronized{Now: m.now})})
		}
	}
	return messages
}

// concerns reports whether a message is one of the specification, for this object.
func (o *object) concerns(m *message) bool {
	if m.none {
		return false
	}
	if m.kind != model.ContractsMessage {
		return m.object == o.descriptor.Key
	}
	return slices.ContainsFunc(m.changed, func(thing string) bool { return slices.Contains(o.things, thing) })
}
