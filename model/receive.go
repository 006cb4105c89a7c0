package model

import "slices"

// receive yields for every message of a kind that may be delivered the link
// without it.
func (m *Model) receive(l int, L *LinkState, up bool, kind MessageKind, yield func(Message, *LinkState)) string {
	q := L.Down
	if up {
		q = L.Up
	}
	reason := "a message of this kind may be delivered next"
	for i := range q {
		if q[i].Kind != kind || !m.deliverable(l, q, i) {
			continue
		}
		after := *L
		if up {
			after.Up = without(q, i)
		} else {
			after.Down = without(q, i)
		}
		yield(q[i], &after)
		reason = ""
	}
	return reason
}

func (m *Model) receiveContracts(s State, l int, yield func(State)) string {
	n, i := m.Links[l].Upstream, m.place[l]
	if s.Links[l].Upstream != On {
		return "the upstream end is on"
	}
	return m.receive(l, s.Links[l], true, ContractsMessage, func(message Message, L *LinkState) {
		m.notes(n, s.Nodes[n], i, message.Told, func(M *Node) { yield(s.with(n, M).withLink(l, L)) })
	})
}

// notes yields what a node can become when a downstream link asks for something else.
func (m *Model) notes(n int, before *Node, i int, told []Asks, yield func(*Node)) {
	was := before.Downstream[i].Contract
	changed := func(o int) bool {
		for _, d := range m.covering[o] {
			if told[d].Observes != was[d].Observes || told[d].Exposes != was[d].Exposes {
				return true
			}
			if told[d].Capacity != was[d].Capacity && before.Elected[o].Who == Nobody {
				return true
			}
		}
		return false
	}
	N := before.copy()
	m.asked(N, i, told)
	m.afterSlice(n, N, changed, yield)
}

func (m *Model) receiveOpen(s State, l int, yield func(State)) string {
	n := m.Links[l].Downstream
	if s.Links[l].Downstream != On {
		return "the downstream end is on"
	}
	return m.receive(l, s.Links[l], false, OpenMessage, func(message Message, L *LinkState) {
		o := message.Object
		N := s.Nodes[n].copy()
		all := &N.Sources
		if message.Sink {
			all = &N.Outlets
		}
		channels := append(slices.Clone((*all)[o]), Channel{Number: message.Channel})
		slices.SortFunc(channels, func(a, b Channel) int { return a.Number - b.Number })
		*all = set(*all, o, channels)
		m.afterElections(n, N, only(o), func(M *Node) { yield(s.with(n, M).withLink(l, L)) })
	})
}

func (m *Model) receiveClose(s State, l int, yield func(State)) string {
	n := m.Links[l].Downstream
	if s.Links[l].Downstream != On {
		return "the downstream end is on"
	}
	return m.receive(l, s.Links[l], false, CloseMessage, func(message Message, L *LinkState) {
		o := message.Object
		N := s.Nodes[n].copy()
		is := func(c Channel) bool { return c.Number == message.Channel }
		N.Sources = set(N.Sources, o, slices.DeleteFunc(slices.Clone(N.Sources[o]), is))
		N.Outlets = set(N.Outlets, o, slices.DeleteFunc(slices.Clone(N.Outlets[o]), is))
		m.afterElections(n, N, only(o), func(M *Node) { yield(m.Renumbered(s.with(n, M).withLink(l, L), l)) })
	})
}

func (m *Model) receiveStateUp(s State, l int, yield func(State)) string {
	n, i := m.Links[l].Upstream, m.place[l]
	if s.Links[l].Upstream != On {
		return "the upstream end is on"
	}
	due := false
	reason := m.receive(l, s.Links[l], true, StateMessage, func(message Message, L *LinkState) {
		o := message.Object
		N := s.Nodes[n]
		if N.isDue(o) {
			due = true
			return
		}
		next := s.withLink(l, L)
		if N.Downstream[i].Sink[o].Number == message.Channel {
			M := N.copy()
			M.setSink(i, o, Channel{message.Channel, message.Flag})
			m.absorb(M, o, message.State)
			m.settle(n, M)
			next = next.with(n, M)
		}
		yield(m.Renumbered(next, l))
	})
	if due {
		return "the object is not due"
	}
	return reason
}

func (m *Model) receiveStateDown(s State, l int, yield func(State)) string {
	n := m.Links[l].Downstream
	if s.Links[l].Downstream != On {
		return "the downstream end is on"
	}
	due := false
	reason := m.receive(l, s.Links[l], false, StateMessage, func(message Message, L *LinkState) {
		o := message.Object
		N := s.Nodes[n].copy()
		if N.isDue(o) {
			due = true
			return
		}
		sources := slices.Clone(N.Sources[o])
		for i := range sources {
			if sources[i].Number == message.Channel {
				sources[i].Flag = message.Flag
			}
		}
		N.Sources = set(N.Sources, o, sources)
		m.absorb(N, o, message.State)
		m.settle(n, N)
		yield(m.Renumbered(s.with(n, N).withLink(l, L), l))
	})
	if due {
		return "the object is not due"
	}
	return reason
}
