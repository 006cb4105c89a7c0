package refinement

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
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

	views []view             // by exchange
	wires []*model.LinkState // by slot, channels as they are numbered on the wire
	state model.State        // what the run is in, channels numbered as the specification does

	numbers  map[string]int // of a state, by all it is made of
	pointers map[*impl.State]int
	versions [][]int64 // by number; that of 0 is nil
	ranked   [][]int64 // the same, each once, in order

	unknown string // something that no state of the model says
	ends    bool   // the step under way ended a link that it is not about

	// Scratch.
	seen    impl.ObjectView
	steps   []model.Step
	used    []int
	begun   []uint64 // by contract: when it was opened
	exposed []uint64 // by downstream link and thing: when it began to expose it
	text    []byte
}

// view is an exchange's part of the object, channels as they are numbered on the
// wire, and the memory of the one before it, for the next look.
type view struct {
	raw, next *model.Node // next: nil when there is none
	shared    bool        // raw is another observer's too
	is, was   short       // after the last step, and before it
}

// slot is a link slot of the model and the session that it holds.
type slot struct {
	name          string
	child, parent int
	session       *session // nil: free
	used          []int    // numbers of the object's channels on the wire, in order
	fresh         bool     // the wire was seen again, and is not in the state yet
}

// place is a contract of the model and the local contract that it stands for.
type place struct {
	name     string
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
		o.addPlaces(n)
		for _, id := range slices.Sorted(maps.Keys(x.contracts)) {
			o.place(n, id, x.contracts[id])
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
	o.begin(r)
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
		case o.slots[i].session == nil && o.slots[i].child == s.Child && o.slots[i].parent == s.Parent && free < 0:
			free = i
		}
	}
	if free >= 0 {
		o.slots[free].session = s
		return false
	}
	name := fmt.Sprintf("slot %d (%d to %d)", len(o.slots), s.Child, s.Parent)
	o.slots = append(o.slots, slot{name: name, child: s.Child, parent: s.Parent, session: s})
	return true
}

// place gives a contract a place when it covers the object, and reports whether
// it had to make one.
func (o *object) place(n int, id impl.ContractID, c contract) bool {
	on := slices.Index(o.things, c.thing)
	if on < 0 {
		return false
	}
	made := false
	for {
		for i := range o.places {
			if p := &o.places[i]; p.contract == 0 && p.exchange == n && p.kind == c.kind && p.on == on {
				p.contract = id
				return made
			}
		}
		o.addPlaces(n)
		made = true
	}
}

// addPlaces adds a place for each contract that an exchange can have on the
// object or a tag: one at a time would make the model anew for each.
func (o *object) addPlaces(n int) {
	for on, thing := range o.things {
		for _, kind := range [...]model.Kind{model.Observe, model.Expose} {
			what := "observes"
			if kind == model.Expose {
				what = "exposes"
			}
			name := fmt.Sprintf("contract %d (%d %s %s)", len(o.places), n, what, thing)
			o.places = append(o.places, place{name: name, exchange: n, kind: kind, on: on})
		}
	}
}

// begin looks at everything once.
func (o *object) begin(r *Refinement) {
	if !o.fixed {
		o.model = o.measured(r)
	}
	o.state = o.model.Empty()
	o.views = make([]view, len(r.exchanges))
	for i := range o.slots {
		o.wires = append(o.wires, nil)
		o.lookAtWire(i)
	}
	for n := range r.exchanges {
		o.views[n].raw = o.model.NewNode(n)
		o.look(r, n)
	}
	for n := range r.exchanges {
		o.renumber(n, allParts)
	}
}

// grow makes the model anew after slots or places were added, each the last one
// of its exchange. There is nothing in them yet.
func (o *object) grow(r *Refinement) {
	o.model = o.measured(r)
	for len(o.wires) < len(o.slots) {
		o.wires = append(o.wires, &model.LinkState{})
	}
	s := model.State{Nodes: slices.Clone(o.state.Nodes), Links: slices.Clone(o.state.Links)}
	for len(s.Links) < len(o.slots) {
		s.Links = append(s.Links, &model.LinkState{})
	}
	for n := range o.views {
		if grown := o.grown(n, o.views[n].raw); grown != o.views[n].raw {
			o.views[n] = view{raw: grown, is: o.views[n].is, was: o.views[n].was}
			s.Nodes[n] = o.grown(n, s.Nodes[n])
		}
	}
	o.state = s
}

