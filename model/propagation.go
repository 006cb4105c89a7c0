package model

import "slices"

// Renumbered returns the state with the channels of a link numbered 1, 2, 3...
// in the order in which they were opened. An action leaves its link so; whoever
// makes a state of something else, with other numbers that grow, does it here.
func (m *Model) Renumbered(s State, l int) State {
	used := make([]numbers, 0, 4)
	dense := true
	for o := range m.Objects {
		u := m.inUse(s, l, o)
		used = append(used, u)
		dense = dense && u.dense()
	}
	if dense {
		return s
	}
	channel := func(o int, c Channel) Channel {
		c.Number = used[o].rank(c.Number)
		return c
	}
	channels := func(all [][]Channel) [][]Channel {
		all = slices.Clone(all)
		for o := range all {
			all[o] = slices.Clone(all[o])
			for i, c := range all[o] {
				all[o][i] = channel(o, c)
			}
		}
		return all
	}
	queue := func(q []Message) []Message {
		q = slices.Clone(q)
		for i := range q {
			if q[i].Kind != ContractsMessage {
				q[i].Channel = used[q[i].Object].rank(q[i].Channel)
			}
		}
		return q
	}
	upstream, downstream := m.Links[l].Upstream, m.Links[l].Downstream
	U := s.Nodes[upstream].copy()
	U.Downstream = slices.Clone(U.Downstream)
	b := &U.Downstream[m.place[l]]
	b.Sink, b.Revoked, b.Stream = slices.Clone(b.Sink), slices.Clone(b.Revoked), slices.Clone(b.Stream)
	for o := range m.Objects {
		b.Sink[o] = channel(o, b.Sink[o])
		b.Revoked[o] = used[o].rank(b.Revoked[o])
		b.Stream[o] = channel(o, b.Stream[o])
	}
	s = s.with(upstream, U)
	L := *s.Links[l]
	if L.Downstream == On {
		D := s.Nodes[downstream].copy()
		D.Sources, D.Outlets = channels(D.Sources), channels(D.Outlets)
		s = s.with(downstream, D)
	}
	L.Up, L.Down = queue(L.Up), queue(L.Down)
	return s.withLink(l, &L)
}

// differs reports whether what is held is something else than what crossed last.
func differs(held, last Flag) bool { return held.State != 0 && held != last }

func (N *Node) wantsSink(i, o int) bool { return N.Elected[o] == Elected{DownstreamLink, i} }

func (m *Model) wantsStream(N *Node, i, o int) bool {
	return m.Observes(N, i, o) && N.Elected[o].Who != Nobody && !N.wantsSink(i, o)
}

// owed is what a pull downwards would do for one object.
type owed struct {
	closesSink, closesStream, opensSink, opensStream, sends bool
}

func (m *Model) owedDown(N *Node, i, o int) owed {
	b := &N.Downstream[i]
	wantsStream := m.wantsStream(N, i, o)
	return owed{
		closesSink:   b.Revoked[o] != 0,
		closesStream: b.Stream[o].Number != 0 && !wantsStream,
		opensSink:    b.Sink[o].Number == 0 && N.wantsSink(i, o),
		opensStream:  b.Stream[o].Number == 0 && wantsStream,
		sends:        b.Stream[o].Number != 0 && differs(N.Held[o], b.Stream[o].Flag),
	}
}
