package refinement

import (
	"slices"

	"hakuban/model"
)

// The specification numbers the channels of an object on a link 1, 2, 3... in
// the order in which they were opened, and anew when one is forgotten. The wire
// numbers all channels of a session. What is seen is kept as the wire has it; the
// state is that with the specification's numbers.

// parts is a set of parts of a node. What did not change is shared by the states
// before and after.
type parts uint8

const (
	contractsPart parts = 1 << iota // Contracts, Offers
	objectPart                      // Elected, Held, Due, Leaving
	toldPart                        // Told
	channelsPart                    // Sources, Outlets
	belowPart                       // Below
	allParts      = 1<<iota - 1
)

// differences is the parts in which two looks at an exchange differ.
func differences(a, b *model.Node) (differ parts) {
	if !slices.Equal(a.Contracts, b.Contracts) || !slices.EqualFunc(a.OlderContracts, b.OlderContracts, slices.Equal) {
		differ |= contractsPart
	}
	for k := range a.Offers {
		if a.Offers[k][0] != b.Offers[k][0] {
			differ |= contractsPart
		}
	}
	if a.Elected[0] != b.Elected[0] || a.Held[0] != b.Held[0] || a.Due != b.Due || a.Leaving != b.Leaving {
		differ |= objectPart
	}
	if !slices.Equal(a.Told, b.Told) {
		differ |= toldPart
	}
	if !slices.Equal(a.Sources[0], b.Sources[0]) || !slices.Equal(a.Outlets[0], b.Outlets[0]) {
		differ |= channelsPart
	}
	for i := range a.Downstream {
		x, y := &a.Downstream[i], &b.Downstream[i]
		if !slices.Equal(x.Contract, y.Contract) || x.Sink[0] != y.Sink[0] || x.Stream[0] != y.Stream[0] ||
			x.Revoked[0] != y.Revoked[0] || x.Share[0] != y.Share[0] || x.Rights != y.Rights ||
			!slices.EqualFunc(x.OlderExposures, y.OlderExposures, slices.Equal) {
			differ |= belowPart
		}
	}
	return differ
}

// renumber makes the state agree with what was seen of an exchange, which
// changed in some parts, and of the wires of its links.
func (o *object) renumber(n int, changed parts) {
	s := model.State{Nodes: slices.Clone(o.state.Nodes), Links: o.state.Links}
	shared := true
	for i := range o.slots {
		at := &o.slots[i]
		if at.parent != n && at.child != n {
			continue
		}
		o.inUse(i)
		moved := !slices.Equal(o.used, at.used)
		if moved {
			at.used = append(at.used[:0], o.used...)
			if at.parent == n {
				changed |= belowPart
				s.Nodes[at.child] = o.numberedNode(at.child, s.Nodes[at.child], channelsPart)
			} else {
				changed |= channelsPart
				s.Nodes[at.parent] = o.numberedNode(at.parent, s.Nodes[at.parent], belowPart)
			}
		}
		if moved || at.fresh {
			if shared {
				s.Links, shared = slices.Clone(s.Links), false
			}
			s.Links[i], at.fresh = o.numberedWire(i), false
			changed |= channelsPart // they are numbered by the wire that is on
		}
	}
	if changed != 0 {
		s.Nodes[n] = o.numberedNode(n, s.Nodes[n], changed)
	}
	o.state = s
}

// inUse leaves in o.used the numbers of the object's channels in a slot: those
// that an end has, or that something in flight is about.
func (o *object) inUse(i int) {
	o.used = o.used[:0]
	at, W := &o.slots[i], o.wires[i]
	for spot, l := range o.model.DownstreamLinks(at.parent) {
		if l == i {
			b := &o.views[at.parent].raw.Downstream[spot]
			o.use(b.Sink[0].Number)
			o.use(b.Revoked[0])
			o.use(b.Stream[0].Number)
		}
	}
	if W.Downstream == model.On {
		for _, c := range o.views[at.child].raw.Sources[0] {
			o.use(c.Number)
		}
		for _, c := range o.views[at.child].raw.Outlets[0] {
			o.use(c.Number)
		}
	}
	for i := range W.Up {
		o.use(W.Up[i].Channel)
	}
	for i := range W.Down {
		o.use(W.Down[i].Channel)
	}
}