// grown is a node with room for all contracts and links there are now.
func (o *object) grown(n int, N *model.Node) *model.Node {
	if len(N.Contracts) == len(o.model.ContractsAt(n)) && len(N.Downstream) == len(o.model.DownstreamLinks(n)) {
		return N
	}
	empty := o.model.NewNode(n)
	M := *N
	M.Contracts = append(slices.Clone(N.Contracts), empty.Contracts[len(N.Contracts):]...)
	M.OlderContracts = append(slices.Clone(N.OlderContracts), empty.OlderContracts[len(N.OlderContracts):]...)
	M.Offers = append(slices.Clone(N.Offers), empty.Offers[len(N.Offers):]...)
	M.Downstream = append(slices.Clone(N.Downstream), empty.Downstream[len(N.Downstream):]...)
	return &M
}

// measured is a model to the measure of the run.
func (o *object) measured(r *Refinement) *model.Model {
	m := &model.Model{
		Capacities: []int{0, 1, 2},
		Limited:    r.limited,
		Chunked:    true,
		Ceiling:    min(math.MaxUint32, math.MaxInt), // an int of 32 bits holds half of the capacities there are
		Version:    []int{0},
	}
	if o.model != nil {
		m.Version = o.model.Version
	}
	for len(r.names) < len(r.exchanges) {
		r.names = append(r.names, fmt.Sprintf("exchange %d", len(r.names)))
	}
	m.Exchanges = r.names[:len(r.exchanges):len(r.exchanges)]
	for _, s := range o.slots {
		m.Links = append(m.Links, model.Link{Name: s.name, Upstream: s.parent, Downstream: s.child, Ordered: true})
	}
	x := model.Object{Name: o.things[0]}
	for t, thing := range o.things[1:] {
		m.Tags = append(m.Tags, thing)
		x.Tags = append(x.Tags, t)
	}
	m.Objects = []model.Object{x}
	for _, p := range o.places {
		m.Contracts = append(m.Contracts, model.Contract{Name: p.name, At: p.exchange, Kind: p.kind, On: p.on})
	}
	return m.Prepare()
}

// publish gives a state that was just published its number, and ranks the versions.
func (o *object) publish(state *impl.State) int {
	o.text = appendContent(o.text[:0], state)
	number, known := o.numbers[string(o.text)]
	if !known {
		number = len(o.versions)
		o.numbers[string(o.text)] = number
		o.versions = append(o.versions, state.Version)
		o.rank(state.Version)
	}
	o.pointers[state] = number
	return number
}

