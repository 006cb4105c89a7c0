package refinement

import (
	"maps"
	"slices"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/wire"
)

// NewFor returns an observer that holds what happens to a model that is given,
// instead of making one to the measure of the run. The model has one object,
// whose descriptor is given; the states that may be published are given in the
// order of the model's. A session's slot is its number modulo that of slots, and
// no two contracts may be of one exchange, kind and thing.
func NewFor(m *model.Model, descriptor wire.Descriptor, states []*impl.State) *Refinement {
	r := New()
	o := &object{
		descriptor: descriptor,
		fixed:      true,
		model:      m,
		things:     []string{objectThing(descriptor.Key)},
		numbers:    make(map[string]int),
		pointers:   make(map[*impl.State]int),
		versions:   [][]int64{nil},
	}
	for _, identity := range descriptor.TagIdentities {
		o.things = append(o.things, tagThing(identity))
	}
	for _, l := range m.Links {
		o.slots = append(o.slots, slot{child: l.Downstream, parent: l.Upstream})
	}
	for _, c := range m.Contracts {
		o.places = append(o.places, place{exchange: c.At, kind: c.Kind, on: c.On})
	}
	for i, state := range states {
		o.numbers[string(appendContent(nil, state))] = i + 1
		o.versions = append(o.versions, state.Version)
	}
	for n := range m.Exchanges {
		r.Begin(n, nil)
	}
	r.objects = []*object{o}
	o.begin(r)
	return r
}

// Clone returns a copy that shares nothing that changes but what both would write
// alike: names and numbers of what is given.
func (r *Refinement) Clone() *Refinement {
	c := *r
	c.happening, c.text, c.announced = happening{}, nil, nil
	c.sessions = make(map[int]*session, len(r.sessions))
	copies := make(map[*session]*session, len(r.sessions))
	for number, s := range r.sessions {
		copied := *s
		for end := range copied.queues {
			copied.queues[end] = slices.Clone(copied.queues[end])
		}
		copied.channels = make(map[uint64]*channel, len(s.channels))
		for at, from := range s.channels {
			to := *from
			copied.channels[at] = &to
		}
		c.sessions[number], copies[s] = &copied, &copied
	}
	c.exchanges = make([]*exchange, len(r.exchanges))
	for n, x := range r.exchanges {
		copied := &exchange{core: x.core, contracts: maps.Clone(x.contracts), offers: maps.Clone(x.offers), ready: maps.Clone(x.ready), rights: maps.Clone(x.rights)}
		copied.links = make(map[impl.LinkID]attachment, len(x.links))
		for id, a := range x.links {
			copied.links[id] = attachment{copies[a.session], a.end}
		}
		c.exchanges[n] = copied
	}
	c.objects = make([]*object, len(r.objects))
	for i, o := range r.objects {
		c.objects[i] = o.clone(copies)
	}
	return &c
}

func (o *object) clone(copies map[*session]*session) *object {
	c := *o
	c.slots, c.places, c.wires, c.views = slices.Clone(o.slots), slices.Clone(o.places), slices.Clone(o.wires), make([]view, len(o.views))
	for i := range c.slots {
		at := &c.slots[i]
		at.session, at.used = copies[at.session], slices.Clone(at.used)
	}
	for n := range o.views {
		o.views[n].shared = true
		c.views[n] = view{raw: o.views[n].raw, shared: true, is: o.views[n].is, was: o.views[n].was}
	}
	c.pointers = make(map[*impl.State]int)
	if !o.fixed {
		c.numbers, c.versions, c.ranked = maps.Clone(o.numbers), slices.Clone(o.versions), slices.Clone(o.ranked)
	}
	c.seen, c.steps, c.used, c.text = impl.ObjectView{}, nil, nil, nil
	return &c
}

// State is the state of the specification that the run is in, for the first object.
func (r *Refinement) State() model.State { return r.objects[0].state }

// Contract is the local contract that stands for one of the model's; zero: none.
func (r *Refinement) Contract(k int) impl.ContractID { return r.objects[0].places[k].contract }

// unordered reports whether messages of a session overtake one another: those of
// a run never do, those of a model that is given as it says.
func (r *Refinement) unordered(number int) bool {
	if len(r.objects) == 0 || !r.objects[0].fixed {
		return false
	}
	links := r.objects[0].model.Links
	return !links[number%len(links)].Ordered
}

// Deliverable is the messages of a kind that may arrive next in a slot, in one
// direction: of each the bytes of what is to be delivered, which are nothing to
// the specification but for the last.
func (r *Refinement) Deliverable(l int, up bool, kind model.MessageKind) (ways [][][]byte) {
	o := r.objects[0]
	end := parentEnd
	if up {
		end = childEnd
	}
	s := o.slots[l].session
	if s == nil || len(s.queues[end]) == 0 {
		return nil
	}
	before := make(map[uint64][][]byte) // by channel, 0 of all: nothing to the specification
	stopped := make(map[uint64]bool)
	for i := range s.queues[end] {
		m := &s.queues[end][i]
		channel := m.channel
		if !s.unordered {
			channel = 0
		}
		if stopped[channel] {
			continue
		}
		before[channel] = append(before[channel], m.data)
		if o.concerns(m) {
			stopped[channel] = true
			if m.kind == kind {
				ways = append(ways, before[channel])
			}
		}
	}
	return ways
}