func (o *object) use(number int) {
	if at, found := slices.BinarySearch(o.used, number); number != 0 && !found {
		o.used = slices.Insert(o.used, at, number)
	}
}

// numbered is the specification's number of a channel; that of none, 0, is 0.
func (at *slot) numbered(number int) int {
	if number == 0 {
		return 0
	}
	return slices.Index(at.used, number) + 1
}

func (at *slot) channel(c model.Channel) model.Channel {
	c.Number = at.numbered(c.Number)
	return c
}

// numberedNode is a node with some parts as they were seen last.
func (o *object) numberedNode(n int, before *model.Node, changed parts) *model.Node {
	raw, N := o.views[n].raw, *before
	if changed&contractsPart != 0 {
		N.Contracts, N.OlderContracts = slices.Clone(raw.Contracts), slices.Clone(raw.OlderContracts)
		offers := make([]model.Offer, len(raw.Offers))
		N.Offers = make([][]model.Offer, len(raw.Offers))
		for k := range raw.Offers {
			offers[k] = raw.Offers[k][0]
			N.Offers[k] = offers[k : k+1 : k+1]
		}
	}
	if changed&objectPart != 0 {
		N.Elected, N.Held = []model.Elected{raw.Elected[0]}, []model.Flag{raw.Held[0]}
		N.Due, N.Leaving = raw.Due, raw.Leaving
	}
	if changed&toldPart != 0 {
		N.Told = slices.Clone(raw.Told)
	}
	if changed&channelsPart != 0 {
		sources, outlets := slices.Clone(raw.Sources[0]), slices.Clone(raw.Outlets[0])
		for i := range o.slots {
			if at := &o.slots[i]; at.child == n && o.wires[i].Downstream == model.On {
				at.renumber(sources)
				at.renumber(outlets)
			}
		}
		N.Sources, N.Outlets = [][]model.Channel{sources}, [][]model.Channel{outlets}
	}
	if changed&belowPart != 0 {
		o.numberedBelow(n, raw, &N)
	}
	return &N
}

func (o *object) numberedBelow(n int, raw, N *model.Node) {
	count, things := len(raw.Downstream), len(o.things)
	asks := make([]model.Asks, count*things)
	channels := make([]model.Channel, 2*count)
	numbers := make([]int, 2*count)
	N.Downstream = make([]model.Downstream, count)
	for i, l := range o.model.DownstreamLinks(n) {
		at, from, b := &o.slots[l], &raw.Downstream[i], &N.Downstream[i]
		b.Contract, asks = asks[:things:things], asks[things:]
		b.Sink, b.Stream, channels = channels[:1:1], channels[1:2:2], channels[2:]
		b.Revoked, b.Share, numbers = numbers[:1:1], numbers[1:2:2], numbers[2:]
		copy(b.Contract, from.Contract)
		b.Rights = from.Rights
		b.OlderExposures = slices.Clone(from.OlderExposures)
		b.Sink[0], b.Stream[0] = at.channel(from.Sink[0]), at.channel(from.Stream[0])
		b.Revoked[0], b.Share[0] = at.numbered(from.Revoked[0]), from.Share[0]
	}
}

func (at *slot) renumber(all []model.Channel) {
	for i := range all {
		all[i] = at.channel(all[i])
	}
}

func (o *object) numberedWire(i int) *model.LinkState {
	at, W := &o.slots[i], *o.wires[i]
	queue := func(raw []model.Message) []model.Message {
		q := slices.Clone(raw)
		for i := range q {
			q[i].Channel = at.numbered(q[i].Channel)
		}
		return q
	}
	W.Up, W.Down = queue(W.Up), queue(W.Down)
	return &W
}