// rank gives each state's version its place among all there are, after one was
// added; equal versions have one place. What was greater stays greater.
func (o *object) rank(added []int64) {
	if last := len(o.ranked); last == 0 || slices.Compare(added, o.ranked[last-1]) > 0 { // mostly
		o.ranked = append(o.ranked, added)
		o.model.Version = append(o.model.Version, len(o.ranked))
		return
	}
	if at, found := slices.BinarySearchFunc(o.ranked, added, slices.Compare[[]int64]); !found {
		o.ranked = slices.Insert(o.ranked, at, added)
	}
	ranks := make([]int, len(o.versions))
	for number, version := range o.versions[1:] {
		at, _ := slices.BinarySearchFunc(o.ranked, version, slices.Compare[[]int64])
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
	o.text = appendContent(o.text[:0], state)
	number, known := o.numbers[string(o.text)]
	if !known {
		o.unknown = fmt.Sprintf("a state of version %v with %d bytes that nobody published", state.Version, len(state.Data))
		return 0
	}
	o.pointers[state] = number
	return number
}

// appendContent appends all that a state is made of, each part after its length.
func appendContent(b []byte, state *impl.State) []byte {
	b = binary.AppendUvarint(b, uint64(len(state.Version)))
	for _, v := range state.Version {
		b = binary.AppendVarint(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(state.Format)))
	for _, name := range state.Format {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	return append(b, state.Data...)
}

// flag is a state with its flag, of which the time is forgotten.
func (o *object) flag(state *impl.State, synchronized impl.Synchronized) model.Flag {
	if state == nil {
		return model.Flag{}
	}
	return model.Flag{State: o.number(state), Now: synchronized.Now}
}

// channel is a channel that was another one at the last look; nil: there was none.
func (o *object) channel(c *impl.ChannelSnapshot, before []model.Channel) model.Channel {
	if c.State != nil && c.State.Data == nil && c.State.Format == nil { // forgotten, as the next state goes whole
		was := 0
		if at := slices.IndexFunc(before, func(b model.Channel) bool { return b.Number == int(c.Number) }); at >= 0 {
			was = before[at].State
		}
		return model.Channel{Number: int(c.Number), Flag: model.Flag{State: o.hollowed(was, c.Version), Now: c.Synchronized.Now}}
	}
	return model.Channel{Number: int(c.Number), Flag: o.flag(c.State, c.Synchronized)}
}

// channels uses the memory of a list again.
func (o *object) channels(list []model.Channel, all []impl.ChannelSnapshot, before [][]model.Channel) []model.Channel {
	list = list[:0]
	for i := range all {
		list = append(list, o.channel(&all[i], before[0]))
	}
	slices.SortFunc(list, func(a, b model.Channel) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// look is what exchange n knows of the object now, and says in which parts that
// is something else than before.
func (o *object) look(r *Refinement, n int) parts {
	v := &o.views[n]
	core := r.exchanges[n].core
	if v.next == nil || core == nil {
		v.next = o.model.NewNode(n)
	}
	N := v.next
	if core != nil {
		core.View(&o.descriptor, &o.seen)
		o.begun = o.begun[:0]
		for spot, k := range o.model.ContractsAt(n) {
			var begun uint64
			N.Contracts[spot], begun, N.Offers[spot][0] = o.contract(core, o.places[k].contract)
			o.begun = append(o.begun, begun)
		}
		s := &o.seen.Object
		N.Held[0] = o.held(v, s)
		v.see(s)
		N.Sources[0], N.Outlets[0] = o.channels(N.Sources[0], s.Sources, v.raw.Sources), o.channels(N.Outlets[0], s.Outlets, v.raw.Outlets)
		N.Elected[0] = o.elected(r, n, s.Elected)
		o.lookBelow(r, n, N)
		o.model.SetAges(n, N, func(k int) uint64 { return o.begun[k] }, func(l, d int) uint64 { return o.exposed[l*len(o.things)+d] })
		o.lookAtRules(n, N)
		for d, told := range o.seen.Told {
			N.Told[d] = model.Asks{Observes: told.Observes, Exposes: told.Exposes, Capacity: int(told.Capacity)}
		}
	}
	if r.distort != nil {
		r.distort(n, N)
	}
	differ := differences(N, v.raw)
	if differ == 0 {
		return 0
	}
	v.raw, v.next = N, v.raw
	if v.shared {
		v.next, v.shared = nil, false
	}
	return differ
}

// lookAtRules holds what the core works out once and keeps to the rules of the
// specification, which are worked out anew: that the object is live, that its data
// is needed, and that it is known just while it is live, a channel is open, or a link asks for it, allowed or not.
func (o *object) lookAtRules(n int, N *model.Node) {
	s := &o.seen.Object
	live := o.model.ShouldExist(n, N, 0)
	known := live
	for i := range N.Downstream {
		b := &N.Downstream[i]
		known = known || b.Contract[0] != (model.Asks{}) || b.Sink[0].Number != 0 || b.Revoked[0] != 0 || b.Stream[0].Number != 0
	}
	is := [...]bool{s.Number != 0, s.ShouldExist, s.DataNeeded}
	for rule, should := range [...]bool{known, live, o.model.DataNeeded(n, N, 0)} {
		if is[rule] != should {
			o.unknown = fmt.Sprintf("%s is %v, the specification has %v", [...]string{"the object is known", "ShouldExist", "DataNeeded"}[rule], is[rule], should)
		}
	}
}

// contract is a local contract with its offer of the object.
func (o *object) contract(core *impl.Exchange, id impl.ContractID) (capacity int, begun uint64, f model.Offer) {
	if id == 0 {
		return model.Closed, 0, f
	}
	c, begun, offer, open := core.ViewContract(id, o.descriptor.Key)
	switch {
	case !open:
		return model.Closed, 0, f
	case offer.Offer == 0:
	case offer.Revoked:
		f.Is = model.Revoked
	case offer.Taken:
		f = model.Offer{Is: model.Taken, Flag: o.flag(offer.State, offer.Synchronized)}
	default:
		f.Is = model.Offered
	}
	return int(c), begun, f
}

// lookBelow is what an exchange knows of the links below it.
func (o *object) lookBelow(r *Refinement, n int, N *model.Node) {
	o.exposed = slices.Grow(o.exposed[:0], len(N.Downstream)*len(o.things))[:len(N.Downstream)*len(o.things)]
	clear(o.exposed)
	for i := range N.Downstream {
		b := &N.Downstream[i]
		clear(b.Contract)
		b.Rights = o.rights(r, n, o.model.DownstreamLinks(n)[i])
		b.Sink[0], b.Stream[0], b.Revoked[0], b.Share[0] = model.Channel{}, model.Channel{}, 0, 0
	}
	for i := range o.seen.Object.Links {
		l := &o.seen.Object.Links[i]
		at := o.below(r, n, l.Link)
		if at < 0 {
			o.unknown = fmt.Sprintf("link %d has something on the object, and is not attached", l.Link)
			continue
		}
		b := &N.Downstream[at]
		b.Contract[0] = model.Asks{Observes: l.Observes, Exposes: l.Exposes, Capacity: int(l.Capacity)}
		o.exposed[at*len(o.things)] = l.Begun
		if l.Revoked {
			b.Revoked[0] = int(l.Sink.Number)
		} else {
			b.Sink[0] = o.channel(&l.Sink, nil)
		}
		b.Stream[0] = o.channel(&l.Stream, o.views[n].raw.Downstream[at].Stream)
	}
	for d := range o.things[1:] {
		for _, l := range o.seen.TagLinks[d] {
			at := o.below(r, n, l.Link)
			if at < 0 {
				o.unknown = fmt.Sprintf("link %d has something on a tag, and is not attached", l.Link)
				continue
			}
			N.Downstream[at].Contract[1+d] = model.Asks{Observes: l.Observes, Exposes: l.Exposes, Capacity: int(l.Capacity)}
			o.exposed[at*len(o.things)+1+d] = l.Begun
		}
	}
}

// rights are those of the peer in a slot, as exchange n was told them: they need not have taken effect.
func (o *object) rights(r *Refinement, n, l int) model.Rights {
	s, x := o.slots[l].session, r.exchanges[n]
	everything := o.model.Everything()
	if s == nil || s.ends[parentEnd] != model.On || x.rights[s.links[parentEnd]] == nil {
		return everything
	}
	given := x.rights[s.links[parentEnd]]
	rights := model.Rights{Capacity: int(given.Capacity)}
	reached := func(reach *impl.Reach) (set uint64) {
		if reach.All {
			return everything.Observe
		}
		if reach.HasObject(&o.descriptor) {
			set = 1
		}
		for t, identity := range o.descriptor.TagIdentities {
			if reach.HasTag(identity) {
				set |= 2 << t
			}
		}
		return set
	}
	rights.Observe, rights.Expose = reached(&given.Observe), reached(&given.Expose)
	return rights
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
			return model.Elected{Who: model.DownstreamLink, Index: at}
		}
		o.unknown = fmt.Sprintf("link %d is elected, which is not attached", elected.Link)
	}
	return model.Elected{}
}

// below is the index of a link among those below exchange n; negative: none.
func (o *object) below(r *Refinement, n int, link impl.LinkID) int {
	s := r.exchanges[n].links[link].session
	for i, l := range o.model.DownstreamLinks(n) {
		if s != nil && o.slots[l].session == s {
			return i
		}
	}
	return -1
}

// slotOf is the slot that a session has.
func (o *object) slotOf(s *session) int {
	for i := range o.slots {
		if o.slots[i].session == s {
			return i
		}
	}
	panic("BUG: a session without a slot")
}

// lookAtWire is what is between the two ends of a slot's session.
func (o *object) lookAtWire(i int) {
	W := &model.LinkState{}
	if s := o.slots[i].session; s != nil {
		W.Downstream, W.Upstream = s.ends[childEnd], s.ends[parentEnd]
		W.Up, W.Down = o.queue(s.queues[childEnd]), o.queue(s.queues[parentEnd])
	}
	o.wires[i], o.slots[i].fresh = W, true
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
